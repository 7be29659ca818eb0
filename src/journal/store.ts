/**
 * The store inside its thread: one writer, every change in a transaction under FULL.
 *
 * - Events, telemetry groups, alarm rows, rule states and driver memory of several requests share one transaction and one sync.
 * - One position counter serves events and groups; it and the newest recorded time are those of the last rows, and written before rows go.
 * - A group is one zstd frame (with checksum) of its samples, in a segment table that is dropped whole.
 * - If the file cannot take a commit, the same work is committed to a database in memory with new epochs for every feed, and `durable` is false
 *   from then on; if its content is damaged, it is set aside and a new file takes the work. Open alarms, rule states and the newest events go
 *   along (salvage.ts). Nothing is refused because of the card.
 * Not promised: what was committed to memory does not survive the process.
 */
import type { Alarm } from '../base/alarm.ts';
import { type EventDraft, type StoredEvent, type Stream, streamOf } from '../base/event.ts';
import type { JournalRow } from '../base/feed.ts';
import { ulid } from '../base/ids.ts';
import type { Commit, JournalFacts, MemoryRow, Restored, StateRow } from '../base/journal.ts';
import { pack, unpack } from '../base/pack.ts';
import type { Sqlite, Statement } from '../io/sqlite.ts';
import { isDamage, type Opened, openFile, openMemory, replace } from './file.ts';
import { dropMarksBefore } from './marks.ts';
import type { Opening, Work } from './protocol.ts';
import { replant, salvage } from './salvage.ts';
import type { Group } from './samples.ts';
import { createSegment } from './schema.ts';

const SEGMENT_GROUPS = 4096;
/** a group's samples: 64 KB and its last reading */
const MOST_BYTES = 128 * 1024;

/** Told to whoever computes streams when the database under them became another one. */
export type OnReplaced = (store: Store, why: string) => void;

export interface Segment {
  readonly n: number;
  readonly first: number;
  readonly last: number;
  readonly groups: number;
  readonly samples: number;
  readonly bytes: number;
  readonly oldest: number;
  readonly newest: number;
}

export class Store {
  db: Sqlite;
  epoch = '';
  durable: boolean;
  head = 1;
  newest = 0;
  setAside: Opened['setAside'];
  readonly counters: Record<string, number> = { commits: 0, events: 0, groups: 0, samples: 0, recommitted: 0 };
  private readonly opening: Opening;
  private readonly onReplaced: OnReplaced;
  private sql: Statements;
  private segment: { n: number; groups: number; insert: Statement } | undefined;

  constructor(opening: Opening, onReplaced: OnReplaced) {
    this.opening = opening;
    this.onReplaced = onReplaced;
    const opened = openFile(opening.path, opening.synchronous, opening.now.wall);
    this.db = opened.db;
    this.durable = opened.durable;
    this.setAside = opened.setAside;
    this.sql = new Statements(this.db);
    this.begin(opened.fresh, hexOf(opening.entropy));
  }

  facts(): JournalFacts {
    const { epoch, durable, head, newest, counters } = this;
    return {
      epoch,
      boot: this.opening.boot,
      durable,
      head,
      newest,
      counters: { ...counters },
      ...(this.setAside === undefined ? {} : { setAside: this.setAside }),
    };
  }

  restore(): Restored {
    const alarms = (this.db.prepare('SELECT body FROM alarms WHERE open = 1').pluck().all() as string[]).map(
      (b) => JSON.parse(b) as Alarm,
    );
    const states = this.db.prepare('SELECT key, body FROM states').all() as StateRow[];
    const memory = this.db.prepare('SELECT device, key, body FROM memory').all() as MemoryRow[];
    return { alarms, states, memory };
  }

  /** All work in one transaction; the events of each piece, in order. */
  commit(works: readonly Work[], also?: (db: Sqlite) => void): StoredEvent[][] {
    return this.write((db) => {
      const stored = works.map((work) => this.put(work));
      also?.(db);
      return stored;
    });
  }

  /** A transaction that survives its database: on an error it is done again in the one that replaces it. */
  write<T>(work: (db: Sqlite) => T): T {
    const head = this.head;
    const newest = this.newest;
    try {
      const done = this.db.transaction(() => work(this.db))();
      this.counters.commits = (this.counters.commits ?? 0) + 1;
      return done;
    } catch (error) {
      if (!this.durable) throw error;
      this.head = head;
      this.newest = newest;
      this.replaceFile(error);
      this.counters.recommitted = (this.counters.recommitted ?? 0) + 1;
      return this.db.transaction(() => work(this.db))();
    }
  }

  /** Rows behind a position, oldest first: events of both streams, for stream `t` also groups. */
  rowsAfter(stream: Stream, position: number, limit: number): JournalRow[] {
    const events = this.sql.eventsAfter.all(position, limit) as EventRow[];
    const rows = events.map(eventRow);
    if (stream === 'a') return rows;
    const groups = this.groupsAfter(position, limit);
    return [...rows, ...groups].sort((x, y) => x.position - y.position).slice(0, limit);
  }

  segments(): Segment[] {
    return this.db.prepare('SELECT * FROM segments ORDER BY n').all() as Segment[];
  }

  dropSegment(n: number): void {
    this.write((db) => {
      this.keepClock();
      dropMarksBefore(db, Number(db.prepare('SELECT last FROM segments WHERE n = ?').pluck().get(n) ?? 0));
      db.exec(`DROP TABLE IF EXISTS tel_${n}`);
      db.prepare('DELETE FROM segments WHERE n = ?').run(n);
    });
    this.sql.forget(n);
    if (this.segment?.n === n) this.segment = undefined;
  }

  /** bytes of the file */
  size(): number {
    return (
      Number(this.db.pragma('page_count', { simple: true })) * Number(this.db.pragma('page_size', { simple: true }))
    );
  }

  close(): void {
    this.db.close();
  }

  private begin(fresh: boolean, epoch: string): void {
    if (fresh) {
      this.epoch = epoch;
      this.db.transaction(() => {
        this.sql.setMeta.run('epoch', epoch);
        this.keepClock();
      })();
      return;
    }
    const meta = new Map(
      (this.db.prepare('SELECT key, value FROM meta').all() as { key: string; value: string }[]).map((r) => [
        r.key,
        r.value,
      ]),
    );
    const kept = JSON.parse(meta.get('clock') ?? '{"head":1,"newest":0}') as { head: number; newest: number };
    this.epoch = meta.get('epoch') ?? epoch;
    const row = this.db.prepare('SELECT position, recorded FROM rows ORDER BY position DESC LIMIT 1').get() as Last;
    const group = this.lastGroup();
    this.head = Math.max(kept.head, (row?.position ?? 0) + 1, (group?.position ?? 0) + 1);
    this.newest = Math.max(kept.newest, row?.recorded ?? 0, group?.recorded ?? 0);
  }

  private lastGroup(): Last {
    const segment = this.db.prepare('SELECT max(n) FROM segments WHERE groups > 0').pluck().get() as number | null;
    if (segment === null) return undefined;
    return this.db
      .prepare(`SELECT position, recorded FROM tel_${segment} ORDER BY position DESC LIMIT 1`)
      .get() as Last;
  }

  /** Position counter and newest time as they are: the last rows tell them, so they are written only when rows go. */
  keepClock(): void {
    this.sql.setMeta.run('clock', JSON.stringify({ head: this.head, newest: this.newest }));
  }

  private replaceFile(cause: unknown): void {
    const { path, synchronous, entropy } = this.opening;
    const salvaged = salvage(this.db);
    try {
      this.db.close();
    } catch {
      // a database on a dead card may not even close; its handle goes with the process
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    const opened = isDamage(cause) ? replace(path, synchronous, this.newest, cause) : openMemory(why);
    this.db = opened.db;
    this.durable = opened.durable;
    this.setAside = opened.setAside;
    this.segment = undefined;
    this.sql = new Statements(this.db);
    this.begin(true, hexOf(entropy.map((b) => b ^ 0xa5)));
    this.db.transaction(() => replant(this.db, salvaged))();
    this.onReplaced(this, why);
  }

  private put(work: Work): StoredEvent[] {
    const recorded = Math.max(this.newest, Math.round(work.now.wall));
    let used = 0;
    const id = (): string => ulid(recorded, work.entropy.subarray(10 * used, 10 * ++used));
    for (const group of work.groups) this.putGroup(group, id(), recorded);
    const stored = (work.commit?.events ?? []).map((draft) => this.putEvent(draft, id(), recorded));
    if (work.commit !== undefined) this.putState(work.commit);
    this.newest = recorded;
    return stored;
  }

  private putEvent(draft: EventDraft, id: string, recorded: number): StoredEvent {
    const event: StoredEvent = { ...draft, id, position: this.head++, recorded, boot: this.opening.boot };
    this.sql.insertRow.run(
      event.position,
      id,
      streamOf(draft.kind),
      draft.kind,
      recorded,
      event.boot,
      JSON.stringify(draft),
    );
    this.counters.events = (this.counters.events ?? 0) + 1;
    return event;
  }

  private putState(commit: Commit): void {
    for (const alarm of commit.alarms)
      this.sql.setAlarm.run(alarm.key, alarm.aid, alarm.open ? 1 : 0, JSON.stringify(alarm));
    for (const { key, body } of commit.states) {
      if (body === null) this.sql.dropState.run(key);
      else this.sql.setState.run(key, body);
    }
    for (const { device, key, body } of commit.memory) {
      if (body === null) this.sql.dropMemory.run(device, key);
      else this.sql.setMemory.run(device, key, body);
    }
  }

  private putGroup(group: Group, id: string, recorded: number): void {
    const segment = this.openSegment();
    const position = this.head++;
    const body = pack(group.samples);
    const { oldest, newest, count, at } = group;
    segment.insert.run(
      position,
      id,
      recorded,
      Math.round(oldest),
      Math.round(newest),
      count,
      this.opening.boot,
      at.mono,
      at.synced ? 1 : 0,
      body,
    );
    this.sql.growSegment.run(position, position, count, body.length, Math.round(oldest), Math.round(newest), segment.n);
    segment.groups++;
    this.counters.groups = (this.counters.groups ?? 0) + 1;
    this.counters.samples = (this.counters.samples ?? 0) + count;
  }

  private openSegment(): { n: number; groups: number; insert: Statement } {
    if (this.segment !== undefined && this.segment.groups < SEGMENT_GROUPS) return this.segment;
    const last = this.db.prepare('SELECT n, groups FROM segments ORDER BY n DESC LIMIT 1').get() as
      | { n: number; groups: number }
      | undefined;
    const usable = this.segment === undefined && last !== undefined && last.groups < SEGMENT_GROUPS;
    const n = usable ? last.n : (last?.n ?? 0) + 1;
    if (!usable) {
      this.db.exec(createSegment(n));
      this.db.prepare('INSERT INTO segments VALUES (?, 0, 0, 0, 0, 0, 9007199254740991, 0)').run(n);
    }
    const insert = this.db.prepare(`INSERT INTO tel_${n} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.segment = { n, groups: usable ? last.groups : 0, insert };
    return this.segment;
  }

  private groupsAfter(position: number, limit: number): JournalRow[] {
    const rows: JournalRow[] = [];
    const segments = this.sql.segmentsAfter.all(position) as number[];
    for (const n of segments) {
      if (rows.length >= limit) break;
      const found = this.sql.groupsOf(n).all(position, limit - rows.length);
      rows.push(...(found as GroupRow[]).map(groupRow));
    }
    return rows;
  }
}

type Last = { readonly position: number; readonly recorded: number } | undefined;

interface EventRow {
  readonly position: number;
  readonly id: string;
  readonly recorded: number;
  readonly boot: string;
  readonly body: string;
}

interface GroupRow {
  readonly position: number;
  readonly id: string;
  readonly recorded: number;
  readonly oldest: number;
  readonly newest: number;
  readonly count: number;
  readonly boot: string;
  readonly mono: number;
  readonly synced: number;
  readonly body: Uint8Array;
}

function eventRow(row: EventRow): JournalRow {
  const { position, id, recorded, boot } = row;
  return { position, kind: 'event', event: { ...(JSON.parse(row.body) as EventDraft), id, position, recorded, boot } };
}

function groupRow(row: GroupRow): JournalRow {
  const { position, id, recorded, oldest, newest, count, boot, mono } = row;
  return {
    position,
    kind: 'group',
    id,
    recorded,
    oldest,
    newest,
    count,
    boot,
    mono,
    synced: row.synced === 1,
    samples: unpack(row.body, MOST_BYTES),
  };
}

/** Prepared once: a statement's memory is none of V8's, which therefore sees no reason to give up those that nobody holds any more. */
class Statements {
  private readonly db: Sqlite;
  private groups: { readonly n: number; readonly statement: Statement } | undefined;
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
    this.setMeta = db.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)');
    this.insertRow = db.prepare('INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.eventsAfter = db.prepare(
      'SELECT position, id, recorded, boot, body FROM rows WHERE position > ? ORDER BY position LIMIT ?',
    );
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

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').slice(0, 16);
}
