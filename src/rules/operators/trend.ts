/** `eta`: hours until the trend of the last `over` reaches a level; infinite when it does not go there, or not for certain. */
import type { Json } from '../../base/json.ts';
import type { Instant } from '../../base/time.ts';
import type { Mapping, Operator, Sample } from './operator.ts';
import type { Sliding } from './sliding.ts';
import { theilSen } from './stats.ts';

const HOUR = 3_600_000;
/** The slopes of all pairs are worth computing only when there is something new. */
const REFRESH = 10_000;

export class Eta implements Operator {
  private readonly inner: Sliding;
  private readonly to: number;
  private seen = { at: Number.NEGATIVE_INFINITY, value: undefined as number | undefined };

  constructor(inner: Sliding, to: number) {
    this.inner = inner;
    this.to = to;
  }

  get closed(): number {
    return this.inner.closed;
  }

  take(sample: Sample, now: Instant): void {
    this.inner.take(sample, now);
  }

  read(now: Instant): number | undefined {
    if (now.mono - this.seen.at < REFRESH && now.mono >= this.seen.at) return this.seen.value;
    this.seen = { at: now.mono, value: this.compute(now) };
    return this.seen.value;
  }

  next(now: Instant): number | undefined {
    return this.inner.next(now);
  }

  ended(): undefined {
    return undefined;
  }

  save(mapping: Mapping): Json {
    return this.inner.save(mapping);
  }

  load(saved: Json, mapping: Mapping): void {
    this.inner.load(saved, mapping);
  }

  shift(ms: number, before: number): void {
    this.inner.shift(ms, before);
    this.seen.at = Number.NEGATIVE_INFINITY;
  }

  private compute(now: Instant): number | undefined {
    if (!this.inner.isKnown(now)) return undefined;
    const trend = theilSen(this.inner.series(now));
    if (trend === undefined) return undefined;
    const left = this.to - trend.at(now.mono);
    if (left === 0) return 0;
    const hours = left / trend.slope / HOUR;
    return trend.isSignificant && hours > 0 ? hours : Number.POSITIVE_INFINITY;
  }
}
