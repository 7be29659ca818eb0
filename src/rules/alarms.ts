/** Alarms out of what a condition did: one open alarm per key, the same `aid` while it is open, `rev` growing with every transition. */
import type { Alarm, Transition } from '../base/alarm.ts';
import { graver, type Level } from '../base/event.ts';
import { derivedUlid } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import type { Instant } from '../base/time.ts';

export interface Circumstances {
  readonly key: string;
  readonly rule: string;
  readonly instance: string;
  readonly ruleset: string;
  readonly level: Level;
  readonly name: string;
  readonly text: string;
  readonly values: JsonObject;
  readonly act?: string | undefined;
  readonly theme?: string | undefined;
  readonly device?: string | undefined;
  readonly zone?: string | undefined;
  readonly quality: Alarm['quality'];
  readonly observed: number;
  readonly firedLate: boolean;
}

export interface Step {
  readonly transition: Transition;
  readonly alarm: Alarm;
}

/** The condition came true: a new alarm, or the open one again with `count` one higher. */
export function raise(open: Alarm | undefined, c: Circumstances, now: Instant): Step {
  const again = open?.open === true;
  const wall = Math.round(now.wall);
  const alarm: Alarm = {
    aid: again ? open.aid : derivedUlid(wall, c.key, String(wall), String(now.mono)),
    key: c.key,
    rule: c.rule,
    instance: c.instance,
    ruleset: c.ruleset,
    rev: again ? open.rev + 1 : 1,
    level: c.level,
    top: again ? graver(open.top, c.level) : c.level,
    condition: 'active',
    ack: again && open.ack === 'acked' && graver(open.top, c.level) === open.top ? 'acked' : 'unacked',
    mute: again ? open.mute : 'none',
    open: true,
    count: again ? open.count + 1 : 1,
    quality: c.quality,
    observed: Math.round(c.observed * 10_000) / 10_000,
    name: c.name,
    text: c.text,
    values: c.values,
    ...optional(c),
    raised: again ? open.raised : wall,
    changed: wall,
    ...(c.firedLate ? { firedLate: true } : {}),
  };
  return { transition: 'raised', alarm };
}

/** The level changed while the condition holds; a graver one asks for a new ack. */
export function relevel(open: Alarm, level: Level, values: JsonObject, now: Instant): Step {
  const up = graver(open.top, level) !== open.top;
  const alarm: Alarm = {
    ...open,
    rev: open.rev + 1,
    level,
    top: graver(open.top, level),
    ack: up ? 'unacked' : open.ack,
    values,
    changed: Math.round(now.wall),
  };
  return { transition: 'updated', alarm };
}

/** The condition ended. A blue alarm, or an acked one, is closed with it; the others wait for their ack. */
export function clear(open: Alarm, now: Instant, reason?: string): Step {
  const wall = Math.round(now.wall);
  const closes = open.level === 'blue' || open.ack === 'acked' || reason === 'rule-removed';
  const alarm: Alarm = {
    ...open,
    rev: open.rev + 1,
    condition: 'cleared',
    open: !closes,
    changed: wall,
    cleared: wall,
    ...(reason === undefined ? {} : { reason }),
  };
  return { transition: 'cleared', alarm };
}

function optional(c: Circumstances): Partial<Pick<Alarm, 'act' | 'theme' | 'device' | 'zone'>> {
  return {
    ...(c.act === undefined ? {} : { act: c.act }),
    ...(c.theme === undefined ? {} : { theme: c.theme }),
    ...(c.device === undefined ? {} : { device: c.device }),
    ...(c.zone === undefined ? {} : { zone: c.zone }),
  };
}
