/** Fields of a frame: bytes at a place, or the n-th word of a text. What does not read cleanly has no value. */
import { bcd } from '../../src/kit/bcd.ts';
import { placeIn } from './frame.ts';
import type { SerialPoint } from './schema.ts';

/** Null when the frame is too short or the bytes are no such number. */
export function valueOfPoint(
  point: SerialPoint,
  frame: Uint8Array,
  separator: string,
): number | string | boolean | null {
  const bytes = point.word === undefined ? slice(point, frame) : wordOf(frame, point.word, separator);
  if (bytes === undefined) return null;
  if (point.as === 'text') return textOf(bytes) ?? null;
  const raw = point.as === 'ascii' ? asciiNumber(bytes) : numberOf(point.as, bytes);
  if (raw === undefined || !Number.isFinite(raw)) return null;
  if (point.bit !== undefined) return Math.floor(raw / 2 ** point.bit) % 2 === 1;
  // Twelve digits: what a scale of 0.1 adds behind them is no measurement.
  return Number((raw * point.scale + point.offset).toPrecision(12));
}

function slice({ at = 0, bytes = 1 }: SerialPoint, frame: Uint8Array): Uint8Array | undefined {
  const from = placeIn(frame.length, at);
  return from >= 0 && from + bytes <= frame.length ? frame.subarray(from, from + bytes) : undefined;
}

function wordOf(frame: Uint8Array, n: number, separator: string): Uint8Array | undefined {
  const word = new TextDecoder('latin1').decode(frame).split(separator)[n];
  return word === undefined ? undefined : Uint8Array.from(word, (c) => c.charCodeAt(0) & 0xff);
}

function textOf(bytes: Uint8Array): string | undefined {
  const chars = [...bytes].filter((b) => b !== 0);
  return chars.every((b) => b >= 0x20 && b < 0x7f) ? String.fromCharCode(...chars).trim() : undefined;
}

/** `+001.25 kg` is 1.25: a sign, digits, a point, and whatever unit stands behind a space. Nothing else is guessed. */
function asciiNumber(bytes: Uint8Array): number | undefined {
  const text = new TextDecoder('latin1').decode(bytes).trim();
  let at = 0;
  let digits = 0;
  let points = 0;
  if (text[at] === '+' || text[at] === '-') at++;
  while (at < text.length && text[at] === ' ') at++;
  const from = at;
  for (; at < text.length; at++) {
    const c = text[at] ?? '';
    if (c >= '0' && c <= '9') digits++;
    else if (c === '.' && points === 0) points++;
    else break;
  }
  if (digits === 0 || (at < text.length && text[at] !== ' ' && isNumeric(text[at] ?? ''))) return undefined;
  const value = Number(text.slice(from, at));
  return text[0] === '-' ? -value : value;
}

const isNumeric = (c: string): boolean => '0123456789.+-eE'.includes(c);

function numberOf(as: SerialPoint['as'], bytes: Uint8Array): number | undefined {
  const low = as.endsWith('_low');
  const ordered = low ? bytes : bytes.slice().reverse();
  if (as.startsWith('bcd')) return bytes.length <= 7 ? bcd(ordered, 0, ordered.length) : undefined;
  const view = new DataView(ordered.slice().buffer);
  if (as.startsWith('float'))
    return bytes.length === 4
      ? Number(view.getFloat32(0, true).toPrecision(9))
      : bytes.length === 8
        ? view.getFloat64(0, true)
        : undefined;
  if (bytes.length > 6) return undefined;
  const value = ordered.reduceRight((sum, b) => sum * 256 + b, 0);
  const limit = 256 ** bytes.length;
  return as.startsWith('int') && value >= limit / 2 ? value - limit : value;
}

export const kindOf = (point: SerialPoint): 'bool' | 'string' | 'number' =>
  point.bit !== undefined ? 'bool' : point.as === 'text' ? 'string' : 'number';
