/**
 * The store's file: opened under FULL, migrated, or set aside. A file that is no database, or whose first pages are damaged, is renamed with
 * the time, kept, and reported; a new one begins a new epoch. A file of a newer version is refused and not touched. When not even a new file
 * can be made, the store runs in memory and says so.
 */
import { isWeinaoError } from '../base/errors/index.ts';
import { openSqlite, type Sqlite, sqliteCode } from '../io/sqlite.ts';
import { renameDatabase, syncLog } from '../io/store-files.ts';
import { configure, migrate, type Synchronous } from './schema.ts';

export interface Opened {
  readonly db: Sqlite;
  readonly durable: boolean;
  readonly fresh: boolean;
  readonly setAside?: { readonly path: string; readonly why: string };
}

export function openFile(path: string, synchronous: Synchronous, wall: number): Opened {
  try {
    return { ...tryOpen(path, synchronous), durable: true };
  } catch (error) {
    if (isWeinaoError(error)) throw error;
    if (!isDamage(error)) return openMemory(`${path}: ${text(error)}`);
    return replace(path, synchronous, wall, error);
  }
}

/** Renames a damaged file out of the way and begins a new one. */
export function replace(path: string, synchronous: Synchronous, wall: number, cause: unknown): Opened {
  const aside = `${path}.damaged-${new Date(wall).toISOString().replaceAll(':', '').slice(0, 17)}`;
  try {
    renameDatabase(path, aside);
    return { ...tryOpen(path, synchronous), durable: true, setAside: { path: aside, why: text(cause) } };
  } catch (error) {
    return openMemory(text(error));
  }
}

export function openMemory(why: string): Opened {
  const db = openSqlite(':memory:');
  migrate(db, ':memory:');
  return { db, durable: false, fresh: true, setAside: { path: '', why } };
}

function tryOpen(path: string, synchronous: Synchronous): { db: Sqlite; fresh: boolean } {
  const db = openSqlite(path);
  try {
    configure(db, synchronous);
    migrate(db, path);
    // The first read of each small table: damage in the pages every boot needs shows here and not in the first alarm.
    const fresh = db.prepare('SELECT count(*) AS n FROM meta').pluck().get() === 0;
    for (const table of ['alarms', 'states', 'memory', 'feeds', 'segments'])
      db.prepare(`SELECT * FROM ${table} LIMIT 1`).get();
    db.prepare('SELECT * FROM rows ORDER BY position DESC LIMIT 1').get();
    return { db, fresh };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Nothing of the write-ahead log is left, after a power cut neither: SQLite truncates it without a sync, and the old one would come back. */
export function emptyLog({ db, durable }: { readonly db: Sqlite; readonly durable: boolean }): void {
  db.pragma('wal_checkpoint(TRUNCATE)');
  if (durable) syncLog(db.name);
}

/** The file's content is wrong, as opposed to the card or the permission. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error) ?? '';
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' || code === 'SQLITE_ERROR';
}

function text(error: unknown): string {
  return error instanceof Error ? `${sqliteCode(error) ?? ''} ${error.message}`.trim() : String(error);
}
