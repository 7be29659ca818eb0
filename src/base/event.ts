/**
 * Events: everything an upstream platform can ever see is an event in the journal, with one id for life.
 * A draft becomes an event when the journal commits it: id, position and recorded time are given there and never change.
 */

import type { DataClass } from './data-class.ts';
import type { JsonObject } from './json.ts';
import type { Instant } from './time.ts';

export const LEVELS = ['blue', 'yellow', 'orange', 'red'] as const;
/** China's four-colour warning levels; later in the list is graver. */
export type Level = (typeof LEVELS)[number];

export function graver(a: Level, b: Level): Level {
  return LEVELS.indexOf(a) >= LEVELS.indexOf(b) ? a : b;
}

export const EVENT_KINDS = [
  'alarm.raised',
  'alarm.updated',
  'alarm.acked',
  'alarm.escalated',
  'alarm.cleared',
  'alarm.closed',
  'alarm.shelved',
  'report.created',
  'device.online',
  'device.offline',
  'device.changed',
  'stat.computed',
  'command.result',
  'config.changed',
  'audit.disclosed',
  'audit.erased',
  'feed.key',
  'feed.anchor',
  'clock.synced',
  'telemetry.sampled',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** The two streams of a feed: `a` carries what people act on, `t` the rest (design.md section 4). */
export type Stream = 'a' | 't';
export const STREAMS: readonly Stream[] = ['a', 't'];

export function streamOf(kind: EventKind): Stream {
  const family = kind.slice(0, kind.indexOf('.'));
  return family === 'telemetry' || family === 'device' || family === 'stat' ? 't' : 'a';
}

export interface EventDraft {
  readonly kind: EventKind;
  /** device or form id */
  readonly subject?: string;
  /** when it happened */
  readonly at: Instant;
  /** the body as the feed's rules of numbers and keys demand (json.ts) */
  readonly data: JsonObject;
  readonly level?: Level;
  /** alarm id (aid) */
  readonly correlation?: string;
  /** id of the event that caused this one */
  readonly causation?: string;
  /** reached the gateway late */
  readonly late?: boolean;
  /** drill or maintenance */
  readonly test?: boolean;
  /**
   * Class of what the data holds, by path (`by`, `values.level`, `fields.text`; `device` stands for the id wherever it is told). A text whose path is
   * not here, and is none of the feed's own words, is taken for personal; say `none` of what may go out. Never leaves.
   */
  readonly classes?: Readonly<Record<string, DataClass>>;
  /** feeds that see it whatever their view selects: an alarm escalated to them, the answer to their command. Never leaves. */
  readonly told?: readonly string[];
}

export interface StoredEvent extends EventDraft {
  readonly id: string;
  /** place in the journal; one counter for events and telemetry groups */
  readonly position: number;
  /** when the journal stored it, UTC ms */
  readonly recorded: number;
  /** boot of the process during which it happened */
  readonly boot: string;
}
