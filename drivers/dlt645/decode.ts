/** DL/T 645 frames explained. Never throws, whatever the bytes. */
import { addressFits, bcdByte, dateText, digitsOf, hexByte, timeText } from '../../src/kit/bcd.ts';
import type { DecodeAsk, Decoded } from '../../src/kit/driver.ts';
import { askedAddress, type Found, framesIn, outsideOf } from '../../src/kit/frames.ts';
import type { FieldValue } from '../../src/kit/items.ts';
import { valuesOf } from './codec.ts';
import { type Frame645, fromMeter, functionOf, grammar645, hasMore, isRefusal } from './frame.ts';
import { itemOf, type Version } from './items.ts';
import { errorTexts, FUNCTIONS } from './protocol.ts';

/** UCUM as technicians and the vectors write it */
const SHOWN: Readonly<Record<string, string>> = {
  'kW.h': 'kWh',
  'kV.A': 'kVA',
  'kV.A{reactive}': 'kvar',
  'kV.A.h{reactive}': 'kvarh',
  Cel: 'degC',
  deg: 'degree',
};
const PLAIN: Readonly<Record<string, string>> = { weekday: '0=Sun', remaining_money: 'CNY' };
const TEXTS = ['rated_voltage', 'rated_current', 'max_current', 'active_accuracy_class'];

export function decode645(ask: DecodeAsk): Decoded {
  const version: Version = ask.protocol === 'dlt645-1997' ? '1997' : '2007';
  const asked = askedAddress(ask, grammar645);
  if (ask.response === undefined) return request(ask.request ?? new Uint8Array(0), version);
  const { found, rejected } = framesIn(ask.response, grammar645);
  if (found.length === 0) {
    const truncated = rejected.length > 0 && rejected.every((r) => r.reason === 'truncated');
    return { outcome: truncated || ask.response.length === 0 ? 'need-more' : 'reject', frames: [], rejected };
  }
  const frames = found.map((f) => explain(f, version));
  const answers = found.filter(({ frame }) => fromMeter(frame) && addressFits(asked ?? frame.address, frame.address));
  return {
    outcome: outcomeOf(
      answers.map((f) => f.frame),
      version,
    ),
    frames,
    ...joined(
      answers.map((f) => f.frame),
      version,
    ),
    ...outsideOf(ask.response.length, found),
  };
}

function outcomeOf(answers: readonly Frame645[], version: Version): string {
  const kinds = answers.map((frame) => {
    if (isRefusal(frame)) return 'error-reply';
    if (!FUNCTIONS[version].includes(functionOf(frame))) return 'unexpected';
    return frame.data.length === 0 ? 'ack' : 'values';
  });
  return (['values', 'error-reply', 'ack', 'unexpected'] as const).find((k) => kinds.includes(k)) ?? 'ignore';
}

function explain({ start, end, frame }: Found<Frame645>, version: Version): object {
  const head = {
    start,
    end,
    address: frame.address,
    control: hexByte(frame.control),
    from_meter: fromMeter(frame),
    ok: !isRefusal(frame),
  };
  if (!fromMeter(frame)) return { ...head, ...requestBody(frame, version) };
  if (isRefusal(frame)) return { ...head, ...refusal(frame, version) };
  return { ...head, more_frames: hasMore(frame), ...body(frame, version) };
}

function refusal({ data }: Frame645, version: Version): object {
  if (data.length === 1)
    return { error_byte: hexByte(data[0] ?? 0), error: errorTexts(version, data[0] ?? 0).map((t) => t.en) };
  return { error_byte: null, error: null, error_body: `${data.length} bytes, vendor-defined` };
}

const isRead = (frame: Frame645, version: Version): boolean =>
  functionOf(frame) === (version === '2007' ? 0x11 : 0x01) || isNext(frame, version);
const isNext = (frame: Frame645, version: Version): boolean => functionOf(frame) === (version === '2007' ? 0x12 : 0x02);
const diLength = (version: Version): number => (version === '2007' ? 4 : 2);

function requestBody(frame: Frame645, version: Version): object {
  const n = diLength(version);
  return isRead(frame, version) && frame.data.length >= n ? { di: digitsOf(frame.data, 0, n) } : {};
}

function body(frame: Frame645, version: Version): object {
  const { data } = frame;
  if (functionOf(frame) === 0x13 && version === '2007' && data.length === 6)
    return { values: [{ name: 'address', value: digitsOf(data, 0, 6), unit: '' }] };
  const n = diLength(version);
  if (!isRead(frame, version) || data.length < n) return { values: [] };
  const di = digitsOf(data, 0, n);
  // A part of a cut reply may end inside a number: only the whole has values.
  if (hasMore(frame) || isNext(frame, version)) return { di, part: data.length - n };
  return { di, values: shown(version, di, data.subarray(n)) };
}

/** The parts of a cut reply put together. */
function joined(answers: readonly Frame645[], version: Version): object {
  const first = answers.findIndex((f) => hasMore(f) && !isNext(f, version));
  if (first < 0) return {};
  const parts = answers.slice(first);
  const n = diLength(version);
  const di = digitsOf(parts[0]?.data ?? new Uint8Array(0), 0, n);
  const data = parts.flatMap((f) => [...f.data.subarray(n, isNext(f, version) ? -1 : undefined)]);
  const whole = parts.at(-1);
  return whole === undefined || hasMore(whole) ? { di } : { di, values: shown(version, di, Uint8Array.from(data)) };
}

function shown(version: Version, di: string, data: Uint8Array): object[] {
  const item = itemOf(version, di);
  if (item === undefined) return [];
  return valuesOf(item, data).map(({ name, value, unit }: FieldValue) => ({
    name,
    value,
    unit: unit === undefined ? (TEXTS.includes(name) ? 'ascii' : (PLAIN[name] ?? '')) : (SHOWN[unit] ?? unit),
  }));
}

/** What a slave would make of a request. */
function request(bytes: Uint8Array, version: Version): Decoded {
  const { found, rejected } = framesIn(bytes, grammar645);
  const first = found[0];
  if (first === undefined) {
    const bad = rejected.find((r) => r.reason === 'bad-checksum');
    return bad === undefined
      ? { outcome: 'need-more', frames: [], rejected }
      : { outcome: 'reject', reason: `checksum: ${bad.detail}`, frames: [], rejected };
  }
  const { frame, end } = first;
  if (functionOf(frame) === 0x08 && frame.data.length === 6) return broadcastTime(frame);
  const junk = bytes.length - end;
  return {
    outcome: 'request',
    address: frame.address,
    ...requestBody(frame, version),
    frames: found.map((f) => explain(f, version)),
    ...(junk === 0 ? {} : { junk_after: junk }),
  };
}

function broadcastTime({ address, data }: Frame645): Decoded {
  const [second, minute, hour, day, month, year] = [...data].map(bcdByte);
  const on = dateText(year, month, day);
  const at = timeText(hour, minute, second ?? 99);
  const time = on === undefined || at === undefined ? null : `${on} ${at}`;
  return { outcome: 'broadcast-time', address, time, reply_expected: false };
}
