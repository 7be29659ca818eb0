/**
 * The newest rows of the journal as the outward function takes them, read through a second, read-only connection: beside a running gateway, or when
 * none runs. Rows whose checksum is wrong are left out, as they are for the feeds.
 */
import { WeinaoError } from '../base/errors/index.ts';
import type { JournalRow } from '../base/feed.ts';
import { exists } from '../io/process.ts';
import { openSqliteReadOnly, type Sqlite } from '../io/sqlite.ts';
import { type DamagedRow, type EventRow, type GroupRow, isDamagedRow, readEvent, readGroup } from './rows.ts';

/** @param work is given the rows of the last `span` positions, oldest first, and whether there are older ones */
export function withTail<T>(
  path: string,
  work: (tail: (span: number) => { rows: JournalRow[]; isAll: boolean }) => T,
): T {
  if (!exists(path)) throw new WeinaoError('journal.none', { path });
  const db = openSqliteReadOnly(path);
  try {
    return work((span) => {
      const after = Math.max(0, headOf(db) - span - 1);
      return { rows: rowsAfter(db, after), isAll: after === 0 };
    });
  } finally {
    db.close();
  }
}

function segmentsOf(db: Sqlite): number[] {
  return db.prepare('SELECT n FROM segments WHERE groups > 0 ORDER BY n').pluck().all() as number[];
}

function headOf(db: Sqlite): number {
  const last = (table: string): number =>
    Number(db.prepare(`SELECT coalesce(max(position), 0) FROM ${table}`).pluck().get());
  return Math.max(
    last('rows'),
    ...segmentsOf(db)
      .slice(-1)
      .map((n) => last(`tel_${n}`)),
  );
}

function rowsAfter(db: Sqlite, position: number): JournalRow[] {
  const of = (table: string): unknown[] =>
    db.prepare(`SELECT * FROM ${table} WHERE position > ? ORDER BY position`).all(position);
  const behind = db.prepare('SELECT n FROM segments WHERE last > ? ORDER BY n').pluck().all(position) as number[];
  const rows: (JournalRow | DamagedRow)[] = [
    ...(of('rows') as EventRow[]).map(readEvent),
    ...behind.flatMap((n) => (of(`tel_${n}`) as GroupRow[]).map((row) => readGroup(n, row))),
  ];
  return rows.filter((row): row is JournalRow => !isDamagedRow(row)).sort((a, b) => a.position - b.position);
}
