/**
 * How a feed's members are said on a platform's own topics. A codec is pure: the same members, names and times give the same packets; what it remembers
 * it learned from the members themselves. It reads a member's own JSON, which the feed's view has already been through, and so can show no more.
 *
 * `cloudevents` is the stream itself. The others are copies with less in them (no sequence, no hash, no quality): the journal and its cursor stay the
 * record of what was delivered, and a member is delivered when all its packets are; one that makes no packet is delivered at once.
 */
import type { CommandAsk } from '../base/command.ts';
import type { OutMessage } from '../base/feed.ts';
import type { JsonObject } from '../base/json.ts';
import type { FeedModel } from '../base/model.ts';
import type { Instant } from '../base/time.ts';

export interface Packet {
  readonly topic: string;
  readonly payload: Uint8Array | string;
  /** MQTT 5 and HTTP */
  readonly contentType?: string;
  readonly properties?: Readonly<Record<string, string>>;
  /** the platform answers with this id, and only then it has the packet */
  readonly reply?: string;
}

/** What a platform said on a topic the codec listens on. */
export type Heard =
  /** `later` = it has no time for it now: no refusal */
  | {
      readonly kind: 'reply';
      readonly id: string;
      readonly outcome: 'taken' | 'refused' | 'later';
      readonly says: string;
    }
  /** it wants something done: what, is read when there is time for it */
  | { readonly kind: 'command'; readonly read: () => PlatformCommand | 'nothing' | undefined }
  | { readonly kind: 'bad' };

export interface PlatformCommand {
  /** as the platform counts its commands, at most 64 characters */
  readonly id: string;
  /** none: not understood */
  readonly asks: readonly CommandAsk[];
  /** @param outcome `done`, or why it is not (`denied`, `failed`, `expired`), with a reason in one word */
  answer(outcome: string, reason: string): Packet;
}

export interface CodecContext {
  readonly feed: FeedModel;
  readonly site: string;
  /** the device model as the feed may see it, by device */
  readonly catalog: () => ReadonlyMap<string, JsonObject>;
  /** something in a member that the platform cannot be told, by reason */
  readonly onUntold: (reason: string) => void;
}

export interface Codec {
  /** the stream itself: with manifest, proofs, replay, acknowledgements and commands on `dn/` */
  readonly isWhole: boolean;
  readonly topics: readonly string[];
  /** what a platform is told at each connect before any member */
  greeting(): readonly Packet[];
  packets(member: OutMessage, now: Instant): readonly Packet[];
  /** undefined = of no interest */
  hears(topic: string, payload: Uint8Array): Heard | undefined;
}
