/** Frames as the configuration describes them: from a start or the first byte, to an end marker, a length or a silence; checked by match and checksum. */
import { crc16, hex } from '../../src/base/bytes.ts';
import { sum8 } from '../../src/kit/bcd.ts';
import type { Framer, FrameVerdict } from '../../src/kit/driver.ts';
import type { CHECKSUMS, SerialDevice } from './schema.ts';

type Shape = Pick<SerialDevice, 'request' | 'frame' | 'match' | 'checksum'>;

/** Resolves a place that may count from the end. */
export const placeIn = (length: number, at: number): number => (at < 0 ? length + at : at);

export function framerOfDevice(shape: Shape): Framer {
  return (bytes, silent): FrameVerdict => {
    if (isEcho(bytes, shape.request))
      return { kind: 'foreign', start: 0, end: shape.request?.length ?? 0, note: 'echo' };
    if (mayBeEcho(bytes, shape.request) && !silent) return { kind: 'need' };
    let wrong: string | undefined;
    for (let start = 0; start < bytes.length; start++) {
      if (!stands(bytes, start, shape.frame.start)) continue;
      const end = endOf(bytes, start, shape.frame, silent);
      if (end === undefined) {
        // What may still become a frame is waited for, as long as the line is not silent.
        if (silent) continue;
        return { kind: 'need' };
      }
      const frame = bytes.subarray(start, end);
      const why = checksumWrong(frame, shape.checksum);
      if (why === undefined) {
        const fits = shape.match.every((m) => stands(frame, placeIn(frame.length, m.at), m.bytes));
        return fits ? { kind: 'frame', start, end } : { kind: 'foreign', start, end, note: 'foreign' };
      }
      wrong ??= why;
      // Without a start marker nothing says where else a frame could begin.
      if (shape.frame.start === undefined && shape.frame.length === undefined) break;
    }
    return silent && wrong !== undefined ? { kind: 'bad', detail: wrong } : { kind: 'need' };
  };
}

function endOf(bytes: Uint8Array, start: number, frame: SerialDevice['frame'], silent: boolean): number | undefined {
  if (frame.length !== undefined) return start + frame.length <= bytes.length ? start + frame.length : undefined;
  if (frame.end !== undefined) {
    for (let at = start + (frame.start?.length ?? 0); at + frame.end.length <= bytes.length; at++)
      if (stands(bytes, at, frame.end)) return at + frame.end.length;
    return undefined;
  }
  return silent ? bytes.length : undefined;
}

const isEcho = (bytes: Uint8Array, request: Uint8Array | undefined): boolean =>
  request !== undefined && stands(bytes, 0, request);

const mayBeEcho = (bytes: Uint8Array, request: Uint8Array | undefined): boolean =>
  request !== undefined && bytes.length < request.length && bytes.every((b, i) => b === request[i]);

function stands(bytes: Uint8Array, at: number, what: Uint8Array | undefined): boolean {
  return (
    what === undefined || (at >= 0 && at + what.length <= bytes.length && what.every((b, i) => bytes[at + i] === b))
  );
}

/** Undefined when it is right. */
function checksumWrong(frame: Uint8Array, rule: SerialDevice['checksum']): string | undefined {
  if (rule === undefined) return undefined;
  const at = placeIn(frame.length, rule.at);
  const [from, to] = [placeIn(frame.length, rule.from), rule.to === undefined ? at : placeIn(frame.length, rule.to)];
  const computed = checksum(rule.kind, frame, from, to);
  if (from < 0 || to <= from || at < 0 || at + computed.length > frame.length) return 'too short for its checksum';
  const wire = frame.subarray(at, at + computed.length);
  return computed.every((b, i) => b === wire[i])
    ? undefined
    : `checksum: computed ${hex(computed)}, on wire ${hex(wire)}`;
}

/** The checksum's bytes as they go on the wire. */
export function checksum(kind: (typeof CHECKSUMS)[number], bytes: Uint8Array, from: number, to: number): Uint8Array {
  switch (kind) {
    case 'sum8':
      return Uint8Array.of(sum8(bytes, from, to));
    case 'lrc':
      return Uint8Array.of(-sum8(bytes, from, to) & 0xff);
    case 'xor8':
      return Uint8Array.of(bytes.subarray(Math.max(0, from), Math.max(0, to)).reduce((x, b) => x ^ b, 0));
    default: {
      const crc = from < to ? crc16(bytes, from, to) : 0;
      return kind === 'crc16' ? Uint8Array.of(crc & 0xff, crc >> 8) : Uint8Array.of(crc >> 8, crc & 0xff);
    }
  }
}
