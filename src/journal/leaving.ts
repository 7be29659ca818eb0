/**
 * Feeds that the configuration no longer names. Their cursors pin the journal, so they wait for at most DAYS (a technician may put the feed back), as
 * the least important of all, and are then forgotten, or before when a person says so. Since when a feed is missing is written down, so that restarts
 * do not begin the week anew; and what waited for it when it was forgotten, so that it is told when the feed comes back.
 */
import { STREAMS, type Stream } from '../base/event.ts';
import type { Loss } from '../base/feed.ts';
import type { Instant } from '../base/time.ts';
import { dropFeed } from './contracts.ts';
import { joined } from './gaps.ts';
import { dropMemory, type Left, saveLeft, setMemory } from './left.ts';
import type { Store } from './store.ts';
import type { Streams } from './streams.ts';

const DAYS = 7;
const SINCE = '@detached';
const PAGES_A_STEP = 4;

/** The feed whose week is over, if any; notes since when the others are missing. The week begins, and ends, by a synchronised clock. */
export function overdue(store: Store, streams: Streams, { wall, synced }: Instant): string | undefined {
  if (!synced) return undefined;
  const since = store.db.prepare('SELECT body FROM feed_memory WHERE feed = ? AND key = ?').pluck();
  for (const feed of streams.ids()) {
    if (streams.isWanted(feed)) continue;
    const known = since.get(feed, SINCE) as string | undefined;
    if (known === undefined) store.write((db) => setMemory(db, feed, SINCE, String(wall)));
    else if (wall - Number(known) > DAYS * 86_400_000) return feed;
  }
  return undefined;
}

/** The feed is back in the configuration. */
export function reattach(store: Store, feed: string): void {
  const row = store.db.prepare('SELECT 1 FROM feed_memory WHERE feed = ? AND key = ?').get(feed, SINCE);
  if (row === undefined) return;
  store.write((db) => dropMemory(db, feed, SINCE));
}

/** A feed on its way out: what it had coming is counted some rows at a time. */
export class Leaving {
  readonly feed: string;
  private readonly store: Store;
  private readonly streams: Streams;
  private readonly end: number;
  private readonly losses: Partial<Record<Stream, Loss>> = {};
  private readonly at: Record<Stream, number>;

  constructor(store: Store, streams: Streams, feed: string) {
    this.store = store;
    this.streams = streams;
    this.feed = feed;
    this.end = store.head - 1;
    const { acked } = streams.look(feed);
    this.at = { a: acked.a.position, t: acked.t.position };
  }

  /** @returns whether it is gone now */
  step(): boolean {
    for (let page = 0; page < PAGES_A_STEP; page++) {
      const stream = STREAMS.find((s) => this.at[s] < this.end);
      if (stream === undefined) return this.finish();
      this.count(stream);
    }
    return false;
  }

  private count(stream: Stream): void {
    const rows = this.streams.rowsOf(this.feed, stream, this.at[stream]).filter((row) => row.position <= this.end);
    const measured = this.streams.measure(this.feed, stream).add(rows).behind(this.at[stream]);
    if (measured !== undefined) {
      const { first: _, ...loss } = measured;
      const before = this.losses[stream];
      this.losses[stream] = before === undefined ? loss : joined(before, loss);
    }
    this.at[stream] = rows.at(-1)?.position ?? this.end;
  }

  private finish(): boolean {
    const { feed, store, streams, losses } = this;
    const { contract, acked } = streams.look(feed);
    const left: Left = { old: { epoch: contract.epoch, a: acked.a, t: acked.t }, losses };
    store.write((db) => {
      dropFeed(db, feed);
      dropMemory(db, feed, SINCE);
      saveLeft(db, feed, left);
    });
    streams.forget(feed);
    return true;
  }
}
