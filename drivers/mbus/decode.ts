/** M-Bus frames explained. Never throws, whatever the bytes. */
import { hex } from '../../src/base/bytes.ts';
import { hexByte } from '../../src/kit/bcd.ts';
import type { DecodeAsk, Decoded } from '../../src/kit/driver.ts';
import { framesIn, outsideOf } from '../../src/kit/frames.ts';
import { type Record, telegramOf } from './codec.ts';
import { type FrameMbus, grammarMbus } from './frame.ts';

/** EN 13757-3, 9.4 */
const ERRORS = [
  'unspecified error',
  'CI field not implemented',
  'buffer too long',
  'too many records',
  'premature end of record',
  'too many DIFE',
  'too many VIFE',
  'reserved',
  'application busy',
  'too many readouts',
];
const SHOWN: { readonly [unit: string]: string } = { 'W.h': 'Wh', Cel: 'degC' };

export function decodeMbus(ask: DecodeAsk): Decoded {
  const bytes = ask.response ?? ask.request ?? new Uint8Array(0);
  const { found, rejected } = framesIn(bytes, grammarMbus);
  const long = found.find((f) => f.frame.kind === 'long');
  const first = long ?? found[0];
  if (first === undefined) {
    const bad = rejected.find((r) => r.reason === 'bad-checksum');
    if (bad !== undefined) return { outcome: 'reject', reason: `checksum: ${bad.detail}`, rejected };
    return { outcome: rejected.length > 0 || bytes.length === 0 ? 'need-more' : 'reject', rejected };
  }
  // A byte E5 beside the beginning of a frame is more likely a part of it than an answer.
  if (first.frame.kind === 'ack' && rejected.length > 0)
    return { outcome: rejected.some((r) => r.reason === 'bad-checksum') ? 'reject' : 'need-more', rejected };
  const outcome = explain(first.frame, ask.response === undefined);
  return { ...outcome, ...outsideOf(bytes.length, [first]) };
}

function explain(frame: FrameMbus, isRequest: boolean): Decoded {
  const { kind, control, address, ci, data } = frame;
  if (kind === 'ack') return { outcome: 'ack' };
  const isAnswer = kind === 'long' && (control & 0x4f) === 0x08;
  if (!isAnswer) {
    const body = kind === 'long' ? { ci: hexByte(ci), data: hex(data) } : {};
    return { outcome: isRequest ? 'request' : 'ignore', primary: address, control: hexByte(control), ...body };
  }
  if (ci === 0x70) {
    const code = data[0] ?? 0;
    return {
      outcome: 'error-reply',
      primary: address,
      ci: '70',
      error_code: code,
      meaning: ERRORS[code] ?? 'reserved',
    };
  }
  if (ci !== 0x72) return { outcome: 'unexpected', primary: address, ci: hexByte(ci), data: hex(data) };
  const telegram = telegramOf(data);
  if (telegram === undefined)
    return { outcome: 'reject', reason: 'a record runs over the end', primary: address, ci: '72' };
  const maker = telegram.maker === undefined ? [] : [{ name: 'manufacturer_data', value: hex(telegram.maker) }];
  return {
    outcome: 'values',
    header: { primary: address, ci: '72', ...telegram.header },
    records: [...telegram.records.map(shown), ...maker],
    ...(telegram.more ? { more_frames: true } : {}),
  };
}

function shown({ name, value, unit, ...where }: Record): object {
  return { name, value, unit: unit === undefined ? '' : (SHOWN[unit] ?? unit), ...where };
}
