/** The fields of a reply's data. What is not BCD, no date, or all FF ("not available") has no value: never a number made of it. */
import { bcd, bcdByte, dateText, decimal, digitsOf, timeText } from '../../src/kit/bcd.ts';
import type { FieldValue } from '../../src/kit/items.ts';
import type { Field, Item } from './items.ts';

/** The values of the whole fields in `data`; a block ends where its bytes end. */
export function valuesOf(item: Item, data: Uint8Array): FieldValue[] {
  const out: FieldValue[] = [];
  let at = 0;
  const take = (field: Field): void => {
    out.push(...read(field, data.subarray(at, at + field.bytes)));
    at += field.bytes;
  };
  for (const field of item.fields) {
    // A whole item of the wrong length is no item: which byte belongs to which field would be a guess.
    if (item.more === undefined && item.fields.length === 1 && data.length !== field.bytes) out.push(nothing(field));
    else if (at + field.bytes <= data.length) take(field);
    else if (item.more === undefined) out.push(nothing(field));
  }
  for (let n = 0; item.more !== undefined; n++) {
    const field = item.more(n);
    if (at + field.bytes > data.length) break;
    take(field);
  }
  return out;
}

function read(field: Field, bytes: Uint8Array): FieldValue[] {
  if (field.as === 'date') return date(bytes);
  const value = bytes.every((b) => b === 0xff) && field.as !== 'bits' ? undefined : one(field, bytes);
  return [{ ...nothing(field), value: value ?? null }];
}

function nothing({ name, unit }: Field): FieldValue {
  return { name, value: null, ...(unit === undefined ? {} : { unit }) };
}

function one(field: Field, b: Uint8Array): number | string | undefined {
  switch (field.as) {
    case 'bcd':
      return scaled(bcd(b, 0, b.length), field);
    case 'signed':
      return signed(field, b);
    case 'digits':
      return bcd(b, 0, b.length) === undefined ? undefined : digitsOf(b, 0, b.length);
    case 'text':
      return text(b);
    case 'time':
      return timeText(bcdByte(b[2]), bcdByte(b[1]), bcdByte(b[0]) ?? 99);
    case 'moment':
      return moment(b);
    case 'bits':
      return b.reduceRight((sum, x) => sum * 256 + x, 0);
    default:
      return undefined;
  }
}

const scaled = (raw: number | undefined, field: Field): number | undefined =>
  raw === undefined ? undefined : decimal(raw, field.digits ?? 0);

function signed(field: Field, b: Uint8Array): number | undefined {
  const top = b[b.length - 1] ?? 0;
  const plain = b.slice();
  plain[plain.length - 1] = top & 0x7f;
  const value = scaled(bcd(plain, 0, plain.length), field);
  return value === undefined || top < 0x80 || value === 0 ? value : -value;
}

/** ASCII, sent backwards and padded with zeros. */
function text(b: Uint8Array): string | undefined {
  const chars = [...b].reverse().filter((c) => c !== 0);
  return chars.every((c) => c >= 0x20 && c < 0x7f) ? String.fromCharCode(...chars).trim() : undefined;
}

function moment(b: Uint8Array): string | undefined {
  const day = dateText(bcdByte(b[4]), bcdByte(b[3]), bcdByte(b[2]));
  const time = timeText(bcdByte(b[1]), bcdByte(b[0]));
  return day === undefined || time === undefined ? undefined : `${day} ${time}`;
}

/** WW DD MM YY; a weekday beside an impossible date is as doubtful as the date. */
function date(b: Uint8Array): FieldValue[] {
  const day = dateText(bcdByte(b[3]), bcdByte(b[2]), bcdByte(b[1]));
  const weekday = bcdByte(b[0]);
  const known = day !== undefined && weekday !== undefined && weekday <= 6;
  return [
    { name: 'date', value: known ? day : null },
    { name: 'weekday', value: known ? weekday : null },
  ];
}
