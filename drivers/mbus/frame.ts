/**
 * Frames of M-Bus (EN 13757-2, 5.5; EN 60870-5-1 format class FT 1.2): the single byte E5, the short frame `10 C A CS 16`, the long frame
 * `68 L L 68 C A CI data CS 16`. CS is the sum from C to the last byte before it.
 */
import { fromDigits, hexByte, sum8 } from '../../src/kit/bcd.ts';
import type { Framer } from '../../src/kit/driver.ts';
import { framerOf, type Grammar } from '../../src/kit/frames.ts';

export const ACK = 0xe5;
export const SND_NKE = 0x40;
export const SND_UD = 0x53;
/** frame count bit set; toggled from telegram to telegram */
export const REQ_UD2 = 0x7b;
export const FCB = 0x20;
/** whoever was selected by its secondary address */
export const SELECTED = 0xfd;

export interface FrameMbus {
  readonly kind: 'ack' | 'short' | 'long';
  readonly control: number;
  /** primary address */
  readonly address: number;
  readonly ci: number;
  /** behind CI */
  readonly data: Uint8Array;
}

const NOTHING = new Uint8Array(0);
const acknowledged: FrameMbus = { kind: 'ack', control: ACK, address: 0, ci: 0, data: NOTHING };

export const grammarMbus: Grammar<FrameMbus> = (bytes, at) => {
  const left = bytes.length - at;
  if (bytes[at] === ACK) return { kind: 'frame', end: at + 1, frame: acknowledged };
  if (bytes[at] === 0x10) {
    if (left < 5) return { kind: 'need', bytes: 5 - left };
    const [, control = 0, address = 0, check = 0, end] = bytes.subarray(at, at + 5);
    if (end !== 0x16 || ((control + address) & 0xff) !== check) return undefined;
    return { kind: 'frame', end: at + 5, frame: { kind: 'short', control, address, ci: 0, data: NOTHING } };
  }
  return bytes[at] === 0x68 ? long(bytes, at, left) : undefined;
};

function long(bytes: Uint8Array, at: number, left: number): ReturnType<Grammar<FrameMbus>> {
  if (left < 4) return { kind: 'need', bytes: 4 - left };
  const length = bytes[at + 1] as number;
  if (bytes[at + 2] !== length || bytes[at + 3] !== 0x68 || length < 3) return undefined;
  const end = at + 6 + length;
  if (end > bytes.length) return { kind: 'need', bytes: end - bytes.length };
  if (bytes[end - 1] !== 0x16) return undefined;
  const computed = sum8(bytes, at + 4, end - 2);
  const wire = bytes[end - 2] as number;
  if (computed !== wire) return { kind: 'bad', computed: hexByte(computed), wire: hexByte(wire) };
  const [control = 0, address = 0, ci = 0] = bytes.subarray(at + 4, at + 7);
  return { kind: 'frame', end, frame: { kind: 'long', control, address, ci, data: bytes.slice(at + 7, end - 2) } };
}

export function short(control: number, address: number): Uint8Array {
  return Uint8Array.of(0x10, control, address, (control + address) & 0xff, 0x16);
}

export function longFrame(control: number, address: number, ci: number, data: Uint8Array): Uint8Array {
  const length = data.length + 3;
  const out = Uint8Array.of(0x68, length, length, 0x68, control, address, ci, ...data, 0, 0x16);
  out[out.length - 2] = sum8(out, 4, out.length - 2);
  return out;
}

/** Selects a meter by its number (EN 13757-3, 11.3); maker, version and medium may be anybody's. */
export function select(number: string): Uint8Array {
  return longFrame(SND_UD, SELECTED, 0x52, Uint8Array.of(...fromDigits(number), 0xff, 0xff, 0xff, 0xff));
}

export const ackFramer: Framer = framerOf(grammarMbus, ({ kind }) =>
  kind === 'ack' ? 'answer' : kind === 'short' ? 'echo' : 'foreign',
);

/** Takes the data of the meter asked for: by its primary address, or by the number that was selected. */
export function dataFramer(address: number, number: string | undefined): Framer {
  return framerOf(grammarMbus, (frame) => {
    if (frame.kind !== 'long' || (frame.control & 0x4f) !== 0x08) return frame.kind === 'ack' ? 'foreign' : 'echo';
    const isMine = number === undefined ? frame.address === address : hasNumber(frame, number);
    return isMine ? 'answer' : 'foreign';
  });
}

function hasNumber({ ci, data }: FrameMbus, number: string): boolean {
  return ci !== 0x72 || fromDigits(number).every((b, i) => data[i] === b);
}
