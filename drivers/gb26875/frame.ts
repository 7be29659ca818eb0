/**
 * Frames of GB/T 26875.3-2011 (clause 6): `40 40`, serial, version, time, source, target, length, command, data, sum, `23 23`. Integers are low byte
 * first; times are six binary bytes from second to year. The sum runs from the serial to the last byte of data.
 */
import { dateText, hexByte, sum8, timeText } from '../../src/kit/bcd.ts';
import type { Grammar } from '../../src/kit/frames.ts';

export const SEND = 2;
export const ACK = 3;
export const DENY = 6;
const HEAD = 27;
const TAIL = 3;
const MOST_DATA = 1024;

export interface Frame26875 {
  readonly serial: number;
  /** main and user version */
  readonly version: readonly [number, number];
  readonly time: string | null;
  /** six bytes, low byte first, as a number */
  readonly source: number;
  readonly target: number;
  readonly command: number;
  readonly data: Uint8Array;
  /** the whole frame */
  readonly bytes: Uint8Array;
}

export const grammar26875: Grammar<Frame26875> = (bytes, at) => {
  if (bytes[at] !== 0x40) return undefined;
  const left = bytes.length - at;
  if (left > 1 && bytes[at + 1] !== 0x40) return undefined;
  if (left < HEAD + TAIL) return { kind: 'need', bytes: HEAD + TAIL - left };
  const length = int(bytes, at + 24, 2);
  if (length > MOST_DATA) return undefined;
  const end = at + HEAD + length + TAIL;
  if (end > bytes.length) return { kind: 'need', bytes: end - bytes.length };
  if (bytes[end - 1] !== 0x23 || bytes[end - 2] !== 0x23) return undefined;
  const computed = sum8(bytes, at + 2, end - 3);
  const wire = bytes[end - 3] as number;
  if (computed !== wire) return { kind: 'bad', computed: hexByte(computed), wire: hexByte(wire) };
  return { kind: 'frame', end, frame: frameOf(bytes.slice(at, end)) };
};

function frameOf(bytes: Uint8Array): Frame26875 {
  return {
    serial: int(bytes, 2, 2),
    version: [bytes[4] ?? 0, bytes[5] ?? 0],
    time: timeAt(bytes, 6),
    source: int(bytes, 12, 6),
    target: int(bytes, 18, 6),
    command: bytes[26] ?? 0,
    data: bytes.subarray(HEAD, -TAIL),
    bytes,
  };
}

/** Low byte first; six bytes are exact in a number. */
export function int(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

/** Six binary bytes, second to year; null when there is no such moment. */
export function timeAt(bytes: Uint8Array, at: number): string | null {
  const [second = 99, minute, hour, day, month, year] = bytes.subarray(at, at + 6);
  const on = year === undefined || year > 99 ? undefined : dateText(year, month, day);
  const time = timeText(hour, minute, second);
  return on === undefined || time === undefined ? null : `${on} ${time}`;
}

/** The acknowledgement of a frame: same serial, version and time, addresses exchanged, no data. */
export function ackOf({ bytes }: Frame26875): Uint8Array {
  const out = new Uint8Array(HEAD + TAIL);
  out.set(bytes.subarray(0, 12));
  out.set(bytes.subarray(18, 24), 12);
  out.set(bytes.subarray(12, 18), 18);
  out[26] = ACK;
  return closed(out);
}

/** A frame to send, for the simulator. @param time six bytes */
export function build26875(
  { serial, source, target, command }: Pick<Frame26875, 'serial' | 'source' | 'target' | 'command'>,
  time: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  const out = new Uint8Array(HEAD + data.length + TAIL);
  out.set([0x40, 0x40, serial & 0xff, serial >> 8, 1, 1, ...time]);
  for (let i = 0; i < 6; i++) {
    out[12 + i] = Math.floor(source / 256 ** i) & 0xff;
    out[18 + i] = Math.floor(target / 256 ** i) & 0xff;
  }
  out.set([data.length & 0xff, data.length >> 8, command, ...data], 24);
  return closed(out);
}

function closed(out: Uint8Array): Uint8Array {
  const end = out.length;
  out[end - 3] = sum8(out, 2, end - 3);
  out[end - 2] = 0x23;
  out[end - 1] = 0x23;
  return out;
}
