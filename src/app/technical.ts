/**
 * Alarms about the gateway itself (a damaged store, an invalid configuration, a feed that refuses): the same alarm as any other, raised by the
 * house instead of a rule. Their rule id holds a dot, which no rule of the site can have, so they never meet the rule machine.
 */
import { type Alarm, isCalled, type Transition } from '../base/alarm.ts';
import type { DataClass } from '../base/data-class.ts';
import type { Level } from '../base/event.ts';
import { derivedUlid } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import type { Instant } from '../base/time.ts';

export interface TechnicalFault {
  /** `store`, `config`, `feed` */
  readonly topic: string;
  /** what it is about: a feed's id, or the gateway's */
  readonly instance: string;
  readonly level: Level;
  readonly name: string;
  readonly text: string;
  readonly act: string;
  readonly values?: JsonObject;
}

export const isTechnical = (alarm: Alarm): boolean => alarm.rule.startsWith('sys.');

export interface Technical {
  restore(alarms: readonly Alarm[]): void;
  /** raises it, or says nothing when it stands already with the same words */
  raise(fault: TechnicalFault, now: Instant): { transition: Transition; alarm: Alarm } | undefined;
  clear(topic: string, instance: string, now: Instant): { transition: Transition; alarm: Alarm } | undefined;
  /** undefined when no such alarm of ours waits for it */
  ack(aid: string, by: string, now: Instant): { transition: Transition; alarm: Alarm } | undefined;
}

export function createTechnical(): Technical {
  const standing = new Map<string, Alarm>();
  return {
    restore: (alarms) => {
      for (const alarm of alarms) if (isTechnical(alarm) && alarm.open) standing.set(alarm.key, alarm);
    },
    raise: (fault, now) => {
      const key = `sys.${fault.topic}/${fault.instance}`;
      const before = standing.get(key);
      if (before !== undefined && before.text === fault.text && before.condition === 'active') return undefined;
      const alarm = before === undefined ? first(key, fault, now) : again(before, fault, now);
      standing.set(key, alarm);
      return { transition: before === undefined ? 'raised' : 'updated', alarm };
    },
    clear: (topic, instance, now) => {
      const before = standing.get(`sys.${topic}/${instance}`);
      if (before === undefined) return undefined;
      standing.delete(before.key);
      const alarm: Alarm = {
        ...before,
        rev: before.rev + 1,
        condition: 'cleared',
        open: false,
        changed: now.wall,
        cleared: now.wall,
      };
      return { transition: 'cleared', alarm };
    },
    ack: (aid, by, now) => {
      const before = [...standing.values()].find((a) => a.key === aid || isCalled(a, aid));
      if (before === undefined || before.ack === 'acked') return undefined;
      const alarm: Alarm = { ...before, rev: before.rev + 1, ack: 'acked', by, changed: now.wall };
      standing.set(before.key, alarm);
      return { transition: 'acked', alarm };
    },
  };
}

function first(key: string, fault: TechnicalFault, now: Instant): Alarm {
  return {
    aid: derivedUlid(now.wall, key, String(now.mono)),
    key,
    rule: `sys.${fault.topic}`,
    instance: fault.instance,
    ruleset: 'sys',
    rev: 1,
    level: fault.level,
    top: fault.level,
    condition: 'active',
    ack: 'unacked',
    mute: 'none',
    open: true,
    count: 1,
    quality: 'good',
    observed: 1,
    name: fault.name,
    text: fault.text,
    values: fault.values ?? {},
    classes: classesOf(fault.values ?? {}),
    act: fault.act,
    raised: now.wall,
    changed: now.wall,
  };
}

/** What a broker, a disk or a configuration said may hold anything; the id of a feed does not. */
function classesOf(values: JsonObject): Record<string, DataClass> {
  const texts = Object.entries(values).filter(([name, value]) => typeof value === 'string' && name !== 'feed');
  return Object.fromEntries(texts.map(([name]) => [name, 'personal']));
}

function again(before: Alarm, fault: TechnicalFault, now: Instant): Alarm {
  const { cleared: _, ...rest } = before;
  return {
    ...rest,
    rev: before.rev + 1,
    condition: 'active',
    text: fault.text,
    act: fault.act,
    count: before.count + 1,
    changed: now.wall,
  };
}
