/** What is kept of a feed that was forgotten (leaving.ts), in the feed's own memory. */
import { STREAMS, type Stream } from '../base/event.ts';
import type { ContractRow, Gap, Loss } from '../base/feed.ts';
import type { Sqlite } from '../io/sqlite.ts';

const LEFT = '@left';

export interface Left {
  readonly old: NonNullable<ContractRow['old']>;
  readonly losses: Partial<Record<Stream, Loss>>;
}

export function leftOf(db: Sqlite, feed: string): Left | undefined {
  const body = db.prepare('SELECT body FROM feed_memory WHERE feed = ? AND key = ?').pluck().get(feed, LEFT);
  return typeof body === 'string' ? (JSON.parse(body) as Left) : undefined;
}

/** Who tells a feed of a gap. */
export interface Teller {
  appendTo(db: Sqlite, id: string, stream: Stream, wall: number, gap: Pick<Gap, 'reason' | 'loss'>): void;
}

/** Part of a transaction: what waited for a feed when it was forgotten is told when it comes back. */
export function tellLeft(
  db: Sqlite,
  streams: Teller,
  { feed, left, wall }: { readonly feed: string; readonly left: Left; readonly wall: number },
): void {
  dropMemory(db, feed, LEFT);
  for (const stream of STREAMS) {
    const loss = left.losses[stream];
    if (loss !== undefined) streams.appendTo(db, feed, stream, wall, { reason: 'detached', loss });
  }
}

export const saveLeft = (db: Sqlite, feed: string, left: Left): void => setMemory(db, feed, LEFT, JSON.stringify(left));

export const setMemory = (db: Sqlite, feed: string, key: string, body: string): void =>
  void db.prepare('INSERT OR REPLACE INTO feed_memory VALUES (?, ?, ?)').run(feed, key, body);

export const dropMemory = (db: Sqlite, feed: string, key: string): void =>
  void db.prepare('DELETE FROM feed_memory WHERE feed = ? AND key = ?').run(feed, key);
