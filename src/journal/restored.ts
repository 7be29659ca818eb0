/**
 * A file put back from a backup says so itself, and every feed begins a new epoch when it is opened: what its platforms got after the backup was made
 * had sequence numbers this file would give away again. (Of a file that somebody copied by hand only the broker knows: src/uplink/sender.ts.)
 */
import { copyDurably, replaceDurably } from '../io/files.ts';
import { openSqlite } from '../io/sqlite.ts';
import { dropFile } from '../io/store-files.ts';
import { checkJournal, notWritten } from './copy.ts';
import type { Fresh } from './feed.ts';
import { dropMeta, readMeta, setMeta } from './meta.ts';
import type { Store } from './store.ts';
import type { Streams } from './streams.ts';

const MARK = 'restored';

/**
 * Puts a backup in the place of a journal, which is moved away when the copy stands whole beside it: whatever goes wrong until then, it stays in place.
 * Throws journal.no_room and journal.not_written.
 */
export async function restoreFrom(file: string, path: string, moveAway: () => void): Promise<void> {
  const beside = `${path}.restoring`;
  try {
    await copyDurably(file, beside);
    const db = openSqlite(beside);
    try {
      setMeta(db, MARK, '1');
    } finally {
      db.close();
    }
    checkJournal(beside);
    moveAway();
    await replaceDurably(beside, path);
  } catch (error) {
    for (const end of ['', '-wal', '-shm']) dropFile(beside + end);
    throw notWritten(error, path);
  }
}

/** The mark goes last: a start that is cut short does it again. */
export function beginAnew(store: Store, streams: Streams, fresh: () => Fresh): void {
  if (readMeta(store.db, MARK) === undefined) return;
  for (const feed of streams.ids()) streams.renew(feed, 'restored', fresh());
  store.write((db) => dropMeta(db, MARK));
}
