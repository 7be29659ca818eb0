/**
 * Data records of a variable reply (EN 13757-3, clause 6): header of twelve bytes, then `DIF [DIFE..] VIF [VIFE..] data`. Values are exact decimals of
 * the integers or BCD digits sent; only a meter that sends floats gives floats.
 */
import { hex } from '../../src/base/bytes.ts';
import { bcd, decimal, digitsOf, hexByte } from '../../src/kit/bcd.ts';

export interface Header {
  readonly id: string;
  readonly manufacturer: string;
  readonly version: number;
  readonly medium: string;
  readonly access_no: number;
  readonly status: string;
}

export interface Record {
  readonly name: string;
  /** a string is text, or the raw bytes of what is not in the table */
  readonly value: number | string | null;
  /** UCUM */
  readonly unit?: string;
  readonly function: 'inst' | 'max' | 'min' | 'error-state';
  readonly storage: number;
  readonly tariff: number;
  readonly device: number;
}

export interface Telegram {
  readonly header: Header;
  readonly records: readonly Record[];
  readonly maker?: Uint8Array;
  /** more data in the next telegram (DIF 1F) */
  readonly more: boolean;
}

const HEADER = 12;
const FUNCTIONS = ['inst', 'max', 'min', 'error-state'] as const;
/** bytes of data by the low half of the DIF; D is variable */
const LENGTHS = [0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, -1, 6, -1] as const;
const MOST_EXTENSIONS = 10;

export function headerOf(data: Uint8Array): Header {
  const maker = (data[4] ?? 0) | ((data[5] ?? 0) << 8);
  const letter = (shift: number): string => String.fromCharCode(64 + ((maker >> shift) & 31));
  return {
    id: digitsOf(data, 0, 4),
    manufacturer: letter(10) + letter(5) + letter(0),
    version: data[6] ?? 0,
    medium: hexByte(data[7] ?? 0),
    access_no: data[8] ?? 0,
    status: hexByte(data[9] ?? 0),
  };
}

/** Undefined when a record runs over the end: then nothing in the telegram is certain. */
export function telegramOf(data: Uint8Array): Telegram | undefined {
  if (data.length < HEADER) return undefined;
  const records: Record[] = [];
  const header = headerOf(data);
  for (let at = HEADER; at < data.length; ) {
    const dif = data[at] as number;
    if (dif === 0x2f) at++;
    else if ((dif & 0x0f) === 0x0f) {
      const maker = dif === 0x0f || dif === 0x1f ? data.slice(at + 1) : undefined;
      return { header, records, ...(maker === undefined ? {} : { maker }), more: dif === 0x1f };
    } else {
      const read = recordAt(data, at);
      if (read === undefined) return undefined;
      records.push(read.record);
      at = read.end;
    }
  }
  return { header, records, more: false };
}

function recordAt(data: Uint8Array, start: number): { record: Record; end: number } | undefined {
  const dif = data[start] as number;
  let at = start + 1;
  let storage = (dif >> 6) & 1;
  let tariff = 0;
  let device = 0;
  for (let n = 0, more = dif & 0x80; more !== 0; n++) {
    const dife = data[at++];
    if (dife === undefined || n >= MOST_EXTENSIONS) return undefined;
    storage += (dife & 0x0f) * 2 ** (1 + 4 * n);
    tariff += ((dife >> 4) & 3) * 4 ** n;
    device += ((dife >> 6) & 1) * 2 ** n;
    more = dife & 0x80;
  }
  const vif = vifAt(data, at);
  if (vif === undefined) return undefined;
  at = vif.end;
  const coding = dif & 0x0f;
  let length: number = LENGTHS[coding] ?? 0;
  if (coding === 0x0d) {
    const lvar = data[at++];
    if (lvar === undefined || lvar >= 0xc0) return undefined;
    length = lvar;
  }
  if (at + length > data.length) return undefined;
  const bytes = data.subarray(at, at + length);
  const where = { function: FUNCTIONS[(dif >> 4) & 3] ?? 'inst', storage, tariff, device };
  return { record: { ...quantity(vif.code, vif.text, coding, bytes), ...where }, end: at + length };
}

/** Value information: one code, for the extension tables FB and FD two; what follows only refines it. */
function vifAt(data: Uint8Array, start: number): { code: number; text?: string; end: number } | undefined {
  const first = data[start];
  if (first === undefined) return undefined;
  let at = start + 1;
  let code = first & 0x7f;
  let text: string | undefined;
  if (code === 0x7c) {
    const length = data[at++] ?? 0;
    text = textOf(data.subarray(at, at + length));
    at += length;
  } else if (first === 0xfd || first === 0xfb) {
    const second = data[at++];
    if (second === undefined) return undefined;
    code = (first << 8) | (second & 0x7f);
    if ((second & 0x80) === 0) return { code, end: at };
  }
  for (let n = 0, more = first & 0x80 || code > 0xff ? 0x80 : 0; more !== 0; n++) {
    const vife = data[at++];
    if (vife === undefined || n >= MOST_EXTENSIONS) return undefined;
    more = vife & 0x80;
  }
  return { code, ...(text === undefined ? {} : { text }), end: at };
}

/** first code, how many, name, UCUM, power of ten of the first */
const TABLE: readonly (readonly [number, number, string, string, number])[] = [
  [0x00, 8, 'energy', 'W.h', -3],
  [0x08, 8, 'energy', 'J', 0],
  [0x10, 8, 'volume', 'm3', -6],
  [0x28, 8, 'power', 'W', -3],
  [0x38, 8, 'volume_flow', 'm3/h', -6],
  [0x58, 4, 'flow_temp', 'Cel', -3],
  [0x5c, 4, 'return_temp', 'Cel', -3],
  [0x60, 4, 'temp_difference', 'K', -3],
  [0xfd40, 16, 'voltage', 'V', -9],
  [0xfd50, 16, 'current', 'A', -12],
];

function quantity(
  code: number,
  text: string | undefined,
  coding: number,
  bytes: Uint8Array,
): Pick<Record, 'name' | 'value' | 'unit'> {
  if (code === 0x78) return { name: 'fabrication_no', value: numberOf(coding, bytes, 0) };
  const row = TABLE.find(([first, count]) => code >= first && code < first + count);
  if (row !== undefined) {
    const [first, , name, unit, power] = row;
    return { name, value: coding === 0x0d ? null : numberOf(coding, bytes, power + code - first), unit };
  }
  const name = text ?? `vif ${code > 0xff ? `${hexByte(code >> 8)} ${hexByte(code & 0xff)}` : hexByte(code)}`;
  return { name, value: coding === 0x0d ? (textOf(bytes) ?? `raw ${hex(bytes)}`) : `raw ${hex(bytes)}` };
}

/** Text is sent backwards. */
function textOf(bytes: Uint8Array): string | undefined {
  const chars = [...bytes].reverse();
  return chars.every((c) => c >= 0x20 && c < 0x7f) ? String.fromCharCode(...chars) : undefined;
}

function numberOf(coding: number, bytes: Uint8Array, power: number): number | null {
  if (bytes.length === 0) return null;
  if (coding === 5) return float(bytes, power);
  const raw = coding >= 8 ? digits(bytes) : integer(bytes);
  return raw === undefined ? null : decimal(raw, -power);
}

/** Seven digits are all a float32 has; nine decimals show them. */
function float(bytes: Uint8Array, power: number): number | null {
  const value = new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
  return Number.isFinite(value) ? Number((value * 10 ** power).toFixed(9)) : null;
}

/** Two's complement, lowest byte first; none beyond what a number holds exactly. */
function integer(bytes: Uint8Array): number | undefined {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = value * 256n + BigInt(bytes[i] as number);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  return signed > BigInt(Number.MAX_SAFE_INTEGER) || signed < BigInt(Number.MIN_SAFE_INTEGER)
    ? undefined
    : Number(signed);
}

/** BCD; an F in the highest place is a minus (EN 13757-3, annex B). */
function digits(bytes: Uint8Array): number | undefined {
  const plain = bytes.slice();
  const top = plain.at(-1) ?? 0;
  if (top >> 4 !== 0xf) return bcd(plain, 0, plain.length);
  plain[plain.length - 1] = top & 0x0f;
  const value = bcd(plain, 0, plain.length);
  return value === undefined || value === 0 ? value : -value;
}
