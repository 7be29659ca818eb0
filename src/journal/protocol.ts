/** What travels between the main thread and the store's worker. Requests carry a number; the answer has the same. */
import type { WeinaoError } from '../base/errors/index.ts';
import type { StoredEvent, Stream } from '../base/event.ts';
import type { Cursor, EraseWhat, FeedDemand, Gap, KeepClass } from '../base/feed.ts';
import type { Commit } from '../base/journal.ts';
import type { Instant } from '../base/time.ts';
import type { Lost } from './feed.ts';
import type { Group } from './samples.ts';
import type { Synchronous } from './schema.ts';

export interface Opening {
  readonly path: string;
  readonly boot: string;
  /** entropy for an epoch, 8 bytes */
  readonly entropy: Uint8Array;
  readonly now: Instant;
  /** what pseudonyms are made with; never written into the journal */
  readonly secret: Uint8Array;
  readonly synchronous: Synchronous;
  /** bytes the file may have */
  readonly budget: number;
}

export interface Work {
  readonly commit?: Commit;
  readonly groups: readonly Group[];
  readonly now: Instant;
  /** 10 bytes for each event and group */
  readonly entropy: Uint8Array;
}

export interface Limit {
  readonly max: number;
  readonly bytes: number;
}

export type Request =
  | { readonly op: 'open'; readonly opening: Opening }
  | { readonly op: 'commit'; readonly work: Work }
  | { readonly op: 'restore' }
  | { readonly op: 'facts' }
  | { readonly op: 'feed'; readonly demand: FeedDemand; readonly entropy: Uint8Array; readonly wall: number }
  | {
      readonly op: 'renew';
      readonly feed: string;
      readonly reason: string;
      readonly entropy: Uint8Array;
      readonly wall: number;
      readonly over?: { readonly stream: Stream; readonly position: number };
    }
  | {
      readonly op: 'next';
      readonly feed: string;
      readonly stream: Stream;
      readonly after: Cursor;
      readonly limit: Limit;
    }
  | {
      readonly op: 'replay';
      readonly feed: string;
      readonly stream: Stream;
      readonly after: Cursor;
      readonly limit: Limit;
    }
  | { readonly op: 'hash'; readonly feed: string; readonly stream: Stream; readonly at: Cursor }
  /** without an answer */
  | { readonly op: 'ack'; readonly feed: string; readonly stream: Stream; readonly upTo: Cursor }
  | {
      readonly op: 'gone';
      readonly feed: string;
      readonly stream: Stream;
      readonly reason: 'pruned' | 'withdrawn';
      readonly asked: NonNullable<Gap['asked']>;
      readonly wall: number;
    }
  | { readonly op: 'depth'; readonly feed: string }
  | { readonly op: 'feeds' }
  /** the feeds the configuration names, after a change */
  | { readonly op: 'named'; readonly feeds: readonly string[] }
  /** some of the way of a feed out of the journal; answers whether it is gone */
  | { readonly op: 'forget'; readonly feed: string }
  /** some of the way of an erasure; answers what was erased when it is done */
  | { readonly op: 'erase'; readonly what: EraseWhat; readonly wall: number }
  /** some of the way of what is kept for so many days and no longer; answers what went when it is done */
  | { readonly op: 'expire'; readonly classes: readonly KeepClass[]; readonly wall: number }
  | { readonly op: 'remember'; readonly feed: string; readonly key: string; readonly body: string | null }
  | { readonly op: 'recall'; readonly feed: string }
  | { readonly op: 'heads' }
  | { readonly op: 'persist'; readonly now: Instant; readonly entropy: Uint8Array }
  | { readonly op: 'close' };

export type Numbered = Request & { readonly n: number };

/** What became of one commit's work. Its drafts are still where they were asked from. */
export interface Done {
  readonly n: number;
  readonly durable: boolean;
  /** of its events, in order */
  readonly stored: readonly Placed[];
}

export type Placed = Pick<StoredEvent, 'id' | 'position' | 'recorded'>;

export type Answer =
  | { readonly n: number; readonly value: unknown }
  | { readonly head: number; readonly done: readonly Done[] }
  | {
      readonly n: number;
      readonly error:
        | { readonly code: WeinaoError['code']; readonly params: WeinaoError['params'] }
        | { readonly text: string };
    }
  | { readonly renewed: readonly string[]; readonly why: string }
  | { readonly lost: Lost };
