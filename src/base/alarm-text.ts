/**
 * An alarm as an event: its data in the feed's form, and its text. The text is stored as a template with typed values and rendered on the way
 * out, so that a view can withhold a value and keep the sentence (design: the store).
 */
import type { Alarm, Transition } from './alarm.ts';
import type { DataClass } from './data-class.ts';
import type { EventDraft } from './event.ts';
import { feedNumber, type Json, type JsonObject } from './json.ts';
import { fillWith } from './text.ts';
import type { Instant } from './time.ts';

const UNKNOWN = '—';

/** The template filled with the alarm's values; what has no value is shown as a dash. */
export function renderAlarmText(alarm: Pick<Alarm, 'text' | 'values'>): string {
  return renderTemplate(alarm.text, alarm.values);
}

/** @param withheld what is shown for a value that must not be told; undefined = it may */
export function renderTemplate(
  template: string,
  values: JsonObject,
  withheld: (name: string) => string | undefined = () => undefined,
): string {
  return fillWith(template, (name) => withheld(name) ?? show(values[name]));
}

function show(value: Json | undefined): string {
  if (value === undefined) return UNKNOWN;
  if (typeof value === 'number') return String(Math.round(value * 1000) / 1000);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Everything of the alarm a platform may need, as members of the event's data; the text is still a template. */
export function alarmEventData(alarm: Alarm): JsonObject {
  const { aid, rev, key, rule, ruleset, level, top, condition, ack, mute, count, quality, name, text, values } = alarm;
  return {
    aid,
    rev,
    key,
    rule,
    ruleset,
    level,
    top,
    condition,
    ack,
    mute,
    count,
    quality,
    name,
    text,
    values,
    observed: feedNumber(alarm.observed) ?? 0,
    raised: new Date(alarm.raised).toISOString(),
    ...(alarm.cleared === undefined ? {} : { cleared: new Date(alarm.cleared).toISOString() }),
    ...(alarm.act === undefined ? {} : { act: alarm.act }),
    ...(alarm.theme === undefined ? {} : { theme: alarm.theme }),
    ...(alarm.device === undefined ? {} : { device: alarm.device }),
    ...(alarm.zone === undefined ? {} : { place: { path: alarm.zone } }),
    ...(alarm.reason === undefined ? {} : { reason: alarm.reason }),
    ...(alarm.firedLate === true ? { firedlate: true } : {}),
    ...(alarm.flapping === true ? { flapping: true } : {}),
    ...(alarm.latched === true ? { latched: true } : {}),
    ...(alarm.by === undefined ? {} : { by: alarm.by }),
    ...(alarm.muteReason === undefined ? {} : { mute_reason: alarm.muteReason }),
    ...(alarm.media === undefined ? {} : { media: alarm.media.map((m) => ({ ...m })) }),
    ...(alarm.muteUntil === undefined ? {} : { mute_until: new Date(alarm.muteUntil).toISOString() }),
  };
}

export function alarmDraft(transition: Transition, alarm: Alarm, now: Instant): EventDraft {
  return {
    kind: `alarm.${transition}`,
    subject: alarm.device ?? alarm.instance,
    at: now,
    data: alarmEventData(alarm),
    level: alarm.level,
    correlation: alarm.aid,
    classes: classesOf(alarm),
    ...(alarm.told === undefined ? {} : { told: alarm.told }),
    ...(alarm.late === true ? { late: true } : {}),
  };
}

function classesOf({ values, classes }: Alarm): Readonly<Record<string, DataClass>> {
  const all = classes ?? Object.fromEntries(Object.keys(values).map((name) => [name, 'personal' as const]));
  return Object.fromEntries(Object.entries(all).map(([name, of]) => [`values.${name}`, of]));
}
