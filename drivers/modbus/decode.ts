/** RTU frames explained: what the bytes say by the protocol alone. Never throws, whatever the bytes. */
import { crc16, hex } from '../../src/base/bytes.ts';
import type { DecodeAsk, Decoded } from '../../src/kit/driver.ts';
import { crcOk } from './frame.ts';
import { exceptionMeaning } from './pdu.ts';

const READS = [1, 2, 3, 4];
const WRITES = [5, 6, 15, 16];

interface Found {
  readonly start: number;
  readonly end: number;
}

export function decodeModbus(ask: DecodeAsk): Decoded {
  const { request } = ask;
  const response = ask.response ?? request ?? new Uint8Array(0);
  if (response.length === 0) return { outcome: 'need-more', reason: 'no bytes' };
  const frames = framesIn(response, request);
  const wanted = request !== undefined && crcOk(request, 0, request.length) ? request : undefined;
  const own = frames.find((f) => isReply(response, f, wanted)) ?? (wanted === undefined ? frames[0] : undefined);
  if (own === undefined) {
    const first = frames[0];
    if (first === undefined) return nothing(response, wanted);
    return {
      outcome: 'ignore',
      reason: ignoredBecause(response, first, wanted),
      slave: response[first.start] ?? 0,
      ...outside(response, first),
    };
  }
  return { ...explain(response.subarray(own.start, own.end), wanted), ...outside(response, own) };
}

/** Every place where a frame with a right CRC stands, one after the other. */
function framesIn(bytes: Uint8Array, request: Uint8Array | undefined): Found[] {
  const found: Found[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = lengthsAt(bytes, at, request)
      .map((length) => at + length)
      .find((e) => e <= bytes.length && crcOk(bytes, at, e));
    if (end === undefined) at++;
    else {
      found.push({ start: at, end });
      at = end;
    }
  }
  return found;
}

function lengthsAt(bytes: Uint8Array, at: number, request: Uint8Array | undefined): number[] {
  const code = bytes[at + 1] ?? 0;
  if (code > 0x80) return [5];
  if (READS.includes(code)) return [5 + (bytes[at + 2] ?? 0), 8];
  if (code === 15 || code === 16) return [8, 9 + (bytes[at + 6] ?? 0)];
  if (code === 5 || code === 6) return [8];
  // An unknown function ends where the bytes end.
  return at === 0 || request !== undefined ? [bytes.length - at] : [];
}

function isReply(bytes: Uint8Array, found: Found, request: Uint8Array | undefined): boolean {
  if (request === undefined) return true;
  const code = bytes[found.start + 1] ?? 0;
  if (bytes[found.start] !== request[0] || (code & 0x7f) !== request[1]) return false;
  if (code > 0x80) return true;
  const length = found.end - found.start;
  const count = ((request[4] ?? 0) << 8) | (request[5] ?? 0);
  if (code === 3 || code === 4) return length === 5 + 2 * count;
  if (code === 1 || code === 2) return length === 5 + Math.ceil(count / 8);
  for (let i = 2; i < 6; i++) if (bytes[found.start + i] !== request[i]) return false;
  return true;
}

function ignoredBecause(bytes: Uint8Array, found: Found, request: Uint8Array | undefined): string {
  const frame = bytes.subarray(found.start, found.end);
  if (request !== undefined && hex(frame) === hex(request)) return 'echo of the request';
  if (frame[0] !== request?.[0]) return `slave ${frame[0]} answered, slave ${request?.[0]} was asked`;
  if (((frame[1] ?? 0) & 0x7f) !== request?.[1])
    return `function ${frame[1]} answered, function ${request?.[1]} was asked`;
  return 'length or address is not what was asked for';
}

function nothing(bytes: Uint8Array, request: Uint8Array | undefined): Decoded {
  const expected = lengthsAt(bytes, 0, request)[0] ?? 4;
  const known = READS.includes((bytes[1] ?? 0) & 0x7f) || WRITES.includes((bytes[1] ?? 0) & 0x7f);
  if (known && bytes.length < expected) return { outcome: 'need-more', have: bytes.length, need: expected };
  if (bytes.length < 4) return { outcome: 'need-more', have: bytes.length, need: 5 };
  const end = known ? Math.min(expected, bytes.length) : bytes.length;
  const computed = crc16(bytes, 0, end - 2);
  return {
    outcome: 'reject',
    reason: 'crc',
    computed: hex(Uint8Array.of(computed & 0xff, computed >> 8)),
    on_wire: hex(bytes.subarray(end - 2, end)),
  };
}

function outside(bytes: Uint8Array, found: Found): { bytes_outside_frame?: { before: number; after: number } } {
  const before = found.start;
  const after = bytes.length - found.end;
  return before === 0 && after === 0 ? {} : { bytes_outside_frame: { before, after } };
}

function explain(frame: Uint8Array, request: Uint8Array | undefined): Decoded {
  const slave = frame[0] ?? 0;
  const code = frame[1] ?? 0;
  const word = (at: number): number => ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
  if (code > 0x80) {
    const exception = frame[2] ?? 0;
    return { outcome: 'error-reply', slave, function: code & 0x7f, exception, meaning: exceptionMeaning(exception).en };
  }
  const isReadReply = READS.includes(code) && frame.length === 5 + (frame[2] ?? 0);
  if (isReadReply) return readReply(frame, slave, code, request);
  if (READS.includes(code)) return { outcome: 'request', slave, function: code, address: word(2), count: word(4) };
  if (code === 6) return { outcome: 'ack', slave, function: code, register: word(2), value: word(4) };
  if (code === 5) return coilAck(slave, word(2), word(4));
  if (code === 15 || code === 16) {
    if (frame.length > 8) return { outcome: 'request', slave, function: code, address: word(2), count: word(4) };
    return { outcome: 'ack', slave, function: code, [code === 15 ? 'coil' : 'register']: word(2), count: word(4) };
  }
  return { outcome: 'unexpected', slave, function: code, data: hex(frame.subarray(2, -2)) };
}

function coilAck(slave: number, coil: number, word: number): Decoded {
  if (word !== 0xff00 && word !== 0)
    return { outcome: 'reject', reason: 'coil value is neither FF00 nor 0000', slave, function: 5 };
  return { outcome: 'ack', slave, function: 5, coil, value: word === 0xff00 };
}

function readReply(frame: Uint8Array, slave: number, code: number, request: Uint8Array | undefined): Decoded {
  const data = frame.subarray(3, -2);
  if (code <= 2) {
    const asked = request === undefined ? data.length * 8 : ((request[4] ?? 0) << 8) | (request[5] ?? 0);
    const bits = Array.from(
      { length: Math.min(asked, data.length * 8) },
      (_, i) => ((data[i >> 3] ?? 0) >> (i & 7)) & 1,
    );
    return { outcome: 'values', slave, function: code, bits };
  }
  if (data.length % 2 !== 0) return { outcome: 'reject', reason: 'odd number of data bytes', slave, function: code };
  const registers = Array.from(
    { length: data.length / 2 },
    (_, i) => ((data[2 * i] ?? 0) << 8) | (data[2 * i + 1] ?? 0),
  );
  return { outcome: 'values', slave, function: code, registers };
}
