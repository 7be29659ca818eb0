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

/** SQLite's result code of an error (`SQLITE_IOERR_WRITE`), undefined when it is not SQLite's. */
export function sqliteCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}
