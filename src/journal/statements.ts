/** The store's statements on one database. */
import type { Sqlite, Statement } from '../io/sqlite.ts';

/** Prepared once: a statement's memory is none of V8's, which therefore sees no reason to give up those that nobody holds any more. */
export class Statements {
  private readonly db: Sqlite;
  private groups: { readonly n: number; readonly statement: Statement } | undefined;
  /** how long the write-ahead log is, in pages */
  readonly logged: Statement;
  readonly setMeta: Statement;
  readonly insertRow: Statement;
  readonly eventsAfter: Statement;
  readonly segmentsAfter: Statement;
  readonly growSegment: Statement;
  readonly setAlarm: Statement;
  readonly setState: Statement;
  readonly dropState: Statement;
  readonly setMemory: Statement;
  readonly dropMemory: Statement;

  constructor(db: Sqlite) {
    this.db = db;
    this.logged = db.prepare('PRAGMA wal_checkpoint(NOOP)');
    this.setMeta = db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)');
    this.insertRow = db.prepare('INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    this.eventsAfter = db.prepare('SELECT * FROM rows WHERE position > ? ORDER BY position LIMIT ?');
    this.segmentsAfter = db.prepare('SELECT n FROM segments WHERE last > ? ORDER BY n').pluck();
    this.growSegment = db.prepare(
      `UPDATE segments SET first = CASE groups WHEN 0 THEN ? ELSE first END, last = ?, groups = groups + 1, samples = samples + ?,
       bytes = bytes + ?, oldest = min(oldest, ?), newest = max(newest, ?) WHERE n = ?`,
    );
    this.setAlarm = db.prepare('INSERT OR REPLACE INTO alarms VALUES (?, ?, ?, ?)');
    this.setState = db.prepare('INSERT OR REPLACE INTO states VALUES (?, ?)');
    this.dropState = db.prepare('DELETE FROM states WHERE key = ?');
    this.setMemory = db.prepare('INSERT OR REPLACE INTO memory VALUES (?, ?, ?)');
    this.dropMemory = db.prepare('DELETE FROM memory WHERE device = ? AND key = ?');
  }

  /** Groups of a segment behind a position; the one read last is read next. */
  groupsOf(n: number): Statement {
    if (this.groups?.n !== n) {
      const statement = this.db.prepare(`SELECT * FROM tel_${n} WHERE position > ? ORDER BY position LIMIT ?`);
      this.groups = { n, statement };
    }
    return this.groups.statement;
  }

  /** A table goes: nothing may hold on to it. */
  forget(n: number): void {
    if (this.groups?.n === n) this.groups = undefined;
  }
}
