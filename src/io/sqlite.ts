/** SQLite through better-sqlite3: the only file that names it. */
import Database from 'better-sqlite3';

export type Sqlite = Database.Database;
export type Statement = Database.Statement;

/** Opens or creates a file; `:memory:` for one that is none. Throws the library's SqliteError. */
export function openSqlite(path: string): Sqlite {
  return new Database(path);
}

/** An existing file, only read; its writer may go on meanwhile. */
export function openSqliteReadOnly(path: string): Sqlite {
  return new Database(path, { readonly: true, fileMustExist: true });
}

/** A database's bytes, only read. */
export function openSqliteBytes(bytes: Buffer): Sqlite {
  return new Database(bytes, { readonly: true });
}

/**
 * Ends a connection without a checkpoint: what failed to reach the disk is not written and synced once more, as SQLite does when the last connection of a
 * file closes. A second one, which only reads, is the last instead.
 * @returns that second one; undefined when none can be opened (then the first stays open, and is left to the end of the process) or the database is no file.
 */
export function leaveAsItIs(db: Sqlite): Sqlite | undefined {
  if (db.memory) return void db.close();
  let reading: Sqlite | undefined;
  try {
    reading = openSqliteReadOnly(db.name);
    // Not before it has read does it hold the file.
    reading.prepare('SELECT 1 FROM sqlite_master').get();
    db.close();
    return reading;
  } catch {
    reading?.close();
    return undefined;
  }
}

/** SQLite's result code of an error (`SQLITE_IOERR_WRITE`), undefined when it is not SQLite's. */
export function sqliteCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}
