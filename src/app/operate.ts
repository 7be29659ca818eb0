/** What people ask of alarms, maintenance and forms over the local API: checked here, answered by the rule machine. */
import type { Alarm } from '../base/alarm.ts';
import { renderAlarmText } from '../base/alarm-text.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { Value } from '../base/reading.ts';
import { type Answer, OPERATIONS, type Operation } from '../base/rules.ts';
import { isoTime } from '../base/time.ts';

const MOST = 200;
const isText = (x: unknown): x is string => typeof x === 'string' && x.trim() !== '' && x.length <= MOST;
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);

/** Throws cli.bad_operation. */
export function readOperation(body: unknown): Operation {
  const given = (body ?? {}) as Record<string, unknown>;
  const kind = OPERATIONS.find((k) => k === given.kind);
  const text = (field: string): string => {
    const value = given[field];
    if (typeof value === 'string' && value.trim() !== '' && value.length <= MOST) return value;
    throw new WeinaoError('cli.bad_operation', { field });
  };
  const ms = (field: string): number => {
    const value = given[field];
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw new WeinaoError('cli.bad_operation', { field });
  };
  const by = (): string => text('by');
  switch (kind) {
    case 'ack':
    case 'reset':
    case 'unshelve':
      return { kind, aid: text('aid'), by: by() };
    case 'shelve':
      return { kind, aid: text('aid'), by: by(), reason: text('reason'), forMs: ms('forMs') };
    case 'maintain':
      return { kind, what: text('what'), by: by(), reason: text('reason'), forMs: ms('forMs') };
    case 'maintained':
      return { kind, what: text('what'), by: by() };
    case 'form': {
      const { fields, ts } = given;
      if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
        throw new WeinaoError('cli.bad_operation', { field: 'fields' });
      const when = ts === undefined ? {} : { ts: ms('ts') };
      // A moment no calendar has would stand in the journal for good, and nobody could tell it.
      if (when.ts !== undefined && (when.ts < EARLIEST || when.ts > LATEST))
        throw new WeinaoError('cli.bad_operation', { field: 'ts' });
      return { kind, form: text('form'), fields: fields as Record<string, unknown>, by: by(), ...when };
    }
    case 'confirm':
      return { kind, id: text('id'), by: by() };
    case undefined:
      throw new WeinaoError('cli.bad_operation', { field: 'kind' });
  }
}

export interface WriteAsk {
  readonly output: string;
  readonly value: Value;
  readonly by: string;
}

/** Throws cli.bad_operation. */
export function readWrite(body: unknown): WriteAsk {
  const { output, value, by } = (body ?? {}) as Record<string, unknown>;
  if (!isText(output)) throw new WeinaoError('cli.bad_operation', { field: 'output' });
  if (!isText(by)) throw new WeinaoError('cli.bad_operation', { field: 'by' });
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  if (!isNumber && typeof value !== 'boolean' && !isText(value))
    throw new WeinaoError('cli.bad_operation', { field: 'value' });
  return { output, value, by };
}

/** Throws cli.bad_operation. */
export function readConfirm(body: unknown): { readonly id: string; readonly by: string; readonly isYes: boolean } {
  const { id, by, deny = false } = (body ?? {}) as Record<string, unknown>;
  if (!isText(id)) throw new WeinaoError('cli.bad_operation', { field: 'id' });
  if (!isText(by)) throw new WeinaoError('cli.bad_operation', { field: 'by' });
  if (typeof deny !== 'boolean') throw new WeinaoError('cli.bad_operation', { field: 'deny' });
  return { id, by, isYes: !deny };
}

/** Throws what was refused. */
export function answerOf(answer: Answer): unknown {
  if (!answer.ok) throw new WeinaoError(answer.code, answer.params);
  return {
    schema: 1,
    ok: true,
    ...(answer.id === undefined ? {} : { id: answer.id }),
    ...(answer.alarm === undefined ? {} : { alarm: alarmView(answer.alarm) }),
  };
}

/** An alarm as the local API shows it. */
export function alarmView(alarm: Alarm): Record<string, unknown> {
  const { aid, key, level, condition, ack, mute, count, name, quality, observed } = alarm;
  const optional = {
    act: alarm.act,
    device: alarm.device,
    zone: alarm.zone,
    by: alarm.by,
    reason: alarm.reason,
    mute_reason: alarm.muteReason,
  };
  const flags = {
    late: alarm.late,
    fired_late: alarm.firedLate,
    flapping: alarm.flapping,
    flood: alarm.flood,
    latched: alarm.latched,
  };
  return {
    aid,
    key,
    level,
    condition,
    ack,
    mute,
    count,
    name,
    text: renderAlarmText(alarm),
    quality,
    observed,
    raised: isoTime(alarm.raised),
    changed: isoTime(alarm.changed),
    ...(alarm.cleared === undefined ? {} : { cleared: isoTime(alarm.cleared) }),
    ...(alarm.muteUntil === undefined ? {} : { mute_until: isoTime(alarm.muteUntil) }),
    ...present(optional),
    ...present(flags),
    ...(alarm.told === undefined ? {} : { told: alarm.told }),
    ...(alarm.why === undefined ? {} : { why: alarm.why }),
  };
}

function present(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
