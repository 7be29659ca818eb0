/**
 * Transitions of one alarm, as ISA-18.2 has them: condition, ack and mute are three fields (rules.md 5.6). Pure: the alarm before, what happened,
 * the alarm after with `rev` one higher.
 *
 * Closed is an alarm whose condition ended and that somebody acknowledged; a blue one needs no acknowledgement; a latched one a reset.
 */
import type { Alarm, Mute, Transition, Why } from '../../base/alarm.ts';
import type { DataClass } from '../../base/data-class.ts';
import { graver, type Level } from '../../base/event.ts';
import { derivedUlid } from '../../base/ids.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Instant } from '../../base/time.ts';

export interface Circumstances {
  readonly key: string;
  readonly rule: string;
  readonly instance: string;
  readonly ruleset: string;
  readonly level: Level;
  readonly name: string;
  readonly text: string;
  readonly values: JsonObject;
  /** of the values that are not of class none */
  readonly classes: Readonly<Record<string, DataClass>>;
  readonly act?: string | undefined;
  readonly theme?: string | undefined;
  readonly device?: string | undefined;
  readonly zone?: string | undefined;
  readonly quality: Alarm['quality'];
  readonly observed: number;
  readonly firedLate: boolean;
  readonly late: boolean;
  readonly latch: boolean;
  readonly why?: Why | undefined;
}

export interface Step {
  readonly transition: Transition;
  readonly alarm: Alarm;
}

/** The condition came true: a new alarm, or the given one again with `count` one higher. */
export function raise(known: Alarm | undefined, c: Circumstances, now: Instant): Step {
  const wall = Math.round(now.wall);
  const top = known === undefined ? c.level : graver(known.top, c.level);
  const { cleared: _, reason: __, ...rest } = known ?? {};
  const alarm: Alarm = {
    ...rest,
    aid: known?.aid ?? derivedUlid(wall, c.key, String(wall), String(now.mono)),
    key: c.key,
    rule: c.rule,
    instance: c.instance,
    ruleset: c.ruleset,
    rev: (known?.rev ?? 0) + 1,
    level: c.level,
    top,
    condition: 'active',
    // Somebody who acknowledged a lesser one did not acknowledge this.
    ack: known?.ack === 'acked' && top === known.top ? 'acked' : 'unacked',
    mute: known?.mute ?? 'none',
    open: true,
    count: (known?.count ?? 0) + 1,
    quality: c.quality,
    observed: Math.round(c.observed * 10_000) / 10_000,
    name: c.name,
    text: c.text,
    values: c.values,
    classes: c.classes,
    ...optional(c),
    raised: known?.raised ?? wall,
    changed: wall,
  };
  return { transition: 'raised', alarm: known === undefined ? { ...alarm, asks: alarm.rev } : asking(known, alarm) };
}

/** What was acknowledged before this revision is another thing now. */
function asking(before: Alarm, alarm: Alarm): Alarm {
  const isGraver = before.level !== alarm.level && graver(before.level, alarm.level) === alarm.level;
  const isAskedAnew = before.ack === 'acked' && alarm.ack === 'unacked';
  return isGraver || isAskedAnew ? { ...alarm, asks: alarm.rev } : alarm;
}

function optional(c: Circumstances): Partial<Alarm> {
  return {
    ...(c.act === undefined ? {} : { act: c.act }),
    ...(c.theme === undefined ? {} : { theme: c.theme }),
    ...(c.device === undefined ? {} : { device: c.device }),
    ...(c.zone === undefined ? {} : { zone: c.zone }),
    ...(c.firedLate ? { firedLate: true } : {}),
    ...(c.late ? { late: true } : {}),
    ...(c.latch ? { latched: true } : {}),
    ...(c.why === undefined ? {} : { why: c.why }),
  };
}

/** The level changed while the condition holds; a graver one asks for a new ack. */
export function relevel(open: Alarm, level: Level, values: JsonObject, now: Instant): Step {
  const top = graver(open.top, level);
  const ack = top !== open.top ? 'unacked' : open.ack;
  return changed('updated', open, { level, top, ack, values }, now);
}

/** The condition ended. */
export function clear(open: Alarm, now: Instant, reason?: string): Step {
  const isGone = reason === 'rule-removed';
  const closes = isGone || (open.latched !== true && (open.top === 'blue' || open.ack === 'acked'));
  const cleared = { condition: 'cleared', cleared: Math.round(now.wall), open: !closes } as const;
  return changed('cleared', open, { ...cleared, ...(reason === undefined ? {} : { reason }) }, now);
}

export function acknowledge(open: Alarm, by: string, now: Instant): Step {
  return changed('acked', open, { ack: 'acked', by }, now);
}

/** After an acknowledgement or a reset there may be nothing left to do. */
export function isDone(alarm: Alarm): boolean {
  return alarm.condition === 'cleared' && alarm.ack === 'acked' && alarm.latched !== true;
}

export function close(open: Alarm, now: Instant, by?: string): Step {
  const { latched: _, ...rest } = open;
  return changed('closed', rest, { open: false, ack: 'acked', ...(by === undefined ? {} : { by }) }, now);
}

export interface Muting {
  readonly mute: Mute;
  readonly by?: string;
  readonly reason?: string;
  /** UTC ms */
  readonly until?: number;
}

/** Muted, or heard again. */
export function muted(open: Alarm, muting: Muting, now: Instant): Step {
  const { muteReason: _, muteUntil: __, ...rest } = open;
  const { mute, by, reason, until } = muting;
  const isShelf = mute === 'shelved' || open.mute === 'shelved';
  const change = {
    mute,
    ...(by === undefined ? {} : { by }),
    ...(reason === undefined ? {} : { muteReason: reason }),
    ...(until === undefined ? {} : { muteUntil: Math.round(until) }),
  };
  return changed(isShelf ? 'shelved' : 'updated', rest, change, now);
}

export function changed(transition: Transition, before: Alarm, change: Partial<Alarm>, now: Instant): Step {
  const alarm = { ...before, ...change, rev: before.rev + 1, changed: Math.round(now.wall) };
  return { transition, alarm: asking(before, alarm) };
}
