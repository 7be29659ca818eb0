/**
 * Feeds: the outgoing streams are computed, not stored. `Outward` is the pure function journal -> messages (written by uplink, run inside the
 * journal's worker); `FeedLedger` is what the sender sees: messages after a sequence, acknowledgements, heads.
 */
import { type StoredEvent, type Stream, streamOf } from './event.ts';
import type { Entitlement, NamedClass } from './view.ts';

/** A row of the journal as the outward function sees it. */
export type JournalRow =
  | { readonly position: number; readonly kind: 'event'; readonly event: StoredEvent; readonly erased?: ErasedMarks }
  | {
      readonly position: number;
      readonly kind: 'group';
      readonly id: string;
      readonly recorded: number;
      /** oldest and newest event time in the group, UTC ms */
      readonly oldest: number;
      readonly newest: number;
      readonly count: number;
      readonly boot: string;
      readonly mono: number;
      readonly synced: boolean;
      /** canonical JSON of the samples array, `[{"d":…,"p":…,"t":…,"v":…},…]`, or of the whole data, `{"salt":…,"samples":[…]}` */
      readonly samples: Uint8Array;
      readonly erased?: ErasedMarks;
    }
  /** the feed's own: it stands in the place of the row at its position */
  | { readonly position: number; readonly kind: 'gap'; readonly gap: Gap };

/** What is left of a member once its content was erased, by feed; a feed that is not named never was to see it. */
export type ErasedMarks = Readonly<Record<string, ErasedMark>>;

export interface ErasedMark {
  /** the epoch in which it may have been sent; empty when it surely was not */
  readonly epoch: string;
  /** SHA-256 of the data it had */
  readonly wndata: string;
  /** ISO time it told */
  readonly time: string;
  readonly subject?: string;
}

/** What is to be erased: anything that is about one of these, of this time. */
export interface EraseWhat {
  /** devices and assets */
  readonly devices: readonly string[];
  /** `device.point` */
  readonly points: readonly string[];
  readonly forms: readonly string[];
  /** words that name a person, wherever they stand */
  readonly person?: string;
  /** SHA-256 of pictures that went: alarms name them no more */
  readonly pictures?: readonly string[];
  /** event times, UTC ms; `to` is exclusive */
  readonly from: number;
  readonly to: number;
}

export interface EraseCounts {
  readonly events: number;
  readonly groups: number;
  readonly samples: number;
  readonly alarms: number;
  readonly states: number;
}

/** What is kept for so many days and no longer (`keep_days`): everything of it that was stored before a time goes. */
export interface KeepClass {
  readonly days: number;
  readonly what: EraseWhat;
  /** UTC ms */
  readonly before: number;
}

export interface KeptCounts extends EraseCounts {
  readonly days: number;
}

/** Why what nobody took was given up. */
const SHED = ['disk-full', 'kept-too-long'] as const;
export type Shed = (typeof SHED)[number];

/**
 * `refused`: the broker took the member three times not. `detached`: waited when the feed was forgotten. `damaged`: could not be read any more.
 * `pruned` and `withdrawn` answer a replay: those members of this epoch are gone; that epoch is over.
 */
export type GapReason = Shed | 'refused' | 'detached' | 'damaged' | 'pruned' | 'withdrawn' | 'erased';

/** What a feed was entitled to and does not get, or not once more. */
export interface Gap {
  readonly id: string;
  readonly reason: GapReason;
  /** UTC ms */
  readonly madeAt: number;
  readonly loss?: Loss;
  /** the members asked for that cannot be made any more */
  /** no gap: the content of these members was erased */
  readonly erased?: readonly string[];
  readonly asked?: { readonly stream: string; readonly first: number; readonly last: number };
}

export interface Loss {
  /** events and samples */
  readonly lost: number;
  /** times of the first and last of them, UTC ms */
  readonly from: number;
  readonly to: number;
}

/** The feed's contract as a row of the journal: everything the outward function depends on besides rows and head. */
export interface ContractRow extends Entitlement {
  readonly feed: string;
  /** 16 hex, new with every contract */
  readonly epoch: string;
  readonly source: string;
  readonly encoder: number;
  readonly encoding: 'json' | 'json+zstd';
  readonly id: string;
  readonly madeAt: number;
  readonly reason: string;
  /** acked heads of the epoch before, by stream */
  readonly old?: { readonly epoch: string; readonly a: StreamHead; readonly t: StreamHead };
}

/** Where a stream stands: after `position` in the journal, `seq` members made, the last one's hash (64 zeros at the start). */
export interface StreamHead {
  readonly position: number;
  readonly seq: number;
  readonly hash: string;
}

export interface OutMessage {
  readonly stream: Stream;
  readonly epoch: string;
  readonly seq: number;
  readonly hash: string;
  readonly position: number;
  /** CloudEvents attributes the sender may repeat as MQTT 5 user properties */
  readonly id: string;
  readonly type: string;
  readonly subject?: string;
  readonly red: boolean;
  readonly samples: number;
  readonly payload: Uint8Array;
}

/** A member as it was made, with what the journal's accounts need of it; none of that leaves. */
export interface MadeMessage extends OutMessage {
  /** what it tells, in the account's units: an event counts one, telemetry its samples, what the feed says of itself nothing */
  readonly units: number;
  /** values of these classes in it */
  readonly disclosed: Readonly<Partial<Record<NamedClass, number>>>;
  /** ids of the things they are about, for the audit */
  readonly about: Readonly<Partial<Record<NamedClass, readonly string[]>>>;
}

/** Part of a row: how many units, and the times of the first and last of them (UTC ms). */
export interface Entitled {
  readonly units: number;
  readonly from: number;
  readonly to: number;
}

/** What a row counts in a stream's account: an event one, telemetry its samples, a row of the other stream nothing. */
export function unitsOf(row: JournalRow, stream: Stream): number {
  if (row.kind === 'gap') return 0;
  if (row.kind === 'group') return stream === 't' ? row.count : 0;
  return streamOf(row.event.kind) === stream ? 1 : 0;
}

export interface Outward {
  /** changes with every change of the bytes it makes; a golden test guards it */
  readonly encoder: number;
  /** the same with the gateway's secret, as it is handed to the store's thread */
  keyed(secret: Uint8Array): Outward;
  /** the first member of an epoch that begins behind this position: `feed.epoch` */
  open(contract: ContractRow, stream: Stream, position: number): MadeMessage;
  /** the member for a row, or undefined when the row is of the other stream or withheld by the view */
  encode(contract: ContractRow, stream: Stream, head: StreamHead, row: JournalRow): MadeMessage | undefined;
  /** what of a row the feed may see, without making the member: for gaps */
  entitled(contract: ContractRow, stream: Stream, row: JournalRow): Entitled | undefined;
}

export interface FeedDemand extends Entitlement {
  readonly feed: string;
  readonly source: string;
  readonly encoding: 'json' | 'json+zstd';
  readonly keepMs: number;
  /** 9 = the last to lose anything */
  readonly priority: number;
}

export interface FeedState {
  readonly contract: ContractRow;
  /** acknowledged heads */
  readonly acked: { readonly a: StreamHead; readonly t: StreamHead };
  /** by stream, the sequence of the oldest member that can still be made, and of the newest that was made; `last` < `first` when there is none */
  readonly range: { readonly a: Range; readonly t: Range };
}

export interface Range {
  readonly first: number;
  readonly last: number;
}

/** A member of one epoch; another epoch has members of the same numbers. */
export interface Cursor {
  readonly epoch: string;
  readonly seq: number;
}

export interface FeedDepth {
  readonly rows: number;
  readonly samples: number;
  /** events and samples, whether or not the view lets them out */
  readonly units: number;
  readonly bytes: number;
  /** made of them so far, by the view, and not yet acknowledged; what is further on is looked at when its turn comes */
  readonly members: number;
}

/** A feed as the journal knows it, for people. */
export interface FeedFacts {
  readonly feed: string;
  /** the configuration does not name it any more */
  readonly detached: boolean;
  readonly epoch: string;
  readonly reason: string;
  readonly view: string;
  readonly a: StreamFacts;
  readonly t: StreamFacts;
  /** events and samples the platform has taken, and that its view withheld, up to the cursors */
  readonly delivered: number;
  readonly withheld: number;
  /** events and samples given up so far, by reason */
  readonly dropped: Readonly<Record<string, number>>;
  readonly gaps: readonly { readonly stream: Stream; readonly gap: Gap }[];
}

export interface StreamFacts extends FeedDepth {
  readonly acked: number;
  readonly range: Range;
  /** when the oldest row that waits was stored, UTC ms */
  readonly oldest?: number;
}

export interface FeedLedger {
  /** Opens or re-opens a feed: an equal demand continues its epoch, a changed one starts a new epoch at the acked cursor. */
  open(demand: FeedDemand): Promise<FeedState>;
  /** A new epoch without a change of contract (restored file, refused member). `over`: the row there is passed over, with a gap. */
  renew(
    feed: string,
    reason: string,
    over?: { readonly stream: Stream; readonly position: number },
  ): Promise<FeedState>;
  /** Members behind `after`, oldest first, at most `max` and about `bytes`: the same call gives the same bytes. None when the epoch is over. */
  next(
    feed: string,
    stream: Stream,
    after: Cursor,
    limit: { max: number; bytes: number },
  ): Promise<readonly OutMessage[]>;
  /** Members behind `after` that were acknowledged before, once more; none when the epoch is over or their rows are gone. */
  replay(
    feed: string,
    stream: Stream,
    after: Cursor,
    limit: { max: number; bytes: number },
  ): Promise<readonly OutMessage[]>;
  /** The hash of a member at or behind the acknowledged cursor; undefined when the journal holds nothing to make it of. */
  hashAt(feed: string, stream: Stream, at: Cursor): Promise<string | undefined>;
  /** Moves the acked cursor; persisted lazily. Going back, and another epoch's, is ignored. */
  ack(feed: string, stream: Stream, upTo: Cursor): void;
  /** A gap that answers a replay of what cannot be made any more; said once for each range. */
  gone(feed: string, stream: Stream, reason: 'pruned' | 'withdrawn', asked: NonNullable<Gap['asked']>): void;
  depth(feed: string): Promise<{ a: FeedDepth; t: FeedDepth }>;
  /** Small values a feed keeps: retained topics it published, session number. */
  remember(feed: string, key: string, body: string | null): void;
  recall(feed: string): Promise<ReadonlyMap<string, string>>;
  /** `{stream} {seq} {hash}` of what each platform has acknowledged, by feed; streams without any are left out */
  heads(): Promise<Readonly<Record<string, readonly string[]>>>;
}
