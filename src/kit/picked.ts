/**
 * Points taken out of messages by paths: what a device section says about them, and what a message makes of them.
 *
 * - A field that is not there is no news of its point; `null` is "no value" (bad/nan); what is no number where a number should be, no known word where a
 *   word should be, is bad/frame, never 0 and never false.
 * - A time the message gives is believed from 2020 on and up to AHEAD_MS before its receipt; a value with a time that is not believable is uncertain/clock and
 *   stands at its receipt.
 */
import type { PointDefaults } from '../base/driver.ts';
import type { PointModel, ValueKind } from '../base/model.ts';
import type { Problem } from '../base/problem.ts';
import type { Reason, Value } from '../base/reading.ts';
import type { Instant } from '../base/time.ts';
import type { RawReading } from './driver.ts';
import { type Path, parsePath, pick } from './pick.ts';
import { pointModel, STALE_POLLS } from './points.ts';
import { pointCommon, z } from './schema.ts';

const AHEAD_MS = 5 * 60_000;
const EARLIEST = Date.UTC(2020, 0, 1);
const MOST_TEXT = 256;
const MOST_DIGITS = 32;
/** beyond, a number can be told to nobody (base/json.ts) */
const MOST_NUMBER = 1e15;
const MOST_WORDS = 64;

export const path = z.string().transform((text, ctx): Path => {
  const parsed = parsePath(text);
  if (parsed !== undefined) return parsed;
  ctx.addIssue({ code: 'custom', message: 'path', params: { code: 'config.bad_path', given: text } });
  return z.NEVER;
});

const scalar = z.union([z.boolean(), z.number(), z.string().max(MOST_TEXT)]);

export const pickedPoint = {
  ...pointCommon,
  value: path.optional().meta({ description: 'path into the message; left out = all of it' }),
  as: z.enum(['number', 'bool', 'text']).optional(),
  words: z.record(z.string(), z.union([z.boolean(), z.number()])).optional(),
  true_when: z.array(scalar).min(1).max(MOST_WORDS).optional(),
  scale: z.number().optional(),
  offset: z.number().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
};

/** Keys a device has for all of its messages. */
export const messageKeys = {
  match: z
    .array(z.strictObject({ at: path, is: scalar }))
    .max(8)
    .default([]),
  id: z.array(path).max(4).default([]),
  time: z.strictObject({ at: path, as: z.enum(['s', 'ms', 'iso']) }).optional(),
  doubt: z
    .array(
      z.strictObject({ at: path, below: z.number().optional(), above: z.number().optional(), is: scalar.optional() }),
    )
    .max(8)
    .default([]),
};

const pointShape = z.strictObject(pickedPoint);
const keysShape = z.strictObject(messageKeys);
export type PickedPoint = z.output<typeof pointShape>;
export type MessageKeys = z.output<typeof keysShape>;

export const kindOf = ({ as, words, true_when }: PickedPoint): ValueKind => {
  if (as === 'text') return 'string';
  const isBool = true_when !== undefined || Object.values(words ?? {}).some((v) => typeof v === 'boolean');
  return as === 'bool' || (as === undefined && isBool) ? 'bool' : 'number';
};

/** Where it is known how often a point comes, that and not its device's word says when it is stale. */
export function pickedModel(id: string, point: PickedPoint, defaults: PointDefaults): PointModel {
  const stale_after = point.stale_after ?? (point.poll === undefined ? undefined : STALE_POLLS * point.poll);
  return pointModel(id, kindOf(point), { ...point, stale_after }, defaults);
}

export function pickedProblems(id: string, point: PickedPoint): Problem[] {
  const found: Problem[] = [];
  const report = (code: Problem['code'], key: string): void => {
    found.push({ code, params: {}, path: ['points', id, key], severity: 'error' });
  };
  const { words, true_when, scale, min, max } = point;
  const kind = kindOf(point);
  const values = Object.values(words ?? {});
  if (kind !== 'number') {
    if (kind === 'bool' && scale !== undefined) report('config.scale_of_bool', 'scale');
    const odd = (['words', 'true_when', 'scale', 'offset', 'min', 'max'] as const).find(
      (key) => point[key] !== undefined,
    );
    if (kind === 'string' && odd !== undefined) report('config.words_of_text', odd);
  } else if (true_when !== undefined) report('config.words_mixed', 'true_when');
  if (kind !== 'string' && values.some((v) => (typeof v === 'boolean') !== (kind === 'bool')))
    report('config.words_mixed', 'words');
  if (scale === 0) report('config.scale_zero', 'scale');
  if (min !== undefined && max !== undefined && min > max) report('config.min_over_max', 'min');
  return found;
}

/** Whether the message is the device's at all. */
export const fits = ({ match }: MessageKeys, root: unknown): boolean =>
  match.every(({ at, is }) => pick(root, at) === is);

/** The message's own id, undefined when it has none. */
export function idOf({ id }: MessageKeys, root: unknown): string | undefined {
  if (id.length === 0) return undefined;
  const parts = id.map((at) => pick(root, at));
  if (parts.some((part) => typeof part !== 'string' && typeof part !== 'number')) return undefined;
  const text = parts.join('\n');
  return text.length <= MOST_TEXT ? text : undefined;
}

/** ms before its receipt the message was made, by its own word; 0 when it says nothing of it or nothing believable. */
export interface When {
  readonly ts?: number;
  readonly isOdd?: boolean;
}

export function whenOf({ time }: MessageKeys, root: unknown, now: Instant): When {
  if (time === undefined) return {};
  const given = pick(root, time.at);
  if (given === undefined || given === null) return {};
  const ts = time.as === 'iso' ? isoTime(given) : numberOf(given) * (time.as === 's' ? 1000 : 1);
  // An unsynchronised clock can judge nobody's, and does not follow just anybody's either.
  if (!now.synced) return {};
  return ts >= EARLIEST && ts <= now.wall + AHEAD_MS
    ? { ts: Math.min(Math.round(ts), Math.round(now.wall)) }
    : { isOdd: true };
}

const isoTime = (given: unknown): number =>
  typeof given === 'string' && given.length >= 10 && given.length <= 40 && isDigit(given)
    ? Date.parse(given)
    : Number.NaN;
const isDigit = (text: string): boolean => text >= '0' && text < ':';

/** Whether the device itself says that its values are not to be trusted. */
export const isDoubtful = ({ doubt }: MessageKeys, root: unknown): boolean =>
  doubt.some(({ at, below, above, is }) => {
    const given = pick(root, at);
    if (given === undefined) return false;
    if (is !== undefined && given === is) return true;
    const n = numberOf(given);
    return (below !== undefined && n < below) || (above !== undefined && n > above);
  });

/** Why a value is uncertain; nothing when it is not. */
export function doubtOf(is: {
  readonly isDoubted: boolean;
  readonly isOdd: boolean;
  readonly isUndated: boolean;
}): Pick<RawReading, 'quality' | 'why'> {
  if (is.isDoubted) return { quality: 'uncertain', why: 'device' };
  if (is.isOdd) return { quality: 'uncertain', why: 'clock' };
  return is.isUndated ? { quality: 'uncertain', why: 'stale' } : {};
}

/** Undefined when the message says nothing of the point. */
export function readingOf(id: string, point: PickedPoint, root: unknown): RawReading | undefined {
  const given = point.value === undefined ? root : pick(root, point.value);
  if (given === undefined) return undefined;
  const value = meaningOf(point, given);
  return typeof value === 'object' ? { point: id, value: null, why: value.why } : { point: id, value };
}

interface Bad {
  readonly why: Reason;
}
const NONSENSE: Bad = { why: 'frame' };
const NOTHING: Bad = { why: 'nan' };
const OUTSIDE: Bad = { why: 'range' };

function meaningOf(point: PickedPoint, given: unknown): Value | Bad {
  if (given === null) return NOTHING;
  if (typeof given !== 'string' && typeof given !== 'number' && typeof given !== 'boolean') return NONSENSE;
  if (typeof given === 'string' && given.length > MOST_TEXT) return NONSENSE;
  const { words, true_when } = point;
  switch (kindOf(point)) {
    case 'string':
      return String(given).isWellFormed() ? String(given) : NONSENSE;
    case 'bool': {
      const said = words === undefined ? undefined : wordOf(words, given);
      if (typeof said === 'boolean') return said;
      if (true_when !== undefined) return true_when.includes(given);
      return words === undefined ? (TRUTHS.get(String(given).trim().toLowerCase()) ?? NONSENSE) : NONSENSE;
    }
    case 'number': {
      const said = words === undefined ? undefined : wordOf(words, given);
      return typeof said === 'number' ? said : numberIn(point, given);
    }
  }
}

const TRUTHS: ReadonlyMap<string, boolean> = new Map([
  ...['true', '1', 'on', 'yes'].map((word) => [word, true] as const),
  ...['false', '0', 'off', 'no'].map((word) => [word, false] as const),
]);

const wordOf = (words: Readonly<Record<string, boolean | number>>, given: Value): boolean | number | undefined =>
  Object.hasOwn(words, String(given)) ? words[String(given)] : undefined;

function numberIn({ scale = 1, offset = 0, min, max }: PickedPoint, given: Value): number | Bad {
  const raw = numberOf(given);
  if (Number.isNaN(raw)) return typeof given === 'string' && given.trim().toLowerCase() === 'nan' ? NOTHING : NONSENSE;
  const value = scale === 1 && offset === 0 ? raw + 0 : Number((raw * scale + offset).toPrecision(12));
  if (!(Math.abs(value) < MOST_NUMBER) || value < (min ?? value) || value > (max ?? value)) return OUTSIDE;
  return value;
}

/** A number, or one written as text, digits and nothing else; NaN for everything else. */
export function numberOf(given: unknown): number {
  if (typeof given === 'number') return given;
  if (typeof given !== 'string') return Number.NaN;
  const text = given.trim();
  const isPlain = text !== '' && text.length <= MOST_DIGITS && [...text].every((c) => DIGITS.includes(c));
  return isPlain ? Number(text) : Number.NaN;
}
const DIGITS = '0123456789+-.eE';
