/**
 * The store's file: opened under FULL, migrated, or set aside. A file that is no database, or is damaged where every start reads, or whose log is
 * damaged, is renamed with the time, kept, and reported; a new one takes its place, with all that can still be read (remains.ts, salvage.ts). It is
 * made beside the old one and gets its name when it is complete and synced: a cut on the way leaves the old file, and all is done again. A file of a
 * newer version is refused and not touched. When not even a new file can be made, the store runs in memory, with what can be read, and says so.
 *
 * A file whose sync or write failed is not written again: SQLite would, when its last connection closes (leaveAsItIs), and trust the second sync.
 */
import { isWeinaoError } from '../base/errors/index.ts';
import { exists } from '../io/process.ts';
import { leaveAsItIs, openSqlite, type Sqlite, sqliteCode } from '../io/sqlite.ts';
import {
  dropDatabase,
  readLog,
  readStart,
  renameDatabase,
  sizeOfFile,
  syncFolder,
  syncLog,
} from '../io/store-files.ts';
import { logDamage, PAGE } from './log.ts';
import { missesLog, writeBack } from './log-mark.ts';
import { asItIs, type Remains, remainsOf } from './remains.ts';
import { noteLost, plant } from './salvage.ts';
import { configure, migrate, SCHEMA_VERSION, type Synchronous } from './schema.ts';

const NO_LOG = 'the write-ahead log is gone';

export interface Opened {
  readonly db: Sqlite;
  readonly durable: boolean;
  readonly fresh: boolean;
  readonly setAside?: { readonly path: string; readonly why: string };
}

/** How a file is opened, and how what takes its place is called. */
export interface Place {
  readonly path: string;
  readonly synchronous: Synchronous;
  readonly epoch: string;
  readonly wall: number;
}

export function openFile(place: Place): Opened {
  const { path, synchronous } = place;
  try {
    finish(path);
    const damage = damageOf(path);
    if (damage !== undefined) return replace(place, new Error(damage));
    const hasLog = exists(`${path}-wal`);
    const opened = tryOpen(path, synchronous);
    if (hasLog || !missesLog(opened.db)) return { ...opened, durable: true };
    noteLost(opened.db, NO_LOG, place.epoch);
    return { ...opened, durable: true, setAside: { path: '', why: NO_LOG } };
  } catch (error) {
    if (isWeinaoError(error)) throw error;
    return isDamage(error) ? replace(place, error) : fallBack(place, error);
  }
}

/** The file as it is, to be written again; its log is whole, and nothing of it is left. Throws whatever stands against it. */
export function reopen(path: string, synchronous: Synchronous): Sqlite {
  const damage = exists(path) ? damageOf(path) : 'gone';
  if (damage !== undefined) throw new Error(damage);
  const { db } = tryOpen(path, synchronous);
  try {
    const [done] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
    if (done?.busy !== 0) throw new Error('busy');
    syncLog(path);
    return db;
  } catch (error) {
    end(db, error);
    throw error;
  }
}

/** Another database takes the place of one that failed: a new file when its content is wrong, memory when the disk is. */
export function exchange(db: Sqlite, place: Place, cause: unknown): Opened {
  if (isDamage(cause)) {
    end(db, cause);
    return replace(place, cause);
  }
  const reading = leaveAsItIs(db);
  // One that cannot be ended is still read.
  return openMemory(
    place,
    cause,
    reading === undefined ? { db, close: () => {} } : { db: reading, close: () => reading.close() },
  );
}

/** What only lies there wrong may be closed as any other, when its first page cannot even be read. */
function end(db: Sqlite, cause: unknown): void {
  const reading = leaveAsItIs(db);
  if (reading !== undefined) reading.close();
  else if (isDamage(cause)) db.close();
}

/** A new file beside the damaged one, and then in its place. */
function replace(place: Place, cause: unknown): Opened {
  const { path, synchronous, wall, epoch } = place;
  const aside = `${path}.damaged-${new Date(wall).toISOString().replaceAll(':', '').slice(0, 17)}`;
  const next = `${path}.next`;
  try {
    dropDatabase(next);
    const remains = remainsOf(path);
    try {
      const { db } = tryOpen(next, synchronous);
      try {
        db.transaction(() => plant(db, remains?.db, { epoch, why: text(cause), wall, durable: true }))();
      } finally {
        db.close();
      }
    } finally {
      remains?.close();
    }
    renameDatabase(path, aside);
    renameDatabase(next, path);
    syncFolder(path);
    return { ...tryOpen(path, synchronous), durable: true, setAside: { path: aside, why: text(cause) } };
  } catch (error) {
    return fallBack(place, error);
  }
}

const fallBack = (place: Place, cause: unknown): Opened => openMemory(place, cause, asItIs(place.path));

function openMemory({ wall, epoch }: Place, cause: unknown, remains: Remains | undefined): Opened {
  const db = openSqlite(':memory:');
  migrate(db, ':memory:');
  try {
    db.transaction(() => plant(db, remains?.db, { epoch, why: text(cause), wall, durable: false }))();
  } finally {
    remains?.close();
  }
  return { db, durable: false, fresh: false, setAside: { path: '', why: text(cause) } };
}

/** A cut between the two names: the new file was complete. One that stands beside the old was not. */
function finish(path: string): void {
  const next = `${path}.next`;
  if (!exists(next)) return;
  if (exists(path)) return dropDatabase(next);
  dropDatabase(path);
  renameDatabase(next, path);
  syncFolder(path);
}

/** What is wrong with a file that SQLite would open all the same. */
const damageOf = (path: string): string | undefined => misshapen(path) ?? logDamage(readLog(path) ?? Buffer.alloc(0));

/** SQLite would throw away the log of a file that has not even its first page. */
function misshapen(path: string): string | undefined {
  // With another version than these the file would be taken for one that may only be read.
  if (
    sizeOfFile(path) >= PAGE &&
    readStart(path, PAGE)
      .subarray(18, 20)
      .some((version) => version < 1 || version > 2)
  )
    return 'the header is damaged';
  return sizeOfFile(path) < PAGE && sizeOfFile(`${path}-wal`) > PAGE ? 'the file is gone, its log is not' : undefined;
}

function tryOpen(path: string, synchronous: Synchronous): { db: Sqlite; fresh: boolean } {
  const db = openSqlite(path);
  try {
    configure(db, synchronous);
    if (isMisnumbered(db)) throw damaged('version');
    migrate(db, path);
    // The first read of each small table: damage in the pages every boot needs shows here and not in the first alarm.
    const fresh = db.prepare('SELECT count(*) AS n FROM meta').pluck().get() === 0;
    for (const table of ['alarms', 'states', 'memory', 'feeds', 'segments'])
      db.prepare(`SELECT * FROM ${table} LIMIT 1`).get();
    const cursors = 'json_valid(contract) AND json_valid(a) AND json_valid(t) AND json_valid(standing)';
    if (db.prepare(`SELECT 1 FROM feeds WHERE NOT (${cursors})`).get() !== undefined) throw damaged('feeds');
    db.prepare('SELECT * FROM rows ORDER BY position DESC LIMIT 1').get();
    return { db, fresh };
  } catch (error) {
    end(db, error);
    throw error;
  }
}

/** Called newer, with the very tables of this version: each later one has others. */
function isMisnumbered(db: Sqlite): boolean {
  if (Number(db.pragma('user_version', { simple: true })) <= SCHEMA_VERSION) return false;
  const tables = "SELECT sql FROM sqlite_master WHERE name NOT GLOB 'tel_*' AND name NOT GLOB 'scrub*' ORDER BY name";
  const ours = openSqlite(':memory:');
  migrate(ours, ':memory:');
  const textOf = (of: Sqlite): string => of.prepare(tables).pluck().all().join();
  return textOf(db) === textOf(ours);
}

/** Nothing of the write-ahead log is left, after a power cut neither: SQLite truncates it without a sync, and the old one would come back. */
export function emptyLog({ db, durable }: { readonly db: Sqlite; readonly durable: boolean }): void {
  if (durable) writeBack(db, 'TRUNCATE', () => syncLog(db.name));
}

const damaged = (what: string): Error => Object.assign(new Error(`${what}: damaged`), { code: 'SQLITE_CORRUPT' });

/** The file's content is wrong, as opposed to the card or the permission. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error) ?? '';
  return (
    error instanceof SyntaxError ||
    code.startsWith('SQLITE_CORRUPT') ||
    code === 'SQLITE_NOTADB' ||
    code === 'SQLITE_ERROR'
  );
}

function text(error: unknown): string {
  return error instanceof Error ? `${sqliteCode(error) ?? ''} ${error.message}`.trim() : String(error);
}
