/**
 * Frames of CJ/T 188 (2004 clause 5, 2018 clause 7): `68 T A0..A6 C L DATA CS 16`; nothing is added to the bytes of DATA, which begin with identifier
 * and serial. Meters differ in the order of the identifier's two bytes, and some answer with another type or serial than asked.
 */
import { addressFits, digitsOf, fromDigits, hexByte, sum8 } from '../../src/kit/bcd.ts';
import type { Framer } from '../../src/kit/driver.ts';
import { framerOf, type Grammar } from '../../src/kit/frames.ts';

export type DiOrder = 'low-first' | 'high-first';

const LONGEST = 0xc8;
const PREAMBLE = 4;

export interface Frame188 {
  readonly type: number;
  /** fourteen digits, `A` where a wildcard stands */
  readonly address: string;
  readonly control: number;
  readonly data: Uint8Array;
}

export const fromMeter = (frame: Frame188): boolean => (frame.control & 0x80) !== 0;
export const isRefusal = (frame: Frame188): boolean => (frame.control & 0x40) !== 0;
export const functionOf = (frame: Frame188): number => frame.control & 0x1f;

export const grammar188: Grammar<Frame188> = (bytes, at) => {
  if (bytes[at] !== 0x68) return undefined;
  const left = bytes.length - at;
  const type = bytes[at + 1];
  if (type !== undefined && type !== 0xaa && (type < 0x10 || type > 0x5f)) return undefined;
  if (left < 13) return { kind: 'need', bytes: 13 - left };
  const length = bytes[at + 10] as number;
  if (length > LONGEST) return undefined;
  const end = at + 13 + length;
  if (end > bytes.length) return { kind: 'need', bytes: end - bytes.length };
  if (bytes[end - 1] !== 0x16) return undefined;
  const computed = sum8(bytes, at, end - 2);
  const wire = bytes[end - 2] as number;
  if (computed !== wire) return { kind: 'bad', computed: hexByte(computed), wire: hexByte(wire) };
  const frame = {
    type: type ?? 0,
    address: digitsOf(bytes, at + 2, at + 9),
    control: bytes[at + 9] as number,
    data: bytes.slice(at + 11, end - 2),
  };
  return { kind: 'frame', end, frame };
};

/** A frame as it goes on the wire; battery meters wake up by the preamble. */
export function build188({ type, address, control, data }: Frame188, preamble = PREAMBLE): Uint8Array {
  const out = new Uint8Array(preamble + 13 + data.length).fill(0xfe, 0, preamble);
  out[preamble] = 0x68;
  out[preamble + 1] = type;
  out.set(fromDigits(address), preamble + 2);
  out[preamble + 9] = control;
  out[preamble + 10] = data.length;
  out.set(data, preamble + 11);
  out[out.length - 2] = sum8(out, preamble, out.length - 2);
  out[out.length - 1] = 0x16;
  return out;
}

/** The first bytes of DATA: the identifier in this order, and the serial. */
export function idBytes(di: string, order: DiOrder, serial: number): Uint8Array {
  const high = Number.parseInt(di.slice(0, 2), 16);
  const low = Number.parseInt(di.slice(2, 4), 16);
  return order === 'low-first' ? Uint8Array.of(low, high, serial) : Uint8Array.of(high, low, serial);
}

/** The identifier a reply or request begins with, in either order; the first byte of all known ones tells which it is. */
export function idOf(data: Uint8Array): { readonly di: string; readonly order: DiOrder } | undefined {
  const [a, b] = data;
  if (a === undefined || b === undefined) return undefined;
  const isHigh = (x: number): boolean => [0x81, 0x90, 0x91, 0xa0, 0xd1, 0xd2, 0xd3, 0xd4].includes(x);
  if (isHigh(a)) return { di: hexByte(a) + hexByte(b), order: 'high-first' };
  return isHigh(b) ? { di: hexByte(b) + hexByte(a), order: 'low-first' } : undefined;
}

/** Takes the answer of the meter that was asked, about the identifier that was asked for; a refusal carries none. */
export function framer188(request: Frame188, di: string): Framer {
  return framerOf(grammar188, (frame) => {
    if (!fromMeter(frame)) return 'echo';
    const isMine = addressFits(request.address, frame.address) && functionOf(frame) === functionOf(request);
    return isMine && (isRefusal(frame) || idOf(frame.data)?.di === di) ? 'answer' : 'foreign';
  });
}
