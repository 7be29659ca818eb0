/** A window that speaks once a period, at local clock times: tumbling (`every` alone) or hopping (`every` and `over`). */

import type { Calendar } from '../../base/calendar.ts';
import type { Json } from '../../base/json.ts';
import type { Value } from '../../base/reading.ts';
import type { Instant } from '../../base/time.ts';
import type { Mapping, Operator, Sample } from './operator.ts';
import type { Sliding } from './sliding.ts';

export class Periodic implements Operator {
  closed = 0;
  private readonly inner: Sliding;
  private readonly everyMs: number;
  private readonly isTumbling: boolean;
  private readonly calendar: Calendar;
  /** wall ms of the running period's end */
  private until: number | undefined;
  private value: Value | undefined;
  private end: { t: number; value: Value | undefined } | undefined;

  constructor(inner: Sliding, everyMs: number, isTumbling: boolean, calendar: Calendar) {
    this.inner = inner;
    this.everyMs = everyMs;
    this.isTumbling = isTumbling;
    this.calendar = calendar;
  }

  take(sample: Sample, now: Instant): void {
    this.turn(now);
    this.inner.take(sample, now);
  }

  read(now: Instant): Value | undefined {
    this.turn(now);
    return this.value;
  }

  next(now: Instant): number | undefined {
    this.turn(now);
    return this.until === undefined ? undefined : now.mono + (this.until - now.wall);
  }

  ended(): { t: number; value: Value | undefined } | undefined {
    const { end } = this;
    this.end = undefined;
    return end;
  }

  save(mapping: Mapping): Json {
    const value = this.value === undefined ? [] : [this.value];
    return { i: this.inner.save(mapping), v: value, u: this.until ?? 0 };
  }

  load(saved: Json, mapping: Mapping): void {
    const { i, v, u } = saved as { i: Json; v: Value[]; u: number };
    this.inner.load(i, mapping);
    this.value = v[0];
    this.until = u === 0 ? undefined : u;
  }

  shift(ms: number, before: number): void {
    this.inner.shift(ms, before);
  }

  /** Ends the periods that are over. Of several missed ones only the last can have been seen. */
  private turn(now: Instant): void {
    this.until ??= this.calendar.periodStart(now.wall, this.everyMs) + this.everyMs;
    if (now.wall < this.until) return;
    const t = now.mono - (now.wall - this.until);
    const at: Instant = { wall: this.until, mono: t, synced: now.synced };
    const isMissed = now.wall >= this.until + this.everyMs;
    this.inner.settle(t, at);
    this.value = isMissed ? undefined : this.inner.read(at);
    if (this.isTumbling) this.inner.clear();
    this.end = { t, value: this.value };
    this.closed++;
    this.until = this.calendar.periodStart(now.wall, this.everyMs) + this.everyMs;
  }
}
