/**
 * Whether the write-ahead log was taken away between two lives, which SQLite cannot know: it opens what the file held when the log was last written
 * back, and is silent. So `meta` says, in the file, that a log must be there: the mark is set and the log written back, and then taken off again by
 * a commit that only the log has. Who ends as SQLite does, with the log written into the file, leaves it without the mark.
 * Not found: a log that was cut at the end of a frame. An epoch the platform knows more of than the journal tells that (uplink/sender.ts).
 */
import type { Sqlite } from '../io/sqlite.ts';
import { dropMeta, readMeta, setMeta } from './meta.ts';

const KEY = 'log';

/** What the log holds goes into the file. @param mode `TRUNCATE` also empties it */
export function writeBack(db: Sqlite, mode: 'PASSIVE' | 'TRUNCATE', then: () => void = () => {}): void {
  setMeta(db, KEY, '');
  db.pragma(`wal_checkpoint(${mode})`);
  then();
  dropMeta(db, KEY);
}

/** Whether a file that lies there without a log had one. */
export const missesLog = (db: Sqlite): boolean => readMeta(db, KEY) !== undefined;
