/**
 * JSON as the feed speaks it, so that any language can hash it: keys ASCII and sorted, no null, no undefined, numbers rounded to 4 decimals,
 * 0 or 0.0001 <= |x| < 1e15, no -0 (feed.md 4, RFC 8785). What cannot be said that way is refused, never bent.
 */
import { isId } from './ids.ts';

export type Json = boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Rounds to the feed's 4 decimals; undefined when the number cannot be told (not finite, or 1e15 and more). */
export function feedNumber(x: number): number | undefined {
  if (!Number.isFinite(x) || Math.abs(x) >= 1e15) return undefined;
  if (Number.isInteger(x)) return x + 0;
  const r = Math.round(x * 1e4) / 1e4;
  return r === 0 ? 0 : r;
}

/** Canonical text of a value. Throws RangeError on a number or key outside the rules above. */
export function canonical(value: Json): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.isWellFormed() ? value : value.toWellFormed());
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      return canonicalNumber(value);
    default:
      return Array.isArray(value) ? `[${value.map(canonical).join(',')}]` : canonicalObject(value as JsonObject);
  }
}

function canonicalNumber(x: number): string {
  if (feedNumber(x) !== x || Object.is(x, -0)) throw new RangeError(`number outside the feed's rules: ${x}`);
  return String(x);
}

function canonicalObject(object: JsonObject): string {
  let text = '';
  for (const key of sorted(Object.keys(object)))
    text += `${text === '' ? '{' : ','}${asciiKey(key)}:${canonical(object[key] as Json)}`;
  return text === '' ? '{}' : `${text}}`;
}

/** Small objects often stand in order already, and large ones come out of `canonical` again. */
function sorted(keys: string[]): string[] {
  return keys.every((key, i) => i === 0 || key > (keys[i - 1] ?? '')) ? keys : keys.sort();
}

function asciiKey(key: string): string {
  if (!isAscii(key)) throw new RangeError(`key is not ASCII: ${key}`);
  return isId(key) ? `"${key}"` : JSON.stringify(key);
}

function isAscii(key: string): boolean {
  for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) > 126) return false;
  return true;
}

/** The nearest that can be said: numbers rounded, what cannot be told left out. A row must never stop the stream behind it. */
export function fitting(value: Json): Json | undefined {
  return fits(value) ? value : bent(value);
}

/** Nearly everything fits as it is, and then nothing is made anew. */
function fits(value: Json): boolean {
  if (typeof value === 'number') return feedNumber(value) === value && !Object.is(value, -0);
  if (typeof value !== 'object') return value !== undefined;
  if ((value as unknown) === null) return false;
  if (Array.isArray(value)) return value.every(fits);
  for (const key in value as JsonObject) if (!isAscii(key) || !fits((value as JsonObject)[key] as Json)) return false;
  return true;
}

function bent(value: Json): Json | undefined {
  if (typeof value === 'number') return feedNumber(value);
  if (typeof value !== 'object' || (value as unknown) === null) return value ?? undefined;
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((one) => fitting(one) ?? []);
  const told = Object.entries(value).flatMap(([key, one]) => {
    const fits = isAscii(key) ? fitting(one) : undefined;
    return fits === undefined ? [] : [[key, fits] as const];
  });
  return Object.fromEntries(told);
}
