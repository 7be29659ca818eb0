/**
 * Readings as the samples of a telemetry message, written as canonical JSON on the field's side of the thread border: one string per reading,
 * most of it from a cache. `{"d","p","t","v"}` for a good one, with `q` and `why` for the others.
 * A group of personal readings is the whole data object with a salt of its own: what remains of it once it is erased, its hash, cannot be guessed.
 */
import { canonical, feedNumber } from '../base/json.ts';
import type { Reading } from '../base/reading.ts';
import type { Instant } from '../base/time.ts';

/** Bounds of one group = one message. */
export const GROUP_READINGS = 100;
export const GROUP_BYTES = 60 * 1024;

export interface Group {
  readonly count: number;
  /** event times, UTC ms */
  readonly oldest: number;
  readonly newest: number;
  readonly at: Instant;
  /** canonical JSON of the samples array, or of `{salt, samples}` */
  readonly samples: Uint8Array<ArrayBuffer>;
}

export class SampleGroups {
  /** readings whose number the feed's rules cannot tell */
  untold = 0;
  private parts: string[] = [];
  private size = 0;
  private oldest = Number.POSITIVE_INFINITY;
  private newest = Number.NEGATIVE_INFINITY;
  private at: Instant | undefined;
  private full: Group[] = [];
  private readonly heads = new Map<string, Map<string, string>>();
  private timeMs = Number.NaN;
  private timeText = '';
  private readonly encoder = new TextEncoder();
  private readonly salt: (() => string) | undefined;

  /** @param salt hex, a new one for each group; none when nothing here is personal */
  constructor(salt?: () => string) {
    this.salt = salt;
  }

  get isEmpty(): boolean {
    return this.parts.length === 0 && this.full.length === 0;
  }

  get groups(): number {
    return this.full.length + (this.parts.length === 0 ? 0 : 1);
  }

  add(reading: Reading): void {
    const text = this.sample(reading);
    if (this.parts.length >= GROUP_READINGS || this.size + text.length > GROUP_BYTES) this.close();
    this.parts.push(text);
    this.size += text.length + 1;
    if (reading.ts < this.oldest) this.oldest = reading.ts;
    if (reading.ts > this.newest) this.newest = reading.ts;
    this.at ??= reading.at;
  }

  /** Everything collected; the next reading begins anew. */
  take(): Group[] {
    this.close();
    const groups = this.full;
    this.full = [];
    return groups;
  }

  /** Gives up the oldest group; returns how many readings were in it. */
  dropOldest(): number {
    if (this.full.length === 0) this.close();
    return this.full.shift()?.count ?? 0;
  }

  private close(): void {
    if (this.parts.length === 0 || this.at === undefined) return;
    const array = `[${this.parts.join(',')}]`;
    const samples = this.encoder.encode(
      this.salt === undefined ? array : `{"salt":"${this.salt()}","samples":${array}}`,
    );
    this.full.push({ count: this.parts.length, oldest: this.oldest, newest: this.newest, at: this.at, samples });
    this.parts = [];
    this.size = 0;
    this.oldest = Number.POSITIVE_INFINITY;
    this.newest = Number.NEGATIVE_INFINITY;
    this.at = undefined;
  }

  private sample(reading: Reading): string {
    const head = this.headOf(reading.device, reading.point);
    if (reading.ts !== this.timeMs) {
      this.timeMs = reading.ts;
      this.timeText = `"t":"${new Date(reading.ts).toISOString()}"`;
    }
    const { value } = reading;
    const told = typeof value === 'number' ? feedNumber(value) : value;
    if (told === undefined) {
      this.untold++;
      return `${head}"q":"bad",${this.timeText},"why":"range"}`;
    }
    const quality = reading.quality === 'good' ? '' : `"q":"${reading.quality}",`;
    const shown = told === null ? '' : `,"v":${typeof told === 'string' ? canonical(told) : String(told)}`;
    const why = reading.why === undefined ? '' : `,"why":"${reading.why}"`;
    return `${head}${quality}${this.timeText}${shown}${why}}`;
  }

  private headOf(device: string, point: string): string {
    let points = this.heads.get(device);
    if (points === undefined) {
      points = new Map();
      this.heads.set(device, points);
    }
    let head = points.get(point);
    if (head === undefined) {
      head = `{"d":${JSON.stringify(device)},"p":${JSON.stringify(point)},`;
      points.set(point, head);
    }
    return head;
  }
}
