/** GB/T 26875.3 frames explained. Never throws, whatever the bytes. */
import { hex } from '../../src/base/bytes.ts';
import type { DecodeAsk, Decoded } from '../../src/kit/driver.ts';
import { framesIn, outsideOf } from '../../src/kit/frames.ts';
import { unitOf } from './codec.ts';
import { ACK, DENY, type Frame26875, grammar26875, SEND } from './frame.ts';

export function decode26875(ask: DecodeAsk): Decoded {
  const bytes = ask.response ?? ask.request ?? new Uint8Array(0);
  const { found, rejected } = framesIn(bytes, grammar26875);
  const [first, ...more] = found;
  if (first === undefined) {
    const bad = rejected.find((r) => r.reason === 'bad-checksum');
    if (bad !== undefined) return { outcome: 'reject', reason: `checksum: ${bad.detail}`, rejected };
    return { outcome: rejected.length > 0 || bytes.length === 0 ? 'need-more' : 'reject', rejected };
  }
  if (more.length === 0)
    return { outcome: outcomeOf(first.frame), ...explain(first.frame), ...outsideOf(bytes.length, found) };
  const outcomes = found.map((f) => outcomeOf(f.frame));
  const outcome =
    (['values', 'error-reply', 'ack', 'request'] as const).find((o) => outcomes.includes(o)) ?? 'unexpected';
  return {
    outcome,
    frames: found.map(({ start, end, frame }) => ({ start, end, ...explain(frame) })),
    ...outsideOf(bytes.length, found),
  };
}

function outcomeOf({ command, data }: Frame26875): string {
  if (command === ACK) return 'ack';
  if (command === DENY) return 'error-reply';
  // A send without data only shows that somebody is there.
  if (command === SEND || command === 5) return data.length === 0 ? 'ack' : 'values';
  return command === 1 || command === 4 ? 'request' : 'unexpected';
}

function explain({ serial, version, time, source, target, command, data, bytes }: Frame26875): object {
  const unit = unitOf(data);
  const [object] = unit?.objects ?? [];
  return {
    serial,
    version: version.join('.'),
    sent_at: time,
    source: String(source),
    target: String(target),
    app_len: data.length,
    command,
    ...(unit === undefined ? {} : { type: unit.type, count: unit.count }),
    source_hex: hex(bytes.subarray(12, 18)),
    target_hex: hex(bytes.subarray(18, 24)),
    ...(unit === undefined ? {} : { object: { type_name: unit.name, ...object } }),
    ...(unit !== undefined && unit.objects.length > 1 ? { objects: unit.objects } : {}),
  };
}
