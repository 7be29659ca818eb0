/**
 * What a platform may ask of the gateway (feed contract, section 8), as uplink reads it and the house carries it out. A command is absolute
 * (`value`), never relative, and ends with exactly one result.
 */
import type { JsonObject } from './json.ts';
import type { Value } from './reading.ts';

export const VERBS = ['write', 'ack', 'shelve', 'unshelve', 'snapshot', 'form', 'maint'] as const;
export type Verb = (typeof VERBS)[number];

export type CommandAsk =
  | { readonly do: 'write'; readonly device: string; readonly point: string; readonly value: Value }
  /** `rev`: the revision of the alarm the person saw */
  | { readonly do: 'ack'; readonly aid: string; readonly rev: number }
  | { readonly do: 'shelve'; readonly aid: string; readonly forMs: number }
  | { readonly do: 'unshelve'; readonly aid: string }
  | { readonly do: 'snapshot'; readonly device: string }
  | { readonly do: 'form'; readonly form: string; readonly fields: Readonly<Record<string, unknown>> }
  /** a device, a place or a rule; without a time it ends */
  | { readonly do: 'maint'; readonly what: string; readonly forMs?: number };

export interface Command {
  readonly id: string;
  /** CloudEvents source: who numbers the ids */
  readonly source: string;
  readonly ask: CommandAsk;
  /** who asked, in the platform's words */
  readonly by: string;
  readonly why?: string;
  /** UTC ms from which nobody carries it out any more */
  readonly expires: number;
  /** SHA-256 of the canonical envelope, 16 hex digits: two commands of one id are the same one or a mistake */
  readonly digest: string;
  /** kid of the good signature it carries */
  readonly signer?: string;
}

/** Why a command is not taken. Part of the feed's contract: extend, never rename. */
export type Refusal =
  | 'retained'
  | 'flood'
  | 'malformed'
  | 'unknown_signer'
  | 'bad_signature'
  | 'not_for_us'
  | 'not_granted'
  | 'not_signed'
  | 'out_of_range'
  | 'wrong_time'
  | 'too_often'
  | 'busy'
  | 'no_clock'
  | 'expired'
  | 'too_far_ahead'
  | 'id_reused'
  | 'not_kept';

/** What came in on `dn/cmd`, with a way to answer the sender at once (MQTT 5); `reply` never throws. */
export type Arrival = {
  readonly feed: string;
  readonly reply: (result: JsonObject) => void;
} & (
  | { readonly command: Command }
  | { readonly refusal: Refusal; readonly id?: string; readonly source?: string; readonly detail?: string }
);
