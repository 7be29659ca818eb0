/**
 * A sliding window: the last `over`, in partials of a sixtieth (1 s to 1 h), so that its edge is sharp to one partial. Interval (start, end].
 *
 * - Time between two samples belongs to the first one's value, unless the second came later than the point may be silent: that time is unknown.
 * - Below `need` of known time the window is unknown. Sources that only tell when something happens are always known.
 * - A counter that falls began anew: at its rollover when the model has one, else from 0.
 * - A sample older than the newest is counted in its partial for LATE; it never changes the value that holds now.
 */
import type { Json } from '../../base/json.ts';
import type { Value } from '../../base/reading.ts';
import type { Instant } from '../../base/time.ts';
import type { WindowFunction } from '../language/window.ts';
import { Bucket } from './bucket.ts';
import { type Mapping, numberOf, type Operator, type Sample, type SourceFacts } from './operator.ts';
import { median, quantile } from './stats.ts';

const LEAST_PARTIAL = 1000;
const MOST_PARTIAL = 3_600_000;
const LATE = 10 * 60_000;

export interface SlidingSetup {
  readonly fn: WindowFunction;
  readonly overMs: number;
  readonly partials: number;
  readonly need: number;
  readonly is: Value;
  readonly sources: readonly SourceFacts[];
  /** ms of (from, until] that count, on the monotonic clock; all when left out */
  readonly wanted?: (fromMono: number, untilMono: number, now: Instant) => number;
  /** whether a moment counts */
  readonly inside?: (mono: number, now: Instant) => boolean;
}

interface Last {
  t: number;
  value: Value | undefined;
}

export class Sliding implements Operator {
  closed = 0;
  private readonly setup: SlidingSetup;
  private readonly width: number;
  private buckets: Bucket[] = [];
  private readonly last: Last[];

  constructor(setup: SlidingSetup) {
    this.setup = setup;
    this.width = Math.min(MOST_PARTIAL, Math.max(LEAST_PARTIAL, setup.overMs / setup.partials));
    this.last = setup.sources.map(() => ({ t: Number.NEGATIVE_INFINITY, value: undefined }));
  }

  take(sample: Sample, now: Instant): void {
    const last = this.last[sample.source];
    const facts = this.setup.sources[sample.source];
    if (last === undefined || facts === undefined) return;
    if (sample.t <= last.t) return this.takeLate(sample, last, now);
    const isInside = this.setup.inside?.(sample.t, now) !== false;
    const bucket = this.bucketAt(sample.t, now);
    this.account(bucket, last, facts, sample.t);
    const value = isInside ? sample.value : undefined;
    if (value !== undefined) this.see(bucket, value, last, facts);
    last.t = sample.t;
    last.value = value;
  }

  read(now: Instant): Value | undefined {
    const sum = this.total(now);
    return this.isEnough(sum, now) ? this.result(sum, now) : undefined;
  }

  next(now: Instant): number | undefined {
    const [oldest] = this.inside(now);
    const silent = this.setup.sources.map((s, i) => (s.isEvent ? now.mono : (this.last[i]?.t ?? 0) + s.staleMs));
    const leaves = oldest === undefined ? Number.POSITIVE_INFINITY : oldest.t + this.width + this.setup.overMs;
    const enough = now.mono + Math.max(1, this.lacking(now));
    const due = Math.min(leaves, enough, ...silent.filter((t) => t > now.mono));
    return Number.isFinite(due) ? due : undefined;
  }

  ended(): undefined {
    return undefined;
  }

  /** Books what holds until t, and forgets everything but that: the end of a period. */
  settle(t: number, now: Instant): void {
    this.last.forEach((last, i) => {
      const facts = this.setup.sources[i];
      if (facts === undefined || last.value === undefined || facts.isEvent || t <= last.t) return;
      this.account(this.bucketAt(t, now), last, facts, t);
      if (t - last.t <= facts.staleMs) last.t = t;
    });
  }

  clear(): void {
    this.buckets = [];
  }

  save(mapping: Mapping): Json {
    const last = this.last.map(({ t, value }) =>
      Number.isFinite(t) ? [mapping.toWall(t), ...(value === undefined ? [] : [value])] : [],
    );
    return { b: this.buckets.map((b) => b.save(mapping)), l: last };
  }

  load(saved: Json, mapping: Mapping): void {
    const { b, l } = saved as { b: Json[]; l: Json[][] };
    this.buckets = b.map((one) => Bucket.load(one, mapping));
    l.forEach(([wall, value], i) => {
      const last = this.last[i];
      if (last === undefined || typeof wall !== 'number') return;
      last.t = mapping.toMono(wall);
      last.value = value as Value | undefined;
    });
  }

  shift(ms: number, before: number): void {
    for (const held of [...this.buckets, ...this.last]) if (held.t < before) held.t -= ms;
  }

  /** middles and medians of the partials, for a trend */
  series(now: Instant): [number, number][] {
    return this.inside(now).flatMap((b) => {
      const y = median(b.values);
      return y === undefined ? [] : [[b.t + this.width / 2, y] as [number, number]];
    });
  }

  isKnown(now: Instant): boolean {
    return this.isEnough(this.total(now), now);
  }

  private takeLate(sample: Sample, last: Last, now: Instant): void {
    if (sample.t === last.t || sample.value === undefined || now.mono - sample.t > LATE) return;
    const bucket = this.buckets.findLast((b) => b.t <= sample.t && sample.t < b.t + this.width);
    const x = numberOf(sample.value);
    if (bucket === undefined || Number.isNaN(x)) return;
    bucket.n++;
    bucket.sum += x;
    bucket.squares += x * x;
    bucket.min = Math.min(bucket.min, x);
    bucket.max = Math.max(bucket.max, x);
  }

  private see(bucket: Bucket, value: Value, last: Last, facts: SourceFacts): void {
    const x = numberOf(value);
    bucket.see(value, x);
    const { is } = this.setup;
    if (value === is && (facts.isEach === true || (last.value !== undefined && last.value !== is))) bucket.hits++;
    if (facts.periodMs !== undefined) {
      bucket.known += facts.periodMs;
      bucket.area += x * facts.periodMs;
    }
    if (last.value === undefined || last.value === value) return;
    bucket.changes++;
    const before = numberOf(last.value);
    if (Number.isNaN(x) || Number.isNaN(before)) return;
    if (x >= before) bucket.rise += x - before;
    else bucket.rise += facts.rollover !== undefined && before <= facts.rollover ? x + facts.rollover - before : x;
  }

  /** The time since the last sample was its value's. */
  private account(bucket: Bucket, last: Last, facts: SourceFacts, t: number): void {
    const ms = t - last.t;
    if (last.value === undefined || ms > facts.staleMs || facts.periodMs !== undefined) return;
    bucket.known += ms;
    const x = numberOf(last.value);
    if (!Number.isNaN(x)) bucket.area += x * ms;
    if (last.value === this.setup.is) bucket.on += ms;
  }

  private bucketAt(t: number, now: Instant): Bucket {
    const newest = this.buckets.at(-1);
    if (newest !== undefined && t < newest.t + this.width) return newest;
    const bucket = new Bucket(t);
    this.buckets.push(bucket);
    if (newest !== undefined) this.closed++;
    const from = now.mono - this.setup.overMs - this.width;
    while ((this.buckets[0]?.t ?? Number.POSITIVE_INFINITY) < from && this.buckets.length > 1) this.buckets.shift();
    return bucket;
  }

  private inside(now: Instant): Bucket[] {
    const from = now.mono - this.setup.overMs;
    return this.buckets.filter((b) => b.t + this.width > from);
  }

  private total(now: Instant): Bucket {
    const sum = new Bucket(0);
    for (const bucket of this.inside(now)) sum.add(bucket);
    // what holds now has held since its sample
    this.last.forEach((last, i) => {
      const facts = this.setup.sources[i];
      if (facts !== undefined && now.mono > last.t && this.setup.inside?.(now.mono, now) !== false)
        this.account(sum, last, facts, now.mono);
    });
    return sum;
  }

  private isEnough(sum: Bucket, now: Instant): boolean {
    const { sources, overMs, wanted } = this.setup;
    const states = sources.filter((s) => !s.isEvent).length;
    if (states === 0) return true;
    return sum.known / states >= this.enough(wanted?.(now.mono - overMs, now.mono, now) ?? overMs);
  }

  /** ms until enough was seen, if what is seen now goes on; none when it is enough already */
  private lacking(now: Instant): number {
    const { sources, wanted } = this.setup;
    if (wanted !== undefined) return Number.POSITIVE_INFINITY;
    const sum = this.total(now);
    if (this.isEnough(sum, now)) return Number.POSITIVE_INFINITY;
    const states = sources.filter((s) => !s.isEvent).length;
    return Math.max(0, this.enough() - sum.known / states);
  }

  private enough(span = this.setup.overMs): number {
    // The edge is sharp to one partial: the last one may lack that much.
    return Math.min(this.setup.need * span, span - Math.min(this.width, span / 2));
  }

  private result(sum: Bucket, now: Instant): Value | undefined {
    const { fn, sources } = this.setup;
    const isEach = sources.every((s) => s.isEach === true);
    const values = (): number[] => this.inside(now).flatMap((b) => b.values);
    switch (fn) {
      case 'min':
        return finite(sum.min);
      case 'max':
        return finite(sum.max);
      case 'avg':
        return finite(isEach ? sum.sum / sum.n : sum.area / sum.known);
      case 'sum':
        return sum.sum;
      case 'count':
        return isEach && this.setup.is === true ? sum.n : sum.hits;
      case 'delta':
        return sum.rise;
      case 'rate':
        return finite(sum.rise / (sum.known / 3_600_000));
      case 'median':
        return median(values());
      case 'p95':
        return quantile(values(), 0.95);
      case 'stdev':
        return sum.n < 2 ? undefined : Math.sqrt(Math.max(0, (sum.squares - sum.sum ** 2 / sum.n) / (sum.n - 1)));
      case 'changes':
        return sum.changes;
      case 'ontime':
        return sum.on / 1000;
      case 'first':
        return sum.first;
      case 'last':
        return sum.last;
      default:
        return undefined;
    }
  }
}

const finite = (x: number): number | undefined => (Number.isFinite(x) ? x : undefined);
