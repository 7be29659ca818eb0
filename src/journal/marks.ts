/**
 * Heads of a stream written down on the way, one every EVERY members of the running epoch, so that a replay starts near what is asked for.
 * A mark is only kept while every row behind it is: from a mark, the same members come out again.
 */
import type { Stream } from '../base/event.ts';
import type { StreamHead } from '../base/feed.ts';
import type { Sqlite } from '../io/sqlite.ts';

const EVERY = 256;

export interface Mark extends StreamHead {
  readonly feed: string;
  readonly stream: Stream;
}

export const isMark = (seq: number): boolean => seq % EVERY === 0;

export function saveMarks(db: Sqlite, marks: readonly Mark[]): void {
  const insert = db.prepare('INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)');
  for (const { feed, stream, seq, position, hash } of marks) insert.run(feed, stream, seq, position, hash);
}

/** The last head before a member; undefined when what stood there is gone. */
export function markBefore(db: Sqlite, feed: string, stream: Stream, seq: number): StreamHead | undefined {
  return db
    .prepare(
      'SELECT seq, position, hash FROM marks WHERE feed = ? AND stream = ? AND seq < ? ORDER BY seq DESC LIMIT 1',
    )
    .get(feed, stream, seq) as StreamHead | undefined;
}

/** The first head from which members can still be made; undefined when none was written down. */
export function firstMark(db: Sqlite, feed: string, stream: Stream): StreamHead | undefined {
  return db
    .prepare('SELECT seq, position, hash FROM marks WHERE feed = ? AND stream = ? ORDER BY seq LIMIT 1')
    .get(feed, stream) as StreamHead | undefined;
}

/** A new epoch begins: marks of the one before are nothing any more. */
export function dropMarks(db: Sqlite, feed: string): void {
  db.prepare('DELETE FROM marks WHERE feed = ?').run(feed);
}

/** Rows up to a position are gone. */
export function dropMarksBefore(db: Sqlite, position: number): void {
  db.prepare('DELETE FROM marks WHERE position < ?').run(position);
}
