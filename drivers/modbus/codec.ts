/**
 * Values in registers and coils. Register numbers are 0-based PDU addresses; a register is two bytes, high byte first (Modbus Application
 * Protocol V1.1b3, 4.2). How wider values lie in several registers is the maker's choice: `order`.
 *
 * A value is told exactly or not at all: integers beyond 2^53, digits that are no BCD, text that is no UTF-8 and floats that are no number
 * become "no value" with a reason. Scales of the form m/10^n are applied as one division of integers, so that 2275 x 0.1 is 227.5.
 */
import type { Reason, Value } from '../../src/base/reading.ts';

export const ORDERS = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
export type Order = (typeof ORDERS)[number];
export const NUMBER_TYPES = [
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float32',
  'float64',
  'bcd16',
  'bcd32',
] as const;
export type NumberType = (typeof NUMBER_TYPES)[number];
export type ValueType = NumberType | 'bool' | 'string';

export interface Layout {
  readonly as: ValueType;
  readonly order: Order;
  /** characters of a string */
  readonly length: number;
  readonly bit?: number | undefined;
  readonly scale: number;
  readonly offset: number;
  /** raw values that mean "no value" */
  readonly nan: readonly number[];
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

export type Decoding = { readonly value: Value } | { readonly value: null; readonly why: Reason };

const BYTES: Readonly<Record<NumberType, number>> = {
  int16: 2,
  uint16: 2,
  bcd16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  bcd32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
};

/** Registers a value takes; a bit of a register and a coil take one. */
export function registersOf(layout: Pick<Layout, 'as' | 'length'>): number {
  if (layout.as === 'bool') return 1;
  if (layout.as === 'string') return Math.ceil(layout.length / 2);
  return BYTES[layout.as] / 2;
}

const none = (why: Reason): Decoding => ({ value: null, why });

/** A function that reads the value at a byte offset. Made once per point; it keeps no state between calls. */
export function decoderOf(layout: Layout): (bytes: Uint8Array, at: number) => Decoding {
  if (layout.as === 'bool') return boolDecoder(layout);
  if (layout.as === 'string') return stringDecoder(layout);
  const type = layout.as;
  const size = BYTES[type];
  const finish = finisher(layout);
  const bit = layout.bit;
  return (bytes, at) => {
    const view = ordered(bytes, at, size, layout.order);
    const raw = readNumber(view, type);
    if (raw === undefined) return none('range');
    if (Number.isNaN(raw) || !Number.isFinite(raw)) return none('nan');
    if (layout.nan.length > 0 && layout.nan.includes(raw)) return none('nan');
    if (bit !== undefined) return { value: Math.floor(raw / 2 ** bit) % 2 !== 0 };
    return finish(raw);
  };
}

function boolDecoder(layout: Layout): (bytes: Uint8Array, at: number) => Decoding {
  const bit = layout.bit;
  return (bytes, at) => {
    const raw = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    if (layout.nan.includes(raw)) return none('nan');
    return { value: bit === undefined ? raw !== 0 : ((raw >> bit) & 1) === 1 };
  };
}

function stringDecoder(layout: Layout): (bytes: Uint8Array, at: number) => Decoding {
  const swap = layout.order === 'BADC' || layout.order === 'DCBA';
  return (bytes, at) => {
    const raw = bytes.slice(at, at + registersOf(layout) * 2);
    if (swap) for (let i = 0; i + 1 < raw.length; i += 2) raw.set([raw[i + 1] ?? 0, raw[i] ?? 0], i);
    let end = 0;
    while (end < Math.min(raw.length, layout.length) && raw[end] !== 0) end++;
    try {
      return { value: new TextDecoder('utf-8', { fatal: true }).decode(raw.subarray(0, end)).trim() };
    } catch {
      return none('range');
    }
  };
}

/** The bytes of one value, most significant first. */
function ordered(bytes: Uint8Array, at: number, size: number, order: Order): DataView {
  if (order === 'ABCD' || (size === 2 && order === 'CDAB'))
    return new DataView(bytes.buffer, bytes.byteOffset + at, size);
  const out = new Uint8Array(size);
  for (let i = 0; i < size; i++) out[i] = bytes[at + source(i, size, order)] ?? 0;
  return new DataView(out.buffer);
}

function source(i: number, size: number, order: Order): number {
  const word = i >> 1;
  const last = size / 2 - 1;
  const from = order === 'CDAB' || order === 'DCBA' ? last - word : word;
  const byte = order === 'BADC' || order === 'DCBA' ? 1 - (i & 1) : i & 1;
  return from * 2 + byte;
}

/** undefined = these bits are no number of the type, or one that a double cannot tell exactly */
function readNumber(view: DataView, type: NumberType): number | undefined {
  switch (type) {
    case 'int16':
      return view.getInt16(0);
    case 'uint16':
      return view.getUint16(0);
    case 'int32':
      return view.getInt32(0);
    case 'uint32':
      return view.getUint32(0);
    case 'float32':
      return view.getFloat32(0);
    case 'float64':
      return view.getFloat64(0);
    case 'int64':
      return exact(view.getBigInt64(0));
    case 'uint64':
      return exact(view.getBigUint64(0));
    case 'bcd16':
      return bcd(view, 2);
    case 'bcd32':
      return bcd(view, 4);
  }
}

function exact(big: bigint): number | undefined {
  const n = Number(big);
  return Number.isSafeInteger(n) ? n : undefined;
}

function bcd(view: DataView, size: number): number | undefined {
  let n = 0;
  for (let i = 0; i < size; i++) {
    const byte = view.getUint8(i);
    if (byte >> 4 > 9 || (byte & 15) > 9) return undefined;
    n = n * 100 + (byte >> 4) * 10 + (byte & 15);
  }
  return n;
}

function finisher(layout: Layout): (raw: number) => Decoding {
  const { min, max } = layout;
  const scaled = scaler(layout.scale, layout.offset);
  return (raw) => {
    const value = scaled(raw);
    if ((min !== undefined && value < min) || (max !== undefined && value > max)) return none('range');
    return { value: value === 0 ? 0 : value };
  };
}

/** raw * scale + offset without binary noise where scale and offset are decimal numbers of at most 9 places. */
export function scaler(scale: number, offset: number): (raw: number) => number {
  if (scale === 1 && offset === 0) return (raw) => raw;
  for (let places = 0; places <= 9; places++) {
    const power = 10 ** places;
    const m = Math.round(scale * power);
    const n = Math.round(offset * power);
    if (m / power === scale && n / power === offset) return (raw) => (raw * m + n) / power;
  }
  return (raw) => raw * scale + offset;
}

/** The registers for a value, or undefined when the type cannot hold it. */
export function encode(layout: Layout, value: Value): Uint8Array | undefined {
  if (layout.as === 'string' || layout.bit !== undefined) return undefined;
  if (layout.as === 'bool') return typeof value === 'boolean' ? Uint8Array.of(0, value ? 1 : 0) : undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  const raw = (value - layout.offset) / layout.scale;
  const view = new DataView(new ArrayBuffer(BYTES[layout.as]));
  if (!writeNumber(view, layout.as, raw)) return undefined;
  const plain = new Uint8Array(view.buffer);
  const out = new Uint8Array(plain.length);
  for (let i = 0; i < plain.length; i++) out[source(i, plain.length, layout.order)] = plain[i] ?? 0;
  return out;
}

function writeNumber(view: DataView, type: NumberType, raw: number): boolean {
  if (type === 'float32' || type === 'float64') {
    if (type === 'float32') view.setFloat32(0, raw);
    else view.setFloat64(0, raw);
    return true;
  }
  const whole = Math.round(raw);
  // A setpoint between two steps of the register is rounded to the nearer one; anything else is no such value.
  if (Math.abs(whole - raw) > 0.5 || !fits(type, whole)) return false;
  switch (type) {
    case 'int16':
    case 'uint16':
      view.setUint16(0, whole & 0xffff);
      return true;
    case 'int32':
    case 'uint32':
      view.setUint32(0, whole >>> 0);
      return true;
    case 'int64':
      view.setBigInt64(0, BigInt(whole));
      return true;
    case 'uint64':
      view.setBigUint64(0, BigInt(whole));
      return true;
    default: {
      const digits = String(whole).padStart(view.byteLength * 2, '0');
      for (let i = 0; i < view.byteLength; i++) view.setUint8(i, Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
      return true;
    }
  }
}

function fits(type: NumberType, n: number): boolean {
  const bits = BYTES[type] * 8;
  if (type.startsWith('bcd')) return n >= 0 && n < 10 ** (bits / 4);
  if (!Number.isSafeInteger(n)) return false;
  return type.startsWith('u') ? n >= 0 && n < 2 ** bits : n >= -(2 ** (bits - 1)) && n < 2 ** (bits - 1);
}
