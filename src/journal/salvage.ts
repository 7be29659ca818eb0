/**
 * What can still be read of a database that takes nothing more, and its place in the one that comes instead: open alarms, rule states, what
 * drivers learned, the feeds' cursors, and the newest event rows, so that an alarm a platform has not taken yet still reaches it. A table that cannot be read is
 * left behind; telemetry always is.
 */
import { type Sqlite, sqliteCode } from '../io/sqlite.ts';
import { UNSYNCED } from './ages.ts';

const EVENT_ROWS = 2000;
const TABLES: Readonly<Record<string, string>> = {
  rows: `SELECT * FROM rows ORDER BY position DESC LIMIT ${EVENT_ROWS}`,
  alarms: 'SELECT * FROM alarms WHERE open = 1 AND json_valid(body)',
  states: 'SELECT * FROM states',
  memory: 'SELECT * FROM memory',
  feed_memory: 'SELECT * FROM feed_memory',
  feeds: 'SELECT * FROM feeds',
  views: 'SELECT * FROM views',
  gaps: 'SELECT * FROM gaps',
  erased: 'SELECT * FROM erased',
  meta: `SELECT * FROM meta WHERE key = '${UNSYNCED}'`,
};

export type Salvaged = ReadonlyMap<string, readonly (readonly unknown[])[]>;

export function salvage(db: Sqlite): Salvaged {
  const found = new Map<string, unknown[][]>();
  for (const [table, query] of Object.entries(TABLES)) {
    try {
      found.set(table, db.prepare(query).raw().all() as unknown[][]);
    } catch {
      // damaged here: the other tables may be whole
    }
  }
  return found;
}

export function replant(db: Sqlite, salvaged: Salvaged): void {
  for (const [table, rows] of salvaged) {
    const marks = Array.from({ length: rows[0]?.length ?? 0 }, () => '?').join(', ');
    if (marks === '') continue;
    const insert = db.prepare(`INSERT OR REPLACE INTO ${table} VALUES (${marks})`);
    for (const row of rows) {
      try {
        insert.run(...row);
      } catch (error) {
        // Out of a damaged page comes what no table takes.
        if (!isMisfit(error)) throw error;
      }
    }
  }
}

const isMisfit = (error: unknown): boolean => /^SQLITE_(CONSTRAINT|MISMATCH)/.test(sqliteCode(error) ?? '');
