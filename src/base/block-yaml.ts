/** Plain data as YAML in blocks, for people to read; texts are quoted as in JSON, which YAML 1.2 takes as it is. */
import type { Json } from './json.ts';

export function blockYaml(value: Json): string {
  return `${block(value, '')}\n`;
}

function block(value: Json, indent: string): string {
  if (typeof value !== 'object') return scalar(value);
  const parts = Array.isArray(value)
    ? (value as readonly Json[]).map((one) => `${indent}- ${nested(one, indent, false)}`)
    : Object.entries(value).map(([key, one]) => `${indent}${keyOf(key)}:${nested(one, indent, true)}`);
  if (parts.length === 0) return Array.isArray(value) ? '[]' : '{}';
  return parts.join('\n');
}

/** Behind a key or a dash: what is flat on the same line, an object below. */
function nested(value: Json, indent: string, isBehindKey: boolean): string {
  const space = isBehindKey ? ' ' : '';
  if (typeof value !== 'object' || isFlat(value)) return space + flow(value);
  const inner = block(value, `${indent}  `);
  return isBehindKey ? `\n${inner}` : inner.trimStart();
}

/** Lists of words, and empty things, stand on one line. */
function isFlat(value: Json): boolean {
  if (Array.isArray(value)) return (value as readonly Json[]).every((one) => typeof one !== 'object');
  return Object.keys(value).length === 0;
}

const flow = (value: Json): string =>
  Array.isArray(value)
    ? `[${(value as readonly Json[]).map(flow).join(', ')}]`
    : typeof value === 'object'
      ? '{}'
      : scalar(value);
const scalar = (value: boolean | number | string): string =>
  typeof value === 'string' ? JSON.stringify(value) : String(value);
const keyOf = (key: string): string => (isPlain(key) ? key : JSON.stringify(key));

const WORDS = ['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n'];
function isPlain(key: string): boolean {
  const isLetter = (c: string): boolean => (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c === '_';
  return isLetter(key[0] ?? '') && [...key].every((c) => isLetter(c) || (c >= '0' && c <= '9')) && !WORDS.includes(key);
}
