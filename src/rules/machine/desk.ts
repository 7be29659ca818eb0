/**
 * The alarm desk: at most one open alarm per key, and everything that is done about it (rules.md 5.6 to 5.8).
 *
 * An alarm goes out before anything is switched because of it. Muted alarms are kept and published, and call nobody. What a raise switches is
 * switched once per raise; what a muted, late or replayed raise would have switched is not. Rules in shadow have a desk of their own whose
 * effects are only told.
 */
import { type Alarm, isCalled } from '../../base/alarm.ts';
import type { Media } from '../../base/media.ts';
import type { Answer } from '../../base/rules.ts';
import type { Instant } from '../../base/time.ts';
import type { CompiledAction } from '../compile/output.ts';
import type { EscalationStep } from '../language/action.ts';
import type { Acts } from './acts.ts';
import * as alarms from './alarms.ts';
import { type Anchor, type SavedAnchor, saveAnchor, wakeAnchor } from './anchor.ts';
import { type Clockwork, parseRow, type Step, type Timed, type Waking } from './context.ts';
import { Flood } from './flood.ts';
import { LADDER, Ladder } from './ladder.ts';
import { Mutes } from './mutes.ts';
import { flood } from './no-data.ts';

const REARM = 'rearm:';
const SHELVE = 8 * 3_600_000;
/** pictures an alarm names; the newest */
const MOST_MEDIA = 8;
const MAX_MAINTENANCE = 24 * 3_600_000;

/** What a rule says about its alarms. */
export interface Book {
  readonly isShadow: boolean;
  readonly do: readonly CompiledAction[];
  readonly undo: readonly CompiledAction[];
  readonly escalate: readonly EscalationStep[];
  readonly untilClear: boolean;
  readonly rearmMs: number;
  /** undefined = never */
  readonly shelveMs?: number | undefined;
}

export const PLAIN: Book = {
  isShadow: false,
  do: [],
  undo: [],
  escalate: [],
  untilClear: false,
  rearmMs: 0,
  shelveMs: SHELVE,
};

/** What the desk asks of the world around it. */
export interface DeskWorld {
  readonly ruleset: string;
  book(key: string): Book;
  deviceOf(key: string, name: string): string | undefined;
  isSuppressed(key: string): boolean;
  /** the zone and the places around it */
  placesAround(zone: string | undefined): readonly string[];
  /** a rule has, or has no longer, an active alarm */
  activeChanged(rule: string, instance: string): void;
}

export class Desk {
  readonly open = new Map<string, Alarm>();
  readonly mutes: Mutes;
  private readonly shadows = new Map<string, Alarm>();
  private readonly closed = new Map<string, Closed>();
  private readonly ladders = new Map<string, Ladder>();
  private readonly flood: Flood;
  private readonly world: DeskWorld;
  private readonly wheel: Clockwork;
  private readonly acts: Acts;

  constructor(world: DeskWorld, wheel: Clockwork, acts: Acts) {
    this.world = world;
    this.wheel = wheel;
    this.acts = acts;
    this.mutes = new Mutes(wheel, (what, step) => this.muteChanged(what, step));
    this.flood = new Flood((count, step) => this.flooded(count, step), wheel);
  }

  wake(open: readonly Alarm[], waking: Waking): void {
    for (const alarm of open) this.open.set(alarm.key, alarm);
    this.mutes.wake(waking);
    this.flood.wake(waking, this.open.get('flood/site')?.condition === 'active');
    for (const row of waking.states.keys()) {
      if (row.startsWith(LADDER)) this.wakeLadder(row.slice(LADDER.length), waking);
      else if (row.startsWith(REARM)) this.wakeClosed(row.slice(REARM.length), waking);
    }
  }

  /** Wakes what only concerns rules that are no longer there. */
  forget(isKnown: (key: string) => boolean, step: Step): void {
    for (const alarm of [...this.open.values()])
      if (!isKnown(alarm.key)) this.settle(alarms.clear(alarm, step.now, 'rule-removed'), step);
    for (const [key, ladder] of this.ladders) if (!this.open.has(key)) this.endLadder(ladder, step);
  }

  raise(given: alarms.Circumstances, step: Step): void {
    const book = this.world.book(given.key);
    if (book.isShadow) return this.raiseShadow(given, step);
    const closed = this.closed.get(given.key);
    const known = this.open.get(given.key) ?? closed?.alarm;
    if (closed !== undefined) this.dropClosed(closed, step);
    const isNew = known === undefined;
    const raised = alarms.raise(this.returning(known, book, step.now), given, step.now);
    const isFlood = this.flood.count(raised.alarm, isNew, step);
    const { mute, quiet } = this.muteOf(raised.alarm);
    const told = tellsOf(book).filter(() => mute === 'none' && !isFlood);
    const acts = mute === 'none' && !given.late;
    const alarm: Alarm = {
      ...withoutMute(raised.alarm),
      mute,
      ...(acts ? { acted: true } : {}),
      ...(quiet === undefined
        ? {}
        : {
            by: quiet.by,
            muteReason: quiet.reason,
            muteUntil: Math.round(step.now.wall + quiet.until.mono - step.now.mono),
          }),
      ...(isFlood ? { flood: true } : {}),
      ...(told.length === 0 ? {} : { told: union(raised.alarm.told, told) }),
    };
    this.settle({ transition: 'raised', alarm }, step);
    if (mute !== 'none') return;
    if (acts) this.actOn(alarm, book, isFlood ? 'tell-not' : 'all', step);
    if (!isFlood && alarm.ack !== 'acked') this.startLadder(alarm, book, step);
  }

  clear(key: string, reason: string | undefined, step: Step): void {
    const shadow = this.shadows.get(key);
    if (shadow !== undefined) {
      this.shadows.delete(key);
      return step.emit({ kind: 'shadow', ...alarms.clear(shadow, step.now, reason) });
    }
    const open = this.open.get(key);
    if (open?.condition !== 'active') return;
    const book = this.world.book(key);
    const cleared = alarms.clear(open, step.now, reason);
    this.settle(cleared, step);
    if (open.acted === true)
      this.acts.carryOut(book.undo, cleared.alarm, 'cleared', (name) => this.world.deviceOf(key, name), step);
    this.endLadder(this.ladders.get(key), step);
  }

  /** The alarm as the rule sees it now, live or in shadow. */
  active(key: string): Alarm | undefined {
    const alarm = this.shadows.get(key) ?? this.open.get(key);
    return alarm?.condition === 'active' ? alarm : undefined;
  }

  change(next: alarms.Step, step: Step): void {
    if (this.shadows.has(next.alarm.key)) {
      this.shadows.set(next.alarm.key, next.alarm);
      return step.emit({ kind: 'shadow', ...next });
    }
    this.settle(next, step);
  }

  /** @param rev the revision the person saw; the newest when left out */
  ack(aid: string, by: string, rev: number | undefined, step: Step): Answer {
    const alarm = this.find(aid);
    if (alarm === undefined) return unknown(aid);
    if (rev !== undefined && (rev > alarm.rev || rev < (alarm.asks ?? 1)))
      return refused('alarms.moved_on', { aid: alarm.aid, rev });
    if (alarm.ack === 'acked') return refused('alarms.acked_already', { aid: alarm.aid, by: alarm.by ?? '?' });
    const acked = alarms.acknowledge(alarm, by, step.now);
    this.settle(acked, step);
    if (!this.world.book(alarm.key).untilClear || acked.alarm.condition === 'cleared')
      this.endLadder(this.ladders.get(alarm.key), step);
    if (alarms.isDone(acked.alarm)) this.settle(alarms.close(acked.alarm, step.now), step);
    return { ok: true, alarm: this.open.get(alarm.key) ?? acked.alarm };
  }

  reset(aid: string, by: string, step: Step): Answer {
    const alarm = this.find(aid);
    if (alarm === undefined) return unknown(aid);
    if (alarm.latched !== true) return refused('alarms.not_latched', { aid: alarm.aid });
    if (alarm.condition === 'active') return refused('alarms.still_active', { aid: alarm.aid, name: alarm.name });
    const closed = alarms.close(alarm, step.now, by);
    this.settle(closed, step);
    this.endLadder(this.ladders.get(alarm.key), step);
    return { ok: true, alarm: closed.alarm };
  }

  shelve(aid: string, by: string, reason: string, forMs: number, step: Step): Answer {
    const alarm = this.find(aid);
    if (alarm === undefined) return unknown(aid);
    const most = this.world.book(alarm.key).shelveMs;
    if (most === undefined) return refused('alarms.never_shelved', { name: alarm.name });
    if (forMs > most || forMs <= 0) return refused('alarms.shelved_too_long', { hours: most / 3_600_000 });
    this.mutes.begin(true, alarm.key, by, reason, forMs, step);
    return { ok: true, alarm: this.open.get(alarm.key) ?? alarm };
  }

  unshelve(aid: string, step: Step): Answer {
    const alarm = this.find(aid);
    if (alarm === undefined) return unknown(aid);
    if (!this.mutes.end(true, alarm.key, step)) return refused('alarms.not_shelved', { aid: alarm.aid });
    return { ok: true, alarm: this.open.get(alarm.key) ?? alarm };
  }

  maintain(what: string, by: string, reason: string, forMs: number, step: Step): Answer {
    if (forMs <= 0 || forMs > MAX_MAINTENANCE)
      return refused('alarms.maintained_too_long', { hours: MAX_MAINTENANCE / 3_600_000 });
    this.mutes.begin(false, what, by, reason, forMs, step);
    return { ok: true, id: what };
  }

  maintained(what: string, step: Step): Answer {
    return this.mutes.end(false, what, step) ? { ok: true, id: what } : refused('alarms.not_maintained', { what });
  }

  /** Suppression began or ended. */
  suppressionChanged(key: string, step: Step): void {
    this.reviewMute(key, step);
  }

  /** A picture taken because of an alarm is there. */
  pictured(aid: string, media: Media, step: Step): void {
    const alarm = [...this.open.values()].find((one) => one.aid === aid);
    if (alarm === undefined) return;
    const all = [...(alarm.media ?? []), media].slice(-MOST_MEDIA);
    this.settle(alarms.changed('updated', alarm, { media: all }, step.now), step);
  }

  unreachable(aid: string, step: Step): void {
    for (const ladder of this.ladders.values()) if (ladder.aid === aid) return ladder.pull(step);
  }

  countTimeOff(now: Instant): void {
    this.mutes.countTimeOff(now);
    for (const ladder of this.ladders.values()) ladder.countTimeOff(now);
  }

  find(aid: string): Alarm | undefined {
    const byKey = this.open.get(aid);
    if (byKey !== undefined) return byKey;
    const matching = [...this.open.values()].filter((a) => isCalled(a, aid));
    return matching.length === 1 ? matching[0] : undefined;
  }

  private raiseShadow(given: alarms.Circumstances, step: Step): void {
    const raised = alarms.raise(this.shadows.get(given.key), given, step.now);
    this.shadows.set(given.key, raised.alarm);
    step.emit({ kind: 'shadow', ...raised });
  }

  /** An acknowledgement is for this time: what returns after `rearm` asks for a new one. */
  private returning(known: Alarm | undefined, { rearmMs }: Book, now: Instant): Alarm | undefined {
    if (known?.ack !== 'acked' || known.cleared === undefined) return known;
    return now.wall - known.cleared > rearmMs ? { ...known, ack: 'unacked', asks: known.rev + 1 } : known;
  }

  private settle({ transition, alarm }: alarms.Step, step: Step): void {
    const { key } = alarm;
    const wasActive = this.open.get(key)?.condition === 'active';
    if (alarm.open) this.open.set(key, alarm);
    else this.open.delete(key);
    const isTest = alarm.mute === 'maintenance';
    step.emit({ kind: 'alarm', transition, alarm, ...(isTest ? { test: true } : {}) });
    const isActive = alarm.open && alarm.condition === 'active';
    if (wasActive !== isActive) this.world.activeChanged(alarm.rule, alarm.instance);
    const { rearmMs } = this.world.book(key);
    if (!alarm.open && rearmMs > 0 && alarm.reason !== 'rule-removed') this.keepClosed(alarm, rearmMs, step);
  }

  private actOn(alarm: Alarm, book: Book, which: 'all' | 'tell' | 'tell-not', step: Step): void {
    this.acts.carryOut(book.do, alarm, 'raised', (name) => this.world.deviceOf(alarm.key, name), step, which);
  }

  private muteOf(alarm: Alarm) {
    const words = [alarm.device ?? '', alarm.rule, alarm.key, ...this.world.placesAround(alarm.zone)];
    return this.mutes.of(alarm.key, words, this.world.isSuppressed(alarm.key));
  }

  private muteChanged(what: Parameters<ConstructorParameters<typeof Mutes>[1]>[0], step: Step): void {
    if ('shelf' in what) return this.reviewMute(what.shelf, step);
    for (const key of [...this.open.keys()]) this.reviewMute(key, step);
  }

  private reviewMute(key: string, step: Step): void {
    const alarm = this.open.get(key);
    if (alarm === undefined) return;
    const { mute, quiet } = this.muteOf(alarm);
    const until = quiet === undefined ? undefined : step.now.wall + quiet.until.mono - step.now.mono;
    const isSameEnd = Math.abs((until ?? 0) - (alarm.muteUntil ?? 0)) < 1000;
    if (mute === alarm.mute && quiet?.reason === alarm.muteReason && isSameEnd) return;
    const next = alarms.muted(
      alarm,
      {
        mute,
        ...(quiet === undefined ? {} : { by: quiet.by, reason: quiet.reason }),
        ...(until === undefined ? {} : { until }),
      },
      step.now,
    );
    this.settle(next, step);
    if (mute !== 'none') return this.endLadder(this.ladders.get(key), step);
    if (next.alarm.condition !== 'active' || next.alarm.ack === 'acked') return;
    // Heard again: people are told now. Nothing is switched for a raise that is long past.
    this.actOn(next.alarm, this.world.book(key), 'tell', step);
    this.startLadder(next.alarm, this.world.book(key), step);
  }

  private startLadder(alarm: Alarm, { escalate }: Book, step: Step): void {
    if (escalate.length === 0 || this.ladders.get(alarm.key)?.aid === alarm.aid) return;
    this.endLadder(this.ladders.get(alarm.key), step);
    const ladder = new Ladder(alarm.key, alarm.aid, escalate, { mono: step.now.mono }, this.wheel, this.told);
    this.ladders.set(alarm.key, ladder);
    ladder.fire(step);
  }

  private endLadder(ladder: Ladder | undefined, step: Step): void {
    if (ladder === undefined) return;
    ladder.end(step);
    this.ladders.delete(ladder.key);
  }

  private wakeLadder(key: string, waking: Waking): void {
    const { escalate } = this.world.book(key);
    const ladder = Ladder.wake(key, escalate, waking, this.wheel, this.told);
    if (ladder !== undefined) this.ladders.set(key, ladder);
  }

  private readonly told = (key: string, to: readonly string[], n: number, step: Step): void => {
    const alarm = this.open.get(key);
    if (alarm === undefined) return;
    const next = alarms.changed('escalated', alarm, { told: union(alarm.told, to) }, step.now);
    this.settle(next, step);
    for (const name of to) {
      const act = { do: 'tell', to: name } as const;
      const key_ = `${alarm.aid}/escalated/${n}.${name}`;
      this.acts.give(
        { key: key_, step: act, leaves: false, at: step.now.wall, level: alarm.level, alarm: next.alarm },
        step,
      );
    }
  };

  private flooded(count: number | undefined, step: Step): void {
    if (count === undefined) return this.clear('flood/site', undefined, step);
    this.raise(flood(this.world.ruleset, count), step);
  }

  private keepClosed(alarm: Alarm, rearmMs: number, step: Step): void {
    const until: Anchor = { mono: step.now.mono + rearmMs };
    this.putClosed(new Closed(alarm, until, (closed, at) => this.dropClosed(closed, at)));
    step.state(REARM + alarm.key, { alarm, until: saveAnchor(until, step.now) });
  }

  private putClosed(closed: Closed): void {
    this.closed.set(closed.alarm.key, closed);
    this.wheel.set(closed, closed.until.mono);
  }

  private dropClosed(closed: Closed, step: Step): void {
    this.closed.delete(closed.alarm.key);
    this.wheel.set(closed, undefined);
    step.state(REARM + closed.alarm.key, null);
  }

  private wakeClosed(key: string, waking: Waking): void {
    const saved = parseRow<{ alarm: Alarm; until: SavedAnchor }>(waking, REARM + key);
    if (saved === undefined) return;
    const until = wakeAnchor(saved.until, waking.now, waking.downSince);
    this.putClosed(new Closed(saved.alarm, until, (closed, at) => this.dropClosed(closed, at)));
  }
}

/** An alarm that is closed, and comes back as itself for a while. */
class Closed implements Timed {
  readonly alarm: Alarm;
  readonly until: Anchor;
  private readonly over: (closed: Closed, step: Step) => void;

  constructor(alarm: Alarm, until: Anchor, over: (closed: Closed, step: Step) => void) {
    this.alarm = alarm;
    this.until = until;
    this.over = over;
  }

  fire(step: Step): void {
    this.over(this, step);
  }
}

const tellsOf = (book: Book): string[] => book.do.flatMap((a) => (a.do === 'tell' ? [a.to] : []));
const union = (a: readonly string[] | undefined, b: readonly string[]): string[] => [...new Set([...(a ?? []), ...b])];

function withoutMute(alarm: Alarm): Alarm {
  const { muteReason: _, muteUntil: __, flood: ___, acted: ____, ...rest } = alarm;
  return rest;
}

const unknown = (aid: string): Answer => refused('alarms.unknown', { aid });
const refused = (
  code: Extract<Answer, { ok: false }>['code'],
  params: Extract<Answer, { ok: false }>['params'],
): Answer => ({
  ok: false,
  code,
  params,
});
