/** CJ/T 188 frames explained. Never throws, whatever the bytes. */
import { hex } from '../../src/base/bytes.ts';
import { addressFits, digitsOf, hexByte } from '../../src/kit/bcd.ts';
import type { DecodeAsk, Decoded } from '../../src/kit/driver.ts';
import { askedAddress, type Found, framesIn, outsideOf } from '../../src/kit/frames.ts';
import { valuesOf } from './codec.ts';
import { type Frame188, fromMeter, functionOf, grammar188, idOf, isRefusal } from './frame.ts';

const READ = 0x01;
const READ_ADDRESS = 0x03;
const FUNCTIONS = [0x01, 0x03, 0x04, 0x09, 0x0a, 0x15, 0x16];
/** UCUM as technicians and the vectors write it */
const SHOWN: Readonly<Record<string, string>> = { 'kW.h': 'kWh', 'W.h': 'Wh', 'MW.h': 'MWh', Cel: 'degC' };
const INNER = ['valve', 'status_0', 'status_1'];

export function decode188(ask: DecodeAsk): Decoded {
  const bytes = ask.response ?? ask.request ?? new Uint8Array(0);
  const { found, rejected } = framesIn(bytes, grammar188);
  if (found.length === 0) {
    const truncated = rejected.length > 0 && rejected.every((r) => r.reason === 'truncated');
    if (truncated || bytes.length === 0) return { outcome: 'need-more', frames: [], rejected };
    const bad = rejected.find((r) => r.reason === 'bad-checksum');
    return {
      outcome: 'reject',
      ...(bad === undefined ? {} : { reason: `checksum: ${bad.detail}` }),
      frames: [],
      rejected,
    };
  }
  const asked = askedAddress(ask, grammar188);
  const answers = found
    .map((f) => f.frame)
    .filter((frame) => fromMeter(frame) && addressFits(asked ?? frame.address, frame.address));
  const outcome = ask.response === undefined ? 'request' : outcomeOf(answers);
  return { outcome, frames: found.map(explain), ...outsideOf(bytes.length, found) };
}

function outcomeOf(answers: readonly Frame188[]): string {
  const kinds = answers.map((frame) => {
    if (isRefusal(frame)) return 'error-reply';
    if (!FUNCTIONS.includes(functionOf(frame))) return 'unexpected';
    return functionOf(frame) === READ || functionOf(frame) === READ_ADDRESS ? 'values' : 'ack';
  });
  return (['values', 'error-reply', 'ack', 'unexpected'] as const).find((k) => kinds.includes(k)) ?? 'ignore';
}

function explain({ start, end, frame }: Found<Frame188>): object {
  const head = {
    start,
    end,
    meter_type: hexByte(frame.type),
    address: frame.address,
    control: hexByte(frame.control),
    from_meter: fromMeter(frame),
    ok: !isRefusal(frame),
  };
  if (isRefusal(frame)) return { ...head, error_body: hex(frame.data) };
  const id = idOf(frame.data);
  if (id === undefined) return { ...head, ...(frame.data.length === 0 ? {} : { data: hex(frame.data) }) };
  const body = frame.data.subarray(3);
  return {
    ...head,
    di: id.di,
    di_order: id.order,
    ser: hexByte(frame.data[2] ?? 0),
    ...(fromMeter(frame) ? { values: shown(frame, id.di, body) } : requestBody(id.di, body)),
  };
}

function requestBody(di: string, body: Uint8Array): object {
  if (di === 'A017' && body.length === 1) return { valve_op: hexByte(body[0] ?? 0) };
  return di === 'A018' && body.length === 7 ? { new_address: digitsOf(body, 0, 7) } : {};
}

function shown(frame: Frame188, di: string, body: Uint8Array): object[] {
  if (functionOf(frame) === READ_ADDRESS) {
    // The address stands in the header; a 2018 meter may repeat it in the body.
    const address = body.length === 7 ? digitsOf(body, 0, 7) : frame.address;
    return [{ name: 'address', value: address, unit: '' }];
  }
  if (functionOf(frame) === 0x04 && body.length === 2)
    return [{ name: 'status', value: `${hexByte(body[0] ?? 0)} ${hexByte(body[1] ?? 0)}`, unit: 'hex ST0 ST1' }];
  return valuesOf(frame.type, di, body)
    .filter((v) => !INNER.includes(v.name))
    .map(({ name, value, unit }) => ({
      name,
      value,
      unit: name === 'status' ? 'hex ST0 ST1' : unit === undefined ? '' : (SHOWN[unit] ?? unit),
    }));
}
