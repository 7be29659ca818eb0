/** One statistic at work: its sources, the window that runs, and the one before it until nothing can come for it any more. */
import type { Alarm } from '../../base/alarm.ts';
import type { Calendar } from '../../base/calendar.ts';
import type { EventDraft } from '../../base/event.ts';
import { canonical, feedNumber, type Json, type JsonObject } from '../../base/json.ts';
import { type Instant, isoTime } from '../../base/time.ts';
import type { CompiledStat } from './compile.ts';
import { Source, type Span, type Windows } from './source.ts';
import { withheld } from './suppress.ts';
import { type GroupValue, groupValue } from './values.ts';

/** readings of a window's last moment are still on their way when it ends */
const GRACE = 5000;
/** what comes late mostly comes in a row */
const REVISE_AFTER = 60_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;
/** a state is written down this many times a window, not more often than each minute and at least each hour */
const SAVES = 4;
/** windows that ended while nobody looked are gone through one by one up to this many */
const MOST_ROLLS = 3;

interface Window extends Span {
  /** ms the gateway looked */
  looked: number;
  /** alarms, by what they are counted by */
  counts: Record<string, number>;
  /** newest revision and body, by group */
  told: Record<string, readonly [number, string]> | undefined;
}

export type Saved = { readonly v: 1; readonly meaning: string; readonly at: number; readonly [key: string]: Json };

export class StatRun {
  readonly stat: CompiledStat;
  /** something is to be written down */
  isDirty = false;
  private readonly sources: readonly Source[];
  private readonly calendar: Calendar;
  private readonly waitMs: number;
  private readonly saveMs: number;
  private running: Window;
  private before: Window | undefined;
  /** wall ms up to which `looked` is counted */
  private lookedTo: number;
  private touchedAt: number | undefined;
  private saveAt: number;
  private readonly windows: Windows;

  constructor(stat: CompiledStat, calendar: Calendar, wall: number) {
    const { everyMs } = stat.model;
    this.stat = stat;
    this.calendar = calendar;
    this.sources = stat.sources.map((facts) => new Source(facts));
    // A second telling of a personal window would give away whose data came late: it is told once, when they had their time.
    this.waitMs = stat.isPersonal ? Math.min(everyMs, HOUR) : GRACE;
    this.saveMs = Math.min(HOUR, Math.max(MINUTE, everyMs / SAVES));
    this.running = this.windowAt(wall);
    this.lookedTo = wall;
    this.saveAt = wall + this.saveMs;
    this.windows = { running: this.running, before: undefined, touched: false };
  }

  take(source: number, t: number, value: number | undefined, isGood: boolean, wall: number): void {
    this.sources[source]?.take(t, value, isGood, this.spans());
    // Of a window that is still to be told, anything may change.
    if (this.windows.touched && this.before?.told !== undefined && !this.stat.isPersonal) this.touchedAt ??= wall;
  }

  count(alarm: Alarm): void {
    const { of, by } = this.stat.model;
    if (of.kind !== 'alarms') return;
    const { level, rule, theme = 'none' } = alarm;
    const isMeant =
      of.level?.includes(level) !== false && of.rule?.includes(rule) !== false && of.theme?.includes(theme) !== false;
    if (!isMeant) return;
    const key = by === 'rule' ? rule : by === 'theme' ? theme : by === 'level' ? level : 'alarms';
    this.running.counts[key] = (this.running.counts[key] ?? 0) + 1;
    this.isDirty = true;
  }

  /** Everything that is due by now. */
  advance(now: Instant): EventDraft[] {
    const events: EventDraft[] = [];
    for (let rolls = 1; now.wall >= this.running.until; rolls++) this.roll(now, events, rolls >= MOST_ROLLS);
    const { before, touchedAt } = this;
    const isTime = before?.told === undefined && before !== undefined && now.wall >= before.until + this.waitMs;
    if (isTime || (touchedAt !== undefined && now.wall >= touchedAt + REVISE_AFTER)) events.push(...this.tell(now));
    if (now.wall >= this.saveAt) this.isDirty = true;
    return events;
  }

  /** wall ms */
  due(): number {
    const { running, before, touchedAt, saveAt } = this;
    return Math.min(
      running.until,
      saveAt,
      before !== undefined && before.told === undefined ? before.until + this.waitMs : running.until,
      touchedAt === undefined ? running.until : touchedAt + REVISE_AFTER,
    );
  }

  /** Nobody looked in between. */
  pause(from: number, until: number): void {
    for (const source of this.sources) source.pause(from, until, this.spans());
    this.look(from);
    this.lookedTo = until;
  }

  /** The clock went back: what was booked by it is not to be believed. Windows told already are not told again. */
  reset(wall: number): void {
    const told = this.before?.told === undefined ? this.running.from : this.before.until;
    for (const source of this.sources) source.reset(wall);
    this.before = undefined;
    this.touchedAt = undefined;
    this.running = this.windowAt(wall);
    if (this.running.from < told) this.running.told = {};
    this.lookedTo = wall;
    this.saveAt = wall + this.saveMs;
  }

  save(wall: number): Saved {
    this.look(wall);
    this.saveAt = wall + this.saveMs;
    this.isDirty = false;
    const sources = this.sources.map((s) => [s.facts.key, s.save()] as const);
    return {
      v: 1,
      meaning: this.stat.meaning,
      at: wall,
      running: saveWindow(this.running),
      before: this.before === undefined ? [] : saveWindow(this.before),
      touched: this.touchedAt ?? 0,
      sources: Object.fromEntries(sources),
    };
  }

  /** @returns false when the numbers of old mean something else */
  load(saved: Saved): boolean {
    if (saved.v !== 1 || saved.meaning !== this.stat.meaning) return false;
    const running = loadWindow(saved.running as Json[]);
    if (running === undefined) return false;
    this.running = running;
    this.before = loadWindow(saved.before as Json[]);
    this.touchedAt = saved.touched === 0 ? undefined : Number(saved.touched);
    this.lookedTo = saved.at;
    this.saveAt = saved.at + this.saveMs;
    const sources = saved.sources as JsonObject;
    for (const source of this.sources) {
      const own = sources[source.facts.key];
      if (own !== undefined) source.load(own);
    }
    return true;
  }

  private windowAt(wall: number): Window {
    const [from, until] = this.calendar.period(wall, this.stat.model.everyMs);
    return { from, until, looked: 0, counts: {}, told: undefined };
  }

  private spans(): Windows {
    const { windows, running, before } = this;
    if (windows.running === running && windows.before === before) windows.touched = false;
    else Object.assign(windows, { running, before, touched: false });
    return windows;
  }

  private look(until: number): void {
    this.running.looked += Math.max(0, until - Math.max(this.lookedTo, this.running.from));
    this.lookedTo = Math.max(this.lookedTo, until);
  }

  private roll(now: Instant, events: EventDraft[], isFar: boolean): void {
    const { until } = this.running;
    for (const source of this.sources) source.settle(until, this.spans());
    this.look(until);
    if (this.before?.told === undefined || this.touchedAt !== undefined) events.push(...this.tell(now));
    for (const source of this.sources) source.roll();
    this.before = this.running;
    this.running = this.windowAt(isFar ? now.wall : until);
    this.isDirty = true;
  }

  /** Events for every group whose body is another than the one told last. */
  private tell(now: Instant): EventDraft[] {
    const { before, touchedAt } = this;
    this.touchedAt = undefined;
    if (before === undefined || (before.told !== undefined && touchedAt === undefined)) return [];
    for (const source of this.sources) source.settle(before.until, this.spans());
    const told = { ...before.told };
    const events: EventDraft[] = [];
    for (const [group, body] of this.bodies(before)) {
      const text = canonical(body);
      const [rev = 0, last] = told[group] ?? [];
      if (text === last) continue;
      told[group] = [rev + 1, text];
      events.push(this.draft(group, before, { ...body, rev: rev + 1 }, now));
    }
    before.told = told;
    this.isDirty = true;
    return events;
  }

  private draft(subject: string, { until }: Window, data: JsonObject, now: Instant): EventDraft {
    const at = { wall: until, mono: now.mono - (now.wall - until), synced: now.synced };
    // The end of a window is no name: elsewhere `to` may be somebody.
    return { kind: 'stat.computed', subject, at, data, classes: { to: 'none' } };
  }

  private bodies(window: Window): (readonly [string, JsonObject])[] {
    const { model, groups, atLeast, isPersonal, unit } = this.stat;
    const length = window.until - window.from;
    const head = { stat: model.id, from: isoTime(window.from), to: isoTime(window.until) };
    if (model.of.kind === 'alarms') {
      const [group] = groups;
      if (window.looked === 0 || group?.id === undefined) return [];
      const coverage = feedNumber(Math.min(1, window.looked / length)) ?? 0;
      const none = model.by === 'estate' ? { alarms: 0 } : {};
      return [[group.id, { ...head, value: { ...none, ...window.counts }, coverage }]];
    }
    const values = groups.map((g) => groupValue(this.stat, this.sharesOf(g.sources), length));
    // Neither the gateway nor any device looked: there is nothing to tell, not even that nothing was known.
    if (window.looked === 0 && values.every((v) => v.n === 0 && v.coverage === 0)) return [];
    const out = isPersonal
      ? withheld(
          groups.map((g, i) => candidate(g, values[i])),
          atLeast,
        )
      : new Set<number>();
    return groups.flatMap(({ id }, i): (readonly [string, JsonObject])[] => {
      const found = values[i];
      if (id === undefined || found === undefined) return [];
      const k = atLeast > 1 ? { k: atLeast } : {};
      if (out.has(i) || (found.n > 0 && found.n < atLeast)) return [[id, { ...head, ...k, suppressed: true }]];
      const { value, n, coverage } = found;
      const units = unit === undefined ? {} : { unit };
      return [[id, { ...head, value, n, ...k, coverage, ...units }]];
    });
  }

  private sharesOf(sources: readonly number[]) {
    return sources.flatMap((i) => this.sources[i]?.before ?? []);
  }
}

const candidate = (group: CompiledStat['groups'][number], value: GroupValue | undefined) => ({
  around: group.around,
  n: value?.n ?? 0,
  cells: value?.cells ?? [],
  isHidden: group.id === undefined,
});

function saveWindow({ from, until, looked, counts, told }: Window): Json[] {
  return [from, until, looked, counts, ...(told === undefined ? [] : [told])];
}

function loadWindow([from, until, looked, counts, told]: readonly Json[]): Window | undefined {
  if (typeof from !== 'number' || typeof until !== 'number') return undefined;
  return {
    from,
    until,
    looked: Number(looked),
    counts: { ...(counts as Record<string, number>) },
    told: told as Window['told'],
  };
}
