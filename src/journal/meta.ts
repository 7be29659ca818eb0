/** What a database says of itself, by key; written as part of a transaction. */
import type { Sqlite } from '../io/sqlite.ts';

export function readMeta(db: Sqlite, key: string): string | undefined {
  const value = db.prepare('SELECT value FROM meta WHERE key = ?').pluck().get(key);
  return typeof value === 'string' ? value : undefined;
}

export const setMeta = (db: Sqlite, key: string, value: string): void =>
  void db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value);

export const dropMeta = (db: Sqlite, key: string): void => void db.prepare('DELETE FROM meta WHERE key = ?').run(key);
