/**
 * What is left of a damaged store, opened to be read. The damaged files are not touched: a second name of the database gets a log of its own, made of
 * every frame the old log still holds, the damaged ones too (rows have checksums of their own, rows.ts), and when the first page cannot be used, of
 * one made anew. That page is ours to know: the header is the same in each of our files, and the tables of the first version lie at the same
 * pages in all of them, as no file is ever laid out otherwise (no auto_vacuum; VACUUM keeps the order). Of telemetry only the header's loss leaves
 * the tables' places, the loss of the whole page does not.
 */
import { openSqlite, openSqliteBytes, openSqliteReadOnly, type Sqlite } from '../io/sqlite.ts';
import { dropDatabase, readLog, readStart, secondName, sizeOfFile, writeLog } from '../io/store-files.ts';
import { type Frame, framesOf, logOf, PAGE } from './log.ts';
import { migrate } from './schema.ts';

const HEADER = 100;
const MOST_IMAGE = 64 * 1024 * 1024;

export interface Remains {
  readonly db: Sqlite;
  close(): void;
}

/** @returns undefined when nothing can be read */
export function remainsOf(path: string): Remains | undefined {
  const beside = `${path}.remains`;
  const close = (db?: Sqlite): void => {
    db?.close();
    dropDatabase(beside);
  };
  try {
    close();
    const frames = framesOf(readLog(path) ?? Buffer.alloc(0));
    secondName(path, beside, PAGE);
    const first = Buffer.from(frames.findLast(({ page }) => page === 1)?.data ?? readStart(beside, PAGE));
    const whole = firstPage();
    const headed = Buffer.concat([whole.subarray(0, HEADER), first.subarray(HEADER)]);
    for (const page of [undefined, headed, whole]) {
      const db = openWith(beside, frames, page);
      if (db !== undefined) return { db, close: () => close(db) };
    }
    close();
  } catch {
    // a disk on which nothing can be written: what it gives as it is
  }
  return asItIs(path);
}

/** A file that is only read, where it lies. On a disk that cannot be written SQLite may miss what it lays beside a log: then a small one is read whole. */
export function asItIs(path: string): Remains | undefined {
  for (const open of [() => openSqliteReadOnly(path), () => openSqliteBytes(imageOf(path))]) {
    const db = tried(open);
    if (db !== undefined && tried(() => holdsOurs(db)) === true) return { db, close: () => db.close() };
    db?.close();
  }
  return undefined;
}

/** The database as it is with its log written into it, in the mode of one that has none. */
function imageOf(path: string): Buffer {
  const bytes = sizeOfFile(path);
  const frames = framesOf(readLog(path) ?? Buffer.alloc(0));
  const size = PAGE * (frames.at(-1)?.size ?? Math.floor(bytes / PAGE));
  if (Math.max(bytes, size) > MOST_IMAGE) throw new RangeError(`${path}: over ${MOST_IMAGE} bytes`);
  const image = readStart(path, Math.max(bytes, size));
  for (const { page, data } of frames) if (page * PAGE <= image.length) image.set(data, (page - 1) * PAGE);
  image.fill(1, 18, 20);
  return image.subarray(0, size);
}

function tried<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function openWith(beside: string, frames: readonly Frame[], first: Uint8Array | undefined): Sqlite | undefined {
  const size = Math.max(frames.at(-1)?.size ?? 0, Math.floor(sizeOfFile(beside) / PAGE), 1);
  const all = first === undefined ? frames : [...frames, { page: 1, size, data: first }];
  writeLog(beside, all.length === 0 ? undefined : logOf(all));
  const db = openSqliteReadOnly(beside);
  // A file that is shorter than its header says is still read.
  db.unsafeMode(true);
  tried(() => db.pragma('writable_schema = ON'));
  if (tried(() => holdsOurs(db)) === true) return db;
  db.close();
  return undefined;
}

/** The first version's tables stand, with their columns, where they stand in every file of ours. */
function holdsOurs(db: Sqlite): boolean {
  const rootOf = (of: Sqlite, name: string): unknown =>
    of.prepare("SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = ?").pluck().get(name);
  const first = ours(1);
  const names = first.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all() as string[];
  return names.every((name) => {
    const columns = first.prepare(`SELECT * FROM ${name}`).columns();
    db.prepare(`SELECT ${columns.map((column) => column.name).join(', ')} FROM ${name}`);
    return rootOf(db, name) === rootOf(first, name);
  });
}

function ours(version?: number): Sqlite {
  const db = openSqlite(':memory:');
  migrate(db, ':memory:', version);
  return db;
}

/** The first page of a new file, of any size and in WAL mode. */
function firstPage(): Buffer {
  const page = Buffer.from(ours().serialize().subarray(0, PAGE));
  page.fill(2, 18, 20);
  page.fill(0, 28, 40);
  return page;
}
