/** What one message says of one device: a pure function of bytes, section and time. */
import type { PointModel } from '../../src/base/model.ts';
import type { Instant } from '../../src/base/time.ts';
import type { RawReading } from '../../src/kit/driver.ts';
import type { Made, Message } from '../../src/kit/intake.ts';
import { type Read, readJson, readText } from '../../src/kit/pick.ts';
import { doubtOf, fits, idOf, isDoubtful, readingOf, whenOf } from '../../src/kit/picked.ts';
import type { Route } from './routes.ts';

export type Refusal = Extract<Read<unknown>, { refused: string }>['refused'] | 'odd_presence' | 'duplicate' | 'old';

/** A message read at most once, however many devices hear it. */
export class Body {
  private json: Read<unknown> | undefined;
  private text: Read<string> | undefined;
  private readonly payload: Uint8Array;

  constructor(payload: Uint8Array) {
    this.payload = payload;
  }

  read(as: 'json' | 'text'): Read<unknown> {
    if (as === 'json') {
      this.json ??= readJson(this.payload);
      return this.json;
    }
    this.text ??= readText(this.payload);
    return this.text;
  }
}

export interface Readings {
  readonly kind: 'readings';
  readonly readings: readonly RawReading[];
  readonly made: readonly Made[];
  /** the message's own */
  readonly id?: string;
}

export type Said =
  | { readonly kind: 'not_its' }
  | { readonly kind: 'refused'; readonly refused: Refusal }
  | { readonly kind: 'here' }
  | { readonly kind: 'gone' }
  | Readings;

export function saidIn(route: Route, body: Body, { retained }: Pick<Message, 'retained'>, now: Instant): Said {
  const read = body.read(route.payload);
  if ('refused' in read) return { kind: 'refused', refused: read.refused };
  if (route.isPresence) return presenceIn(String(read.value));
  const { config, device } = route;
  if (!fits(config, read.value)) return { kind: 'not_its' };
  const { ts, isOdd = false } = whenOf(config, read.value, now);
  const isDoubted = isDoubtful(config, read.value);
  const models = new Map(device.points.map((p) => [p.id, p]));
  const readings: RawReading[] = [];
  const made: Made[] = [];
  for (const [id, point] of route.points) {
    const raw = readingOf(id, point, read.value);
    const skipped = raw === undefined || !retained ? undefined : notNow(models.get(id), ts, now);
    if (raw === undefined || skipped !== undefined) {
      made.push({ point: id, ...(skipped === undefined ? {} : { why: skipped }) });
      continue;
    }
    const doubt = doubtOf({ isDoubted, isOdd, isUndated: retained && ts === undefined });
    const reading: RawReading = { ...raw, ...(raw.value === null ? {} : doubt), ...(ts === undefined ? {} : { ts }) };
    readings.push(reading);
    made.push(reading);
  }
  const key = idOf(config, read.value);
  return { kind: 'readings', readings, made, ...(key === undefined ? {} : { id: key }) };
}

/** What a broker kept is how things were: no happening of now, and no state once it is older than a state may be. */
function notNow(model: PointModel | undefined, ts: number | undefined, now: Instant): 'event' | 'old' | undefined {
  if (model?.event === true) return 'event';
  return ts !== undefined && now.wall - ts > (model?.staleAfterMs ?? 0) ? 'old' : undefined;
}

const HERE: ReadonlySet<string> = new Set(['online', 'true', '1', 'connected', 'alive']);
const GONE: ReadonlySet<string> = new Set(['offline', 'false', '0', 'disconnected', 'lost']);

/** A word, or an object with the word under `state`, as Zigbee2MQTT has it. */
function presenceIn(text: string): Said {
  const body = text.trim();
  const read = body.startsWith('{') ? readJson(new TextEncoder().encode(body)) : { value: body };
  const state = 'refused' in read ? '' : typeof read.value === 'string' ? read.value : stateOf(read.value);
  const word = state.toLowerCase();
  if (HERE.has(word)) return { kind: 'here' };
  return GONE.has(word) ? { kind: 'gone' } : { kind: 'refused', refused: 'odd_presence' };
}

const stateOf = (value: unknown): string => {
  const state: unknown = typeof value === 'object' && value !== null ? (value as { state?: unknown }).state : undefined;
  return typeof state === 'string' || typeof state === 'boolean' ? String(state) : '';
};
