/**
 * Frames of DL/T 645 (2007, clause 5; 1997 has the same): `68 A0..A5 68 C L DATA CS 16`. The address is six BCD bytes, lowest first; every byte of
 * DATA is sent with 33h added; CS is the sum from the first 68 to the last byte of DATA.
 */
import { addressFits, digitsOf, fromDigits, hexByte, sum8 } from '../../src/kit/bcd.ts';
import type { Framer } from '../../src/kit/driver.ts';
import { framerOf, type Grammar } from '../../src/kit/frames.ts';

export const WILDCARD = 'A'.repeat(12);
export const BROADCAST = '9'.repeat(12);
const SHIFT = 0x33;
/** a read's reply; the standard says 200 */
const LONGEST = 200;
const PREAMBLE = 4;

export interface Frame645 {
  /** twelve digits, `A` where a wildcard stands */
  readonly address: string;
  readonly control: number;
  /** without the 33h */
  readonly data: Uint8Array;
}

export const fromMeter = (frame: Frame645): boolean => (frame.control & 0x80) !== 0;
export const isRefusal = (frame: Frame645): boolean => (frame.control & 0x40) !== 0;
export const hasMore = (frame: Frame645): boolean => (frame.control & 0x20) !== 0;
export const functionOf = (frame: Frame645): number => frame.control & 0x1f;

export const grammar645: Grammar<Frame645> = (bytes, at) => {
  if (bytes[at] !== 0x68) return undefined;
  const left = bytes.length - at;
  if (left > 7 && bytes[at + 7] !== 0x68) return undefined;
  if (left < 12) return { kind: 'need', bytes: 12 - left };
  const length = bytes[at + 9] as number;
  if (length > LONGEST) return undefined;
  const end = at + 12 + length;
  if (end > bytes.length) return { kind: 'need', bytes: end - bytes.length };
  if (bytes[end - 1] !== 0x16) return undefined;
  const computed = sum8(bytes, at, end - 2);
  const wire = bytes[end - 2] as number;
  if (computed !== wire) return { kind: 'bad', computed: hexByte(computed), wire: hexByte(wire) };
  const frame = {
    address: digitsOf(bytes, at + 1, at + 7),
    control: bytes[at + 8] as number,
    data: bytes.slice(at + 10, at + 10 + length).map((b) => (b - SHIFT) & 0xff),
  };
  return { kind: 'frame', end, frame };
};

/** A frame as it goes on the wire, with the preamble that wakes converters and old meters. */
export function build645({ address, control, data }: Frame645, preamble = PREAMBLE): Uint8Array {
  const out = new Uint8Array(preamble + 12 + data.length).fill(0xfe, 0, preamble);
  out[preamble] = 0x68;
  out.set(fromDigits(address), preamble + 1);
  out.set([0x68, control, data.length], preamble + 7);
  out.set(
    data.map((b) => (b + SHIFT) & 0xff),
    preamble + 10,
  );
  out[out.length - 2] = sum8(out, preamble, out.length - 2);
  out[out.length - 1] = 0x16;
  return out;
}

/**
 * Takes the answer to a request: from the meter, by its function, with the address asked for and beginning with the identifier asked for
 * (`expects`, without 33h). A refusal carries no identifier.
 */
export function framer645(request: Frame645, expects: Uint8Array): Framer {
  return framerOf(grammar645, (frame) => {
    if (!fromMeter(frame)) return 'echo';
    const isMine = addressFits(request.address, frame.address) && functionOf(frame) === functionOf(request);
    return isMine && (isRefusal(frame) || expects.every((b, i) => frame.data[i] === b)) ? 'answer' : 'foreign';
  });
}
