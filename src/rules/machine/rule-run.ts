/**
 * A rule's instance at work: condition over time, gates, patterns and flapping become raises and clears at the desk.
 *
 * - `only` gates the beginning, never the end. Red and orange rules are not gated while the clock is not synchronised: nobody knows the hour.
 * - A pattern's match is a condition that holds for the moment; `keep` is how long it stands.
 * - While it flaps, the alarm is held active and edges are counted, not sent.
 */
import { LEVELS, type Level } from '../../base/event.ts';
import type { StateRow } from '../../base/journal.ts';
import { feedNumber, type JsonObject } from '../../base/json.ts';
import type { Instant } from '../../base/time.ts';
import type { RuleUnit } from '../compile/units.ts';
import { mappingAt } from '../operators/operator.ts';
import { Pattern } from '../operators/pattern.ts';
import * as alarms from './alarms.ts';
import { parseRow, type Step, type Waking } from './context.ts';
import type { Desk } from './desk.ts';
import { Flaps } from './flaps.ts';
import { against, dueOf, type Held, isActive, judge, OFF, type Seen } from './judge.ts';
import { FLAPPING, flapping } from './no-data.ts';
import { least, Run, type Surroundings } from './run.ts';
import { type SavedHeld, saveHeld, wakeHeld } from './saved.ts';

const START_GRACE = 30_000;

export class RuleRun extends Run {
  readonly unit: RuleUnit;
  readonly pattern: Pattern | undefined;
  /** true while `unless` holds */
  isSuppressed = false;
  private held: Held = OFF;
  private readonly desk: Desk;
  private readonly ruleset: string;
  /** due while the process was off: judged late */
  private isLate = false;
  private graceUntil = Number.NEGATIVE_INFINITY;
  private waits: number | undefined;
  /** its rule means something else: judge the open alarm anew */
  private isChanged = false;
  private hasMatched = false;
  private readonly flaps: Flaps | undefined;
  private readonly asksHeld: boolean;

  constructor(index: number, unit: RuleUnit, around: Surroundings, desk: Desk, ruleset: string) {
    super(index, unit, around);
    this.unit = unit;
    this.desk = desk;
    this.ruleset = ruleset;
    const { when, clear, unless, level } = unit;
    this.asksHeld = [when, clear, unless, level].some(
      (e) => typeof e === 'object' && e.reads.some(({ ref }) => ref.kind === 'fixed' && ref.name === 'held'),
    );
    if (unit.spec.flap !== undefined) this.flaps = new Flaps(unit.key, unit.spec.flap);
    if (unit.pattern !== undefined)
      this.pattern = new Pattern({
        inOrder: unit.spec.pattern?.inOrder === true,
        withinMs: unit.spec.pattern?.withinMs ?? 0,
        parts: unit.pattern.map(({ name, sources }) => ({
          name,
          isEvent: sources.kind === 'points' ? sources.points.map((p) => p.point.event === true) : [true],
        })),
      });
  }

  wake(waking: Waking): void {
    const { now } = waking;
    const { key, meaning, spec } = this.unit;
    const saved = parseRow<SavedHeld>(waking, `rule:${key}`);
    const woken = wakeHeld(saved, meaning, now, waking.downSince);
    const isOpen = this.desk.active(key) !== undefined;
    // The alarm row is the truth about a raise; a state row lost with a card's last second must not raise it twice.
    const isLost = isOpen && !isActive(woken.held.phase);
    this.held = isLost ? { phase: 'on', since: now.mono, unseen: 0, blind: now.mono } : woken.held;
    this.waits = woken.waits;
    this.isChanged = isOpen && woken.changed;
    const due = dueOf(this.held, spec);
    this.isLate = due !== undefined && due < now.mono;
    this.graceUntil = now.mono + START_GRACE;
    this.wakeWindows(waking);
    const edges = parseRow<{ m: string; e: never }>(waking, `pat:${key}`);
    const isSoon = now.wall - (waking.downSince ?? now.wall) <= START_GRACE;
    if (edges?.m === meaning) this.pattern?.load(edges.e, mappingAt(now), isSoon);
    this.isSuppressed = this.desk.active(key)?.mute === 'suppressed';
    this.flaps?.wake(waking);
  }

  /** when it must be looked at though nothing comes */
  due(now: Instant): number | undefined {
    const { spec } = this.unit;
    const judged = dueOf(this.held, spec);
    const late = judged !== undefined && this.isLate && !this.isAllRead() ? Math.max(judged, this.graceUntil) : judged;
    return least([late, this.flaps?.until, this.nextHeld(now), this.nextChange(now)]);
  }

  /** A happening of a pattern. */
  happen(part: number, source: number, t: number, value: Parameters<Pattern['take']>[3], step: Step): void {
    const before = this.pattern?.edgesSeen;
    const match = this.pattern?.take(part, source, t, value, step.now.mono >= this.graceUntil);
    const { pattern = [] } = this.unit;
    if (this.pattern?.edgesSeen !== before)
      for (const row of this.patternRows(step.now)) step.emit({ kind: 'state', row });
    if (match === undefined) return;
    match.forEach((from, i) => {
      const sources = pattern[i]?.sources;
      const device = sources?.kind === 'points' ? sources.points[from]?.device : undefined;
      if (device !== undefined) this.matched.set(pattern[i]?.name ?? '', device);
    });
    this.hasMatched = true;
  }

  override rows(now: Instant): StateRow[] {
    const { key, meaning } = this.unit;
    const held = saveHeld(meaning, this.held, this.waits, now);
    const mine = held === null ? [] : [{ key: `rule:${key}`, body: JSON.stringify(held) }];
    const flaps = this.flaps?.rows(mappingAt(now)) ?? [];
    return [...super.rows(now), ...this.patternRows(now), ...flaps, ...mine];
  }

  evaluate(step: Step): void {
    this.holdFor(this.heldFor(step.now) / 1000);
    this.refresh(step);
    this.suppress(step);
    if (this.unit.pattern !== undefined && this.hasMatched) {
      this.hasMatched = false;
      const holds = this.unit.when === undefined || this.truth(this.unit.when, step.now) === true;
      const when = holds && this.isOpen(step.now);
      this.judgeOnce({ when, clear: !when }, step);
    }
    this.judgeOnce(this.seen(step), step);
    this.cause = undefined;
  }

  /** A late value: the condition was not so at `t`. */
  contradict(t: number, step: Step): void {
    const before = this.held;
    this.held = against(before, this.unit.spec, step.now.mono, t);
    if (this.held === before) return;
    this.save(step);
    if (isActive(before.phase) && !isActive(this.held.phase)) this.desk.clear(this.unit.key, 'late-evidence', step);
  }

  /** Something that happened earlier, and whose time is over: raised, and cleared by what holds now. */
  recall(step: Step): void {
    if (this.held.phase === 'off' && this.unit.spec.forMs === 0) this.judgeOnce({ when: true, clear: false }, step);
  }

  save(step: Step): void {
    step.state(`rule:${this.unit.key}`, saveHeld(this.unit.meaning, this.held, this.waits, step.now));
  }

  /** The wall clock is known now: a timer that went on from before the restart gets the time off, once. */
  countTimeOff(step: Step): void {
    const { waits, held } = this;
    if (waits !== undefined) {
      const since = Math.min(held.since, step.now.mono - Math.max(0, step.now.wall - waits));
      // Time off is unknown time, and those timers stand in it.
      if (this.unit.spec.unknown !== 'pause')
        this.held = { ...held, since, unseen: held.unseen + (held.since - since) };
      this.waits = undefined;
    }
    if (this.held.phase !== 'off') this.save(step);
  }

  phase(): string {
    return this.held.phase;
  }

  /** ms the condition has been true */
  private heldFor(now: Instant): number {
    return this.held.phase === 'off' ? 0 : now.mono - this.held.since;
  }

  /** Where a condition or the level asks how long, time alone changes it: at whole seconds, later whole minutes. */
  private nextHeld(now: Instant): number | undefined {
    if (!this.asksHeld || this.held.phase === 'off') return undefined;
    const ms = this.heldFor(now);
    const grain = ms < 3_600_000 ? 1000 : 60_000;
    return now.mono + grain - (ms % grain);
  }

  private patternRows(now: Instant): StateRow[] {
    const { key, meaning } = this.unit;
    if (this.pattern === undefined) return [];
    return [{ key: `pat:${key}`, body: JSON.stringify({ m: meaning, e: this.pattern.save(mappingAt(now)) }) }];
  }

  private judgeOnce(given: Seen, step: Step): void {
    const { spec, key } = this.unit;
    const { now } = step;
    const seen = this.flap(given, step);
    const before = this.held;
    const wasLate = this.isLate;
    const judged = judge(before, seen, spec, now.mono, this.cause?.t);
    this.held = judged.held;
    if (judged.held.phase !== before.phase) {
      this.isLate = false;
      this.save(step);
    }
    if (judged.happened === 'raised') {
      const isUncertain = judged.uncertain || this.isUncertain(this.unit.when);
      this.desk.raise(this.circumstances(isUncertain, judged.observed, wasLate, step), step);
    } else if (judged.happened === 'cleared') this.desk.clear(key, this.isChanged ? 'rule-changed' : undefined, step);
    else this.checkLevel(step);
    if (this.flaps?.until !== undefined) this.markFlapping(step);
    if (seen.when !== undefined) this.isChanged = false;
  }

  private seen(step: Step): Seen {
    const { unit, held } = this;
    const { now } = step;
    if (unit.pattern !== undefined) return { when: false, clear: true };
    const truth = unit.when === undefined ? undefined : this.truth(unit.when, now);
    const isWaiting = held.phase === 'off' || held.phase === 'pending';
    const when = isWaiting && !this.isOpen(now) ? false : truth;
    const clear = unit.clear === undefined ? (when === undefined ? undefined : !when) : this.truth(unit.clear, now);
    return { when, clear };
  }

  private isOpen(now: Instant): boolean {
    const { level } = this.unit.spec;
    if (!now.synced && (level === 'red' || level === 'orange')) return true;
    return this.isGateOpen(now);
  }

  private suppress(step: Step): void {
    const { unless, key } = this.unit;
    if (unless === undefined) return;
    const truth = this.truth(unless, step.now);
    // Unknown is no reason to be silent, but for what just was not read yet.
    if (step.now.mono < this.graceUntil && !this.isRead(unless)) return;
    const isTrue = truth === true;
    if (isTrue === this.isSuppressed) return;
    this.isSuppressed = isTrue;
    this.desk.suppressionChanged(key, step);
  }

  /** While it flaps, the condition is taken to hold. */
  private flap(seen: Seen, step: Step): Seen {
    const { flaps } = this;
    if (flaps === undefined) return seen;
    const change = flaps.see(seen.when, step);
    if (change === 'began' && this.unit.spec.mode !== 'shadow')
      this.desk.raise(flapping(this.circumstances(false, 1, false, step), flaps.edges), step);
    if (change === 'ended') this.endFlapping(step);
    return flaps.until === undefined ? seen : { when: true, clear: false };
  }

  private markFlapping(step: Step): void {
    const open = this.desk.active(this.unit.key);
    if (open !== undefined && open.flapping !== true)
      this.desk.change(alarms.changed('updated', open, { flapping: true }, step.now), step);
  }

  private endFlapping(step: Step): void {
    const open = this.desk.active(this.unit.key);
    if (open?.flapping === true) {
      const { flapping: _, ...rest } = open;
      this.desk.change(alarms.changed('updated', rest, {}, step.now), step);
    }
    this.desk.clear(`${FLAPPING}/${this.unit.key}`, undefined, step);
  }

  private checkLevel(step: Step): void {
    const { level, key } = this.unit;
    const open = this.desk.active(key);
    if (typeof level === 'string' || open === undefined || this.held.phase !== 'on') return;
    const now = this.levelNow(step.now);
    if (now === undefined || now === open.level) return;
    this.desk.change(alarms.relevel(open, now, this.values(step.now), step.now), step);
  }

  /** An expression that gives no level of ours is taken for the gravest: too loud is safer than silent. */
  private levelNow(now: Instant): Level | undefined {
    const { level } = this.unit;
    if (typeof level === 'string') return level;
    const value = this.value(level, now);
    return value === undefined ? undefined : (LEVELS.find((l) => l === value) ?? 'red');
  }

  private values(now: Instant): JsonObject {
    const values: Record<string, boolean | number | string> = {};
    this.holdFor(this.heldFor(now) / 1000);
    for (const { name, expression } of this.unit.text.parts) {
      const value = this.value(expression, now);
      const told = typeof value === 'number' ? feedNumber(value) : value;
      if (told !== undefined) values[name] = told;
    }
    return values;
  }

  private circumstances(isUncertain: boolean, observed: number, firedLate: boolean, step: Step): alarms.Circumstances {
    const { unit } = this;
    const { now } = step;
    return {
      key: unit.key,
      rule: unit.spec.id,
      instance: unit.id,
      ruleset: this.ruleset,
      level: this.levelNow(now) ?? 'red',
      name: unit.spec.name,
      text: unit.text.template,
      values: this.values(now),
      classes: unit.text.classes,
      act: unit.spec.act,
      theme: unit.spec.theme,
      device: unit.device,
      zone: unit.zone,
      quality: isUncertain ? 'uncertain' : 'good',
      observed,
      firedLate,
      late: this.cause?.late === true,
      latch: unit.spec.latch,
      why: { since: Math.round(now.wall - (now.mono - this.held.since)), inputs: this.inputs(now) },
    };
  }
}
