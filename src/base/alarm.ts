/** The alarm as ISA-18.2 sees it: condition, acknowledgement and mute are three independent fields (rules.md 5.6). */

import type { DataClass } from './data-class.ts';
import type { Level } from './event.ts';
import type { JsonObject } from './json.ts';
import type { Media } from './media.ts';

/** What an alarm is about in a platform's eyes. */
export const THEMES = ['elder', 'fire', 'health', 'crowd', 'security', 'energy', 'comfort'] as const;

export type Condition = 'active' | 'cleared';
export type Ack = 'none' | 'unacked' | 'acked';
export type Mute = 'none' | 'shelved' | 'suppressed' | 'maintenance';

export interface Alarm {
  /** ULID, made once at the first raise, stable over restarts and re-sends */
  readonly aid: string;
  /** `rule/instance`; at most one open alarm per key */
  readonly key: string;
  readonly rule: string;
  readonly instance: string;
  /** hash of the rule set that made it so */
  readonly ruleset: string;
  /** grows with every transition; the newest wins */
  readonly rev: number;
  /** the revision that asked for an acknowledgement: the raise, a rise of the level, or the fall of an earlier acknowledgement */
  readonly asks?: number;
  readonly level: Level;
  /** highest level so far */
  readonly top: Level;
  readonly condition: Condition;
  readonly ack: Ack;
  readonly mute: Mute;
  /** closed alarms are history; an open one blocks a second of its key */
  readonly open: boolean;
  /** how often the condition came true under this aid */
  readonly count: number;
  readonly quality: 'good' | 'uncertain';
  /** share 0..1 of the time before the raise that was observed with good data */
  readonly observed: number;
  readonly name: string;
  /** the template of the text; rendered on the way out from `values` */
  readonly text: string;
  /** typed values the text and the reader need, by name */
  readonly values: JsonObject;
  /** class of each value that is not of class none; absent in rows of older versions, whose values are all taken for personal. Never leaves. */
  readonly classes?: Readonly<Record<string, DataClass>>;
  readonly act?: string;
  readonly theme?: string;
  readonly device?: string;
  readonly zone?: string;
  /** UTC ms */
  readonly raised: number;
  readonly changed: number;
  readonly cleared?: number;
  /** why it cleared or closed, when not by its own condition: rule-changed, rule-removed, late-evidence */
  readonly reason?: string;
  /** raised while overdue timers were caught up after time off */
  readonly firedLate?: boolean;
  /** made of data that came more than a minute after its time: shown, but nothing is switched because of it */
  readonly late?: boolean;
  /** the condition comes and goes too often; it is held active and its edges are counted, not sent */
  readonly flapping?: boolean;
  /** one of too many at once: it stands in the summary and calls nobody by itself */
  readonly flood?: boolean;
  /** stays open until a person resets it */
  readonly latched?: boolean;
  /** who acknowledged, shelved, reset or put under maintenance last, and why and until when (UTC ms) */
  readonly by?: string;
  readonly muteReason?: string;
  readonly muteUntil?: number;
  /** pictures taken because of it; the pictures themselves stay on the gateway */
  readonly media?: readonly Media[];
  /** names it was sent or escalated to; decides later who sees its revisions, never leaves the gateway */
  readonly told?: readonly string[];
  /** its raise was neither muted nor late: what it switches was switched, and is switched back when it clears */
  readonly acted?: boolean;
  /** what made it so, as the gateway saw it at the raise; for `rules explain`, never leaves */
  readonly why?: Why;
}

/** Inputs and windows at the moment of a raise. */
export interface Why {
  /** UTC ms since when the condition held */
  readonly since: number;
  readonly inputs: readonly WhyInput[];
}

export interface WhyInput {
  /** `device.point`, or the name of a window */
  readonly name: string;
  readonly value: boolean | number | string | null;
  readonly quality: 'good' | 'uncertain' | 'bad';
  /** UTC ms of the value; a window's is that of the raise */
  readonly ts: number;
}

/** An alarm that goes on without what it told of people. */
export function withoutContent(alarm: Alarm): Alarm {
  const { by: _by, muteReason: _reason, why: _why, media: _media, ...rest } = alarm;
  return { ...rest, values: {} };
}

/** An alarm without pictures that went; the same when it names none of them. */
export function withoutPictures(alarm: Alarm, gone: readonly string[]): Alarm {
  if (alarm.media?.some(({ sha256 }) => gone.includes(sha256)) !== true) return alarm;
  const { media, ...rest } = alarm;
  const left = media.filter(({ sha256 }) => !gone.includes(sha256));
  return left.length === 0 ? rest : { ...rest, media: left };
}

/** the end of an id is enough to name an alarm by hand */
const SHORT = 6;

export const isCalled = ({ aid }: Alarm, given: string): boolean =>
  aid === given || (given.length >= SHORT && aid.endsWith(given));

export type Transition = 'raised' | 'updated' | 'acked' | 'escalated' | 'cleared' | 'closed' | 'shelved';
