/** A partial: what a stretch of time held, small enough to keep sixty of them and exact enough to add them up. */
import type { Json } from '../../base/json.ts';
import type { Value } from '../../base/reading.ts';
import type { Mapping } from './operator.ts';

/** values kept of one partial, for medians and quantiles; of more, every second one goes */
const KEPT = 16;

export class Bucket {
  /** monotonic ms of its beginning */
  t: number;
  n = 0;
  sum = 0;
  squares = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  /** value x ms, and the ms that were known */
  area = 0;
  known = 0;
  /** ms, and number of beginnings, of the wanted value */
  on = 0;
  hits = 0;
  changes = 0;
  /** what a counter went up */
  rise = 0;
  first: Value | undefined;
  last: Value | undefined;
  values: number[] = [];
  private stride = 1;
  private skipped = 0;

  constructor(t: number) {
    this.t = t;
  }

  see(value: Value, x: number): void {
    this.n++;
    this.first ??= value;
    this.last = value;
    if (Number.isNaN(x)) return;
    this.sum += x;
    this.squares += x * x;
    this.min = Math.min(this.min, x);
    this.max = Math.max(this.max, x);
    if (++this.skipped < this.stride) return;
    this.skipped = 0;
    this.values.push(x);
    if (this.values.length <= KEPT) return;
    this.values = this.values.filter((_, i) => i % 2 === 0);
    this.stride *= 2;
  }

  add(other: Bucket): void {
    this.n += other.n;
    this.sum += other.sum;
    this.squares += other.squares;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    this.area += other.area;
    this.known += other.known;
    this.on += other.on;
    this.hits += other.hits;
    this.changes += other.changes;
    this.rise += other.rise;
    this.first ??= other.first;
    if (other.last !== undefined) this.last = other.last;
  }

  save(mapping: Mapping): Json {
    const { n, sum, squares, area, known, on, hits, changes, rise, values, stride, skipped, first, last } = this;
    const range = n > 0 && Number.isFinite(this.min) ? [this.min, this.max] : [];
    const numbers = [n, sum, squares, area, known, on, hits, changes, rise, stride, skipped];
    return [mapping.toWall(this.t), numbers, range, values, first === undefined ? [] : [first, last ?? first]];
  }

  static load(saved: Json, mapping: Mapping): Bucket {
    const [wall, numbers, range, values, ends] = saved as [number, number[], number[], number[], Value[]];
    const bucket = new Bucket(mapping.toMono(wall));
    const [
      n = 0,
      sum = 0,
      squares = 0,
      area = 0,
      known = 0,
      on = 0,
      hits = 0,
      changes = 0,
      rise = 0,
      stride = 1,
      skipped = 0,
    ] = numbers;
    Object.assign(bucket, { n, sum, squares, area, known, on, hits, changes, rise, values: [...values] });
    bucket.stride = stride;
    bucket.skipped = skipped;
    if (range.length === 2) [bucket.min = 0, bucket.max = 0] = range;
    if (ends.length === 2) [bucket.first, bucket.last] = ends;
    return bucket;
  }
}
