/**
 * Feeds that the configuration no longer names. Their cursors pin the journal, so they wait for at most DAYS (a technician may put the feed back) and
 * are then forgotten. Since when a feed is missing is written down, so that restarts do not begin the week anew.
 */
import { dropFeed } from './contracts.ts';
import { dropMarks } from './marks.ts';
import type { Store } from './store.ts';
import type { Streams } from './streams.ts';

const DAYS = 7;
const SINCE = '@detached';

export function forgetDetached(store: Store, streams: Streams, wall: number): void {
  const detached = streams.detached();
  if (detached.length === 0) return;
  const since = store.db.prepare('SELECT body FROM feed_memory WHERE feed = ? AND key = ?').pluck();
  for (const feed of detached) {
    const known = since.get(feed, SINCE) as string | undefined;
    if (known === undefined)
      store.write((db) => void db.prepare('INSERT INTO feed_memory VALUES (?, ?, ?)').run(feed, SINCE, String(wall)));
    else if (wall - Number(known) > DAYS * 86_400_000) {
      store.write((db) => {
        dropFeed(db, feed);
        dropMarks(db, feed);
      });
      streams.forget(feed);
    }
  }
}

/** The feed is back in the configuration. */
export function reattach(store: Store, feed: string): void {
  const row = store.db.prepare('SELECT 1 FROM feed_memory WHERE feed = ? AND key = ?').get(feed, SINCE);
  if (row === undefined) return;
  store.write((db) => void db.prepare('DELETE FROM feed_memory WHERE feed = ? AND key = ?').run(feed, SINCE));
}
