/**
 * What every thing-model platform needs: a member read into samples, an alarm or a device's presence; names on the platform; times it believes; numbers
 * as it types them. Lost on the way, and counted: samples without a usable value (`bad`), devices and points the feed's `things` leave out
 * (`unnamed`), times more than a day ahead (`future`), times of an unsynchronised clock that nobody can set right any more (`untimed`), and alarms of a
 * drill or of maintenance, which would look like real ones (`test`).
 * Sequence, hash, quality and everything that is neither telemetry, alarm nor presence stay in the CloudEvents stream.
 */
import type { CommandAsk } from '../../base/command.ts';
import type { OutMessage } from '../../base/feed.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import type { PointName } from '../../base/model.ts';
import type { Instant } from '../../base/time.ts';
import type { CodecContext } from '../codec.ts';

const DAY = 86_400_000;
/** what is older on arrival is backlog: history, no live value (feed contract, section 6) */
const LATE = 60_000;
const MOST_BOOTS = 64;
const MOST_ASKS = 10;
/** letters of a value that is text, as in a command (command.ts) */
const MOST_TEXT = 64;
const MOST_BYTES = 64 * 1024;

export interface Sample {
  readonly device: string;
  readonly point: string;
  readonly value: boolean | number | string;
  /** UTC ms; undefined = the platform's own time is the best there is */
  readonly time: number | undefined;
  /** belongs into the history: newer values are there or will be */
  readonly isLate: boolean;
}

export interface AlarmNews {
  readonly device: string | undefined;
  readonly rule: string;
  /** what the rule watches here: a device, an asset, a place */
  readonly instance: string;
  readonly aid: string;
  readonly rev: number;
  readonly level: string;
  readonly state: 'active' | 'cleared' | 'closed';
  readonly text: string;
  readonly time: number | undefined;
}

export type Content =
  | { readonly kind: 'samples'; readonly samples: readonly Sample[] }
  | { readonly kind: 'alarm'; readonly alarm: AlarmNews }
  | { readonly kind: 'presence'; readonly device: string; readonly online: boolean }
  | { readonly kind: 'other' };

export class MemberReader {
  private readonly untold: (reason: string) => void;
  /** UTC ms at the monotonic zero of a boot, by boot id: known since its clock was set right */
  private readonly offsets = new Map<string, number>();

  constructor(untold: (reason: string) => void) {
    this.untold = untold;
  }

  read({ type, payload }: OutMessage, now: Instant): Content {
    const event = JSON.parse(new TextDecoder().decode(payload)) as JsonObject;
    const data = objectOf(event.data);
    if (type === 'weinao.telemetry.sampled.v1') return { kind: 'samples', samples: this.samples(event, data, now) };
    // One that was erased has nothing to tell any more.
    if (type.startsWith('weinao.alarm.') && data.aid !== undefined) {
      if (event.wntest !== true) return { kind: 'alarm', alarm: this.alarm(event, data, now) };
      this.untold('test');
    }
    if (type === 'weinao.clock.synced.v1') this.learn(data);
    const online = type === 'weinao.device.online.v1';
    if ((online || type === 'weinao.device.offline.v1') && typeof event.subject === 'string')
      return { kind: 'presence', device: event.subject, online };
    return { kind: 'other' };
  }

  private learn({ boot, offset }: JsonObject): void {
    if (typeof boot !== 'string' || typeof offset !== 'number') return;
    const [oldest] = this.offsets.keys();
    if (this.offsets.size >= MOST_BOOTS && oldest !== undefined) this.offsets.delete(oldest);
    this.offsets.set(boot, offset);
  }

  private samples(event: JsonObject, data: JsonObject, now: Instant): Sample[] {
    const list = Array.isArray(data.samples) ? (data.samples as readonly Json[]) : [];
    return list.flatMap((raw) => {
      const { d, p, t, v, late } = objectOf(raw);
      if (typeof d !== 'string' || typeof p !== 'string' || typeof v === 'object' || v === undefined) {
        this.untold('bad');
        return [];
      }
      const time = this.time(event, t, now);
      if (typeof time === 'string') {
        this.untold(time);
        return [];
      }
      const isOld = now.synced && time !== undefined && now.wall - time > LATE;
      return [{ device: d, point: p, value: v, time, isLate: late === true || isOld }];
    });
  }

  private alarm(event: JsonObject, data: JsonObject, now: Instant): AlarmNews {
    const time = this.time(event, event.time, now);
    const text = (key: string): string => (typeof data[key] === 'string' ? data[key] : '');
    const closed = event.type === 'weinao.alarm.closed.v1';
    return {
      device: typeof data.device === 'string' ? data.device : undefined,
      rule: text('rule'),
      instance: text('key').slice(text('rule').length + 1),
      aid: text('aid'),
      rev: typeof data.rev === 'number' ? data.rev : 0,
      level: text('level'),
      state: closed ? 'closed' : data.condition === 'cleared' ? 'cleared' : 'active',
      text: text('text'),
      // An alarm is never left out for its time.
      time: typeof time === 'string' ? undefined : time,
    };
  }

  /** UTC ms; undefined when the platform's time on arrival is better; otherwise why there is none */
  private time(event: JsonObject, told: Json | undefined, now: Instant): number | undefined | 'untimed' | 'future' {
    const ms = typeof told === 'string' ? Date.parse(told) : Number.NaN;
    if (Number.isNaN(ms)) return undefined;
    if (event.wnclock === 'unsynced') {
      const offset = this.offsets.get(String(event.wnboot));
      const mono = Number(event.wnmono);
      // Readings of one message are as old as it is, but for the commit window.
      if (offset !== undefined && Number.isFinite(mono)) return offset + mono;
      return now.synced ? 'untimed' : undefined;
    }
    if (!now.synced) return ms;
    return ms > now.wall + DAY ? 'future' : ms;
  }
}

export interface ThingName {
  readonly product: string | undefined;
  readonly name: string;
  readonly type: string | undefined;
  /** undefined = not for this platform */
  point(id: string): Exclude<PointName, false> | undefined;
}

/**
 * Names as the feed's `things` give them, by device over by type. What they leave out keeps its id; a device's is led by the site's, because one
 * platform serves many estates and a name may stand there only once.
 */
export function thingNames({ feed, site, catalog }: CodecContext): (device: string) => ThingName {
  return (device) => {
    const told = catalog().get(device)?.type;
    const type = typeof told === 'string' ? told : undefined;
    const own = feed.things?.[device];
    const common = type === undefined ? undefined : feed.things?.[type];
    return {
      product: own?.product ?? common?.product ?? feed.alink?.subProduct,
      name: own?.name ?? `${site}_${device}`,
      type,
      point: (id) => {
        const name = own?.points?.[id] ?? common?.points?.[id];
        return name === false ? undefined : (name ?? { name: id });
      },
    };
  };
}

/** Writes of what a platform wants to be set, by its names; none when one of them is none, or they are too many: half a command is another one. */
export function asksOf(
  context: CodecContext,
  isMeant: (name: ThingName) => boolean,
  given: readonly (readonly [string, unknown])[],
): readonly CommandAsk[] {
  if (given.length > MOST_ASKS) return [];
  const names = thingNames(context);
  const asks = given.map(([key, value]) => writeOf(context, names, isMeant, key, value));
  return asks.every((ask) => ask !== undefined) ? asks : [];
}

/** What a platform calls a point, back to a write of it; undefined when it has no such device or point, or the value is none for it. */
function writeOf(
  { catalog }: CodecContext,
  names: (device: string) => ThingName,
  isMeant: (name: ThingName) => boolean,
  pointName: string,
  value: unknown,
): CommandAsk | undefined {
  for (const [device, model] of catalog()) {
    const name = names(device);
    if (!isMeant(name)) continue;
    const [point, about] =
      Object.entries(objectOf(model.points)).find(([id]) => name.point(id)?.name === pointName) ?? [];
    if (point === undefined) return undefined;
    const isBool = objectOf(about).kind === 'bool';
    const given = isBool && (value === 0 || value === 1) ? value === 1 : value;
    const isText = typeof given === 'string' && given.length <= MOST_TEXT;
    const isValue = typeof given === 'boolean' || isText || Number.isFinite(given);
    return isValue ? { do: 'write', device, point, value: given as boolean | number | string } : undefined;
  }
  return undefined;
}

/** JSON of a platform, an object of at most 64 KB; undefined for everything else. */
export function parseObject(payload: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  if (payload.length > MOST_BYTES) return undefined;
  try {
    const body = JSON.parse(new TextDecoder().decode(payload)) as unknown;
    return isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

export const isObject = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

/** JSON as it stands. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Tree = Json | Raw | readonly Tree[] | { readonly [key: string]: Tree | undefined };

export function toJson(tree: Tree): string {
  if (tree instanceof Raw) return tree.text;
  if (Array.isArray(tree)) return `[${(tree as readonly Tree[]).map(toJson).join(',')}]`;
  if (typeof tree !== 'object') return JSON.stringify(tree);
  const members = Object.entries(tree as Readonly<Record<string, Tree | undefined>>);
  return `{${members.flatMap(([k, v]) => (v === undefined ? [] : [`${JSON.stringify(k)}:${toJson(v)}`])).join(',')}}`;
}

/**
 * A value typed for the platform: numbers always with a decimal point (`10.0`), since a platform takes `10` for an integer and refuses it for a float.
 * @param words whether the platform has booleans of its own; otherwise they are 0 and 1
 */
export function typed(
  value: boolean | number | string,
  as: 'float' | 'int' | 'bool' | 'text' | undefined,
  words: boolean,
): Raw {
  const kind = as ?? (typeof value === 'number' ? 'float' : typeof value === 'boolean' ? 'bool' : 'text');
  if (kind === 'text') return new Raw(JSON.stringify(String(value)));
  const n = Number(value);
  if (Number.isNaN(n)) return new Raw(JSON.stringify(String(value)));
  if (kind === 'bool') return new Raw(words ? String(n !== 0) : n === 0 ? '0' : '1');
  if (kind === 'int') return new Raw(String(Math.round(n)));
  return new Raw(Number.isInteger(n) ? n.toFixed(1) : String(n));
}

export function objectOf(json: Json | undefined): JsonObject {
  return typeof json === 'object' && !Array.isArray(json) ? (json as JsonObject) : {};
}

/** Cuts a list into pieces. `begin` starts the measure of a piece, which says of one item after the other whether it still fits. */
export function pieces<T>(list: readonly T[], begin: () => (item: T) => boolean): T[][] {
  const out: T[][] = [];
  let fits = begin();
  for (const item of list) {
    const piece = out.at(-1);
    if (fits(item) && piece !== undefined) {
      piece.push(item);
      continue;
    }
    if (piece !== undefined) {
      fits = begin();
      fits(item);
    }
    out.push([item]);
  }
  return out;
}
