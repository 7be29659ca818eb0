/** The store's statements on one database. */
import type { Commit } from '../base/journal.ts';
import type { Sqlite, Statement } from '../io/sqlite.ts';
import { blockOf, tallyBefore } from './tally.ts';

/** Prepared once: a statement's memory is none of V8's, which therefore sees no reason to give up those that nobody holds any more. */
export class Statements {
  private readonly db: Sqlite;
  private groups: { readonly n: number; readonly statement: Statement } | undefined;
  /** how long the write-ahead log is, in pages */
  readonly logged: Statement;
  private readonly transact: (work: (db: Sqlite) => unknown) => unknown;
  /** of positions: where the last row was put */
  private block = -1;
  readonly setMeta: Statement;
  readonly insertRow: Statement;
  readonly eventsAfter: Statement;
  readonly segmentsAfter: Statement;
  readonly growSegment: Statement;
  private readonly setAlarm: Statement;
  private readonly setState: Statement;
  private readonly dropState: Statement;
  private readonly setMemory: Statement;
  private readonly dropMemory: Statement;

  constructor(db: Sqlite) {
    this.db = db;
    this.logged = db.prepare('PRAGMA wal_checkpoint(NOOP)');
    this.transact = db.transaction((work: (db: Sqlite) => unknown) => work(db));
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

  atomically<T>(work: (db: Sqlite) => T): T {
    try {
      return this.transact(work) as T;
    } catch (error) {
      this.block = -1;
      throw error;
    }
  }

  /** A row comes to this position: the blocks before it are counted. */
  tallied(position: number): number {
    if (blockOf(position) > this.block) this.block = tallyBefore(this.db, position);
    return position;
  }

  /** Groups of a segment behind a position; the one read last is read next. */
  groupsOf(n: number): Statement {
    if (this.groups?.n !== n) {
      const statement = this.db.prepare(`SELECT * FROM tel_${n} WHERE position > ? ORDER BY position LIMIT ?`);
      this.groups = { n, statement };
    }
    return this.groups.statement;
  }

  /** Alarms, rule states and drivers' memory as they are now. */
  keep(commit: Commit): void {
    for (const alarm of commit.alarms)
      this.setAlarm.run(alarm.key, alarm.aid, alarm.open ? 1 : 0, JSON.stringify(alarm));
    for (const { key, body } of commit.states) {
      if (body === null) this.dropState.run(key);
      else this.setState.run(key, body);
    }
    for (const { device, key, body } of commit.memory) {
      if (body === null) this.dropMemory.run(device, key);
      else this.setMemory.run(device, key, body);
    }
  }

  /** A table goes: nothing may hold on to it. */
  forget(n: number): void {
    if (this.groups?.n === n) this.groups = undefined;
  }
}
