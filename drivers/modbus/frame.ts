/**
 * Frames on the wire: where a reply begins and ends. RTU = unit, function, data, CRC low byte first (Modbus over Serial Line V1.02, 2.5.1);
 * TCP = MBAP header of transaction, protocol 0, length, unit (Modbus Messaging on TCP/IP V1.0b, 3.1.3).
 *
 * A framer is made for one request and knows what the answer must look like: unit, function and length. What stands before is noise or echo;
 * a valid frame of somebody else is skipped. It is a pure function of the bytes.
 */
import { crc16 } from '../../src/base/bytes.ts';
import type { Framer, FrameVerdict } from '../../src/kit/driver.ts';

const NEED: FrameVerdict = { kind: 'need' };
const LONGEST = 256;

/** Length of the normal reply to an RTU request, CRC included; undefined when the function is unknown. */
export function replyLength(request: Uint8Array): number | undefined {
  const count = ((request[4] ?? 0) << 8) | (request[5] ?? 0);
  switch (request[1]) {
    case 1:
    case 2:
      return 5 + Math.ceil(count / 8);
    case 3:
    case 4:
      return 5 + 2 * count;
    case 5:
    case 6:
    case 15:
    case 16:
      return 8;
    default:
      return undefined;
  }
}

export const crcOk = (bytes: Uint8Array, from: number, to: number): boolean =>
  to - from >= 4 && crc16(bytes, from, to - 2) === ((bytes[to - 2] ?? 0) | ((bytes[to - 1] ?? 0) << 8));

export function rtuFramer(request: Uint8Array): Framer {
  const unit = request[0] ?? 0;
  const code = request[1] ?? 0;
  const length = replyLength(request) ?? 8;
  const isWrite = code === 5 || code === 6;
  return (bytes, silent) => {
    for (let at = 0; at < bytes.length; at++) {
      // The line's own bytes come first where a converter echoes; a write's reply is the same bytes again, so only one copy is skipped.
      if (at + request.length <= bytes.length && same(bytes, at, request) && !(isWrite && !echoed(bytes, at, request)))
        return { kind: 'foreign', start: at, end: at + request.length, note: 'echo' };
      const verdict = replyAt(bytes, at, unit, code, length);
      if (verdict !== undefined) return verdict;
      // What may still become the reply is waited for, so that no frame is imagined inside its beginning.
      if (!silent && mayBecomeReply(bytes, at, unit, code, length)) return NEED;
    }
    if (silent && bytes.length >= Math.min(5, length))
      return { kind: 'bad', detail: complaint(bytes, unit, code, length) };
    return NEED;
  };
}

/** For writes: a copy followed by the beginning of a second one is the echo, a single copy is the reply. */
function echoed(bytes: Uint8Array, at: number, request: Uint8Array): boolean {
  return at + 2 * request.length <= bytes.length && same(bytes, at + request.length, request);
}

function mayBecomeReply(bytes: Uint8Array, at: number, unit: number, code: number, length: number): boolean {
  const left = bytes.length - at;
  if (bytes[at] !== unit) return false;
  if (left === 1) return true;
  if (bytes[at + 1] === (code | 0x80)) return left < 5;
  if (bytes[at + 1] !== code || left >= length) return false;
  return code > 4 || left === 2 || bytes[at + 2] === length - 5;
}

function replyAt(bytes: Uint8Array, at: number, unit: number, code: number, length: number): FrameVerdict | undefined {
  if (bytes[at] === unit && bytes[at + 1] === code && at + length <= bytes.length && crcOk(bytes, at, at + length))
    if (code > 4 || bytes[at + 2] === length - 5) return { kind: 'frame', start: at, end: at + length };
  if (bytes[at] === unit && bytes[at + 1] === (code | 0x80) && at + 5 <= bytes.length && crcOk(bytes, at, at + 5))
    return { kind: 'frame', start: at, end: at + 5 };
  const other = foreignAt(bytes, at);
  return other === undefined ? undefined : { kind: 'foreign', start: at, end: other, note: 'foreign' };
}

/** The end of a whole frame that somebody else sent or asked for. */
function foreignAt(bytes: Uint8Array, at: number): number | undefined {
  const code = bytes[at + 1] ?? 0;
  const lengths = code > 0x80 ? [5] : code <= 4 ? [5 + (bytes[at + 2] ?? 0), 8] : [8];
  for (const length of lengths) {
    if (length <= LONGEST && length >= 5 && at + length <= bytes.length && crcOk(bytes, at, at + length))
      return at + length;
  }
  return undefined;
}

function complaint(bytes: Uint8Array, unit: number, code: number, length: number): string {
  if (bytes.length < length && bytes[0] === unit && bytes[1] === code)
    return `short: ${bytes.length} of ${length} bytes`;
  return `CRC or length wrong in ${bytes.length} bytes`;
}

function same(bytes: Uint8Array, at: number, other: Uint8Array): boolean {
  for (let i = 0; i < other.length; i++) if (bytes[at + i] !== other[i]) return false;
  return true;
}

/** RTU request -> Modbus TCP: the CRC goes, the header comes. */
export function toTcp(rtu: Uint8Array, transaction: number): Uint8Array {
  const out = new Uint8Array(rtu.length - 2 + 6);
  out.set([transaction >> 8, transaction & 0xff, 0, 0, (rtu.length - 2) >> 8, (rtu.length - 2) & 0xff]);
  out.set(rtu.subarray(0, rtu.length - 2), 6);
  return out;
}

/** Modbus TCP reply -> RTU, as the codec reads it. */
export function fromTcp(tcp: Uint8Array): Uint8Array {
  const out = new Uint8Array(tcp.length - 6 + 2);
  out.set(tcp.subarray(6));
  const crc = crc16(out, 0, out.length - 2);
  out.set([crc & 0xff, crc >> 8], out.length - 2);
  return out;
}

/** Accepts the reply of one transaction; replies of others (late ones) are skipped. A header that is none means the stream is out of step. */
export function tcpFramer(request: Uint8Array): Framer {
  const wanted = ((request[0] ?? 0) << 8) | (request[1] ?? 0);
  return (bytes) => {
    if (bytes.length < 8) return NEED;
    const length = ((bytes[4] ?? 0) << 8) | (bytes[5] ?? 0);
    if (bytes[2] !== 0 || bytes[3] !== 0 || length < 3 || length > 254)
      return { kind: 'bad', detail: 'no Modbus TCP header' };
    if (bytes.length < 6 + length) return NEED;
    const got = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
    if (got !== wanted) return { kind: 'foreign', start: 0, end: 6 + length, note: 'late' };
    if (bytes[6] !== request[6] || ((bytes[7] ?? 0) & 0x7f) !== request[7])
      return {
        kind: 'bad',
        detail: `unit ${bytes[6]} function ${bytes[7]} answered, not unit ${request[6]} function ${request[7]}`,
      };
    return { kind: 'frame', start: 0, end: 6 + length };
  };
}
