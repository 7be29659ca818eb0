/** Seconds since any of the sources last had the wanted value; while none has been seen to, since the first of them was seen at all. */
import type { Json } from '../../base/json.ts';
import type { Value } from '../../base/reading.ts';
import type { Instant } from '../../base/time.ts';
import type { Mapping, Operator, Sample, SourceFacts } from './operator.ts';

/** how finely the value is followed while nothing comes */
const FINE = 1000;
const COARSE = 60_000;
const FINE_FOR = 3_600_000;

export class Since implements Operator {
  closed = 0;
  private readonly is: Value;
  private readonly sources: readonly SourceFacts[];
  /** monotonic ms */
  private lastTrue: number | undefined;
  private firstSeen: number | undefined;
  private readonly now: (Value | undefined)[];

  constructor(is: Value, sources: readonly SourceFacts[]) {
    this.is = is;
    this.sources = sources;
    this.now = sources.map(() => undefined);
  }

  take({ source, t, value, isOld }: Sample): void {
    if (isOld === true) {
      if (value === this.is) this.lastTrue = Math.max(this.lastTrue ?? t, t);
      return;
    }
    // What was so until now was so until this moment.
    if (this.now[source] === this.is && value !== undefined) this.lastTrue = Math.max(this.lastTrue ?? t, t);
    if (this.sources[source]?.isEvent !== true || value !== undefined) this.now[source] = value;
    if (value === undefined) return;
    this.firstSeen ??= t;
    if (value !== this.is) return;
    this.lastTrue = Math.max(this.lastTrue ?? t, t);
    this.closed++;
  }

  read(now: Instant): number | undefined {
    if (this.sources.length === 0) return undefined;
    if (this.now.every((v) => v === undefined)) return undefined;
    if (this.now.some((v, i) => v === this.is && this.sources[i]?.isEvent !== true)) return 0;
    const from = this.lastTrue ?? this.firstSeen;
    return from === undefined ? undefined : Math.max(0, (now.mono - from) / 1000);
  }

  next(now: Instant): number | undefined {
    const seconds = this.read(now);
    if (seconds === undefined || (seconds === 0 && this.now.includes(this.is))) return undefined;
    // At whole seconds (later minutes) of its own value, so that a restart does not move them.
    const grain = seconds * 1000 < FINE_FOR ? FINE : COARSE;
    return now.mono + grain - ((seconds * 1000) % grain);
  }

  ended(): undefined {
    return undefined;
  }

  save({ toWall }: Mapping): Json {
    const time = (mono: number | undefined): number => (mono === undefined ? 0 : toWall(mono));
    return { t: time(this.lastTrue), f: time(this.firstSeen), v: this.now.map((v) => (v === undefined ? [] : [v])) };
  }

  load(saved: Json, { toMono }: Mapping): void {
    const { t, f, v } = saved as { t: number; f: number; v: Value[][] };
    if (t > 0) this.lastTrue = toMono(t);
    if (f > 0) this.firstSeen = toMono(f);
    v.forEach(([value], i) => {
      if (i < this.now.length) this.now[i] = value;
    });
  }

  shift(ms: number, before: number): void {
    if (this.lastTrue !== undefined && this.lastTrue < before) this.lastTrue -= ms;
    if (this.firstSeen !== undefined && this.firstSeen < before) this.firstSeen -= ms;
  }
}
