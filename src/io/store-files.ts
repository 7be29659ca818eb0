/** Files of the store beside SQLite's own doing. Synchronous: it runs in the store's thread. */
import { existsSync, renameSync } from 'node:fs';

/** Renames a database with its write-ahead log. */
export function renameDatabase(from: string, to: string): void {
  for (const end of ['', '-wal', '-shm']) if (existsSync(from + end)) renameSync(from + end, to + end);
}
