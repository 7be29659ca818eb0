/**
 * `drift`: how far the last `over` lies from what was usual over `against`, in robust standard deviations. One median an hour is kept. With two
 * weeks or more behind it each hour is compared with the same hour of other days.
 */

import type { Calendar } from '../../base/calendar.ts';
import type { Json } from '../../base/json.ts';
import type { Instant } from '../../base/time.ts';
import { type Mapping, numberOf, type Operator, type Sample } from './operator.ts';
import { median, spread } from './stats.ts';

const HOUR = 3_600_000;
const SEASONAL = 14 * 24 * HOUR;
/** values of the running hour; of more, every second one goes */
const KEPT = 64;

export interface DriftSetup {
  readonly overMs: number;
  readonly againstMs: number;
  readonly need: number;
  readonly calendar: Calendar;
}

interface Hour {
  /** monotonic ms of its beginning */
  t: number;
  readonly hour: number;
  readonly value: number;
}

export class Drift implements Operator {
  closed = 0;
  private readonly setup: DriftSetup;
  private hours: Hour[] = [];
  private running: { t: number; values: number[]; stride: number; skipped: number } | undefined;
  private value: number | undefined;
  private isFresh = false;

  constructor(setup: DriftSetup) {
    this.setup = setup;
  }

  take({ t, value }: Sample, now: Instant): void {
    const x = value === undefined ? Number.NaN : numberOf(value);
    this.turn(t, now);
    if (Number.isNaN(x)) return;
    this.running ??= { t, values: [], stride: 1, skipped: 0 };
    const { running } = this;
    if (++running.skipped < running.stride) return;
    running.skipped = 0;
    running.values.push(x);
    if (running.values.length <= KEPT) return;
    running.values = running.values.filter((_, i) => i % 2 === 0);
    running.stride *= 2;
  }

  read(now: Instant): number | undefined {
    this.turn(now.mono, now);
    if (!this.isFresh) {
      this.value = this.compute(now);
      this.isFresh = true;
    }
    return this.value;
  }

  next(): number | undefined {
    return this.running === undefined ? undefined : this.running.t + HOUR;
  }

  ended(): undefined {
    return undefined;
  }

  save({ toWall }: Mapping): Json {
    const running =
      this.running === undefined ? [] : [toWall(this.running.t), this.running.stride, ...this.running.values];
    return { h: this.hours.map((h) => [toWall(h.t), h.hour, h.value]), r: running };
  }

  load(saved: Json, { toMono }: Mapping): void {
    const { h, r } = saved as { h: [number, number, number][]; r: number[] };
    this.hours = h.map(([wall, hour, value]) => ({ t: toMono(wall), hour, value }));
    const [wall, stride = 1, ...values] = r;
    if (wall !== undefined) this.running = { t: toMono(wall), values, stride, skipped: 0 };
    this.isFresh = false;
  }

  shift(ms: number, before: number): void {
    for (const hour of this.hours) if (hour.t < before) hour.t -= ms;
    if (this.running !== undefined && this.running.t < before) this.running.t -= ms;
    this.isFresh = false;
  }

  private turn(t: number, now: Instant): void {
    const { running } = this;
    if (running === undefined || t < running.t + HOUR) return;
    const value = median(running.values);
    const wall = now.wall - (now.mono - running.t);
    if (value !== undefined) this.hours.push({ t: running.t, hour: this.setup.calendar.hourOf(wall), value });
    const from = now.mono - this.setup.againstMs - this.setup.overMs;
    while ((this.hours[0]?.t ?? Number.POSITIVE_INFINITY) < from) this.hours.shift();
    this.running = undefined;
    this.isFresh = false;
    this.closed++;
  }

  private compute(now: Instant): number | undefined {
    const { overMs, againstMs, need } = this.setup;
    const cut = now.mono - overMs;
    const recent = this.hours.filter((h) => h.t >= cut);
    const base = this.hours.filter((h) => h.t < cut);
    if (recent.length * HOUR < need * overMs || base.length * HOUR < need * (againstMs - overMs)) return undefined;
    const usual = this.usual(base);
    const around = spread(base.map((h) => h.value - usual(h.hour)));
    const now_ = median(recent.map((h) => h.value - usual(h.hour)));
    if (around === undefined || now_ === undefined || around.deviation === 0) return undefined;
    return (now_ - around.middle) / around.deviation;
  }

  private usual(base: readonly Hour[]): (hour: number) => number {
    const all = median(base.map((h) => h.value)) ?? 0;
    if (this.setup.againstMs < SEASONAL) return () => all;
    const by = new Map<number, number>();
    for (let hour = 0; hour < 24; hour++) {
      const middle = median(base.filter((h) => h.hour === hour).map((h) => h.value));
      if (middle !== undefined) by.set(hour, middle);
    }
    return (hour) => by.get(hour) ?? all;
  }
}
