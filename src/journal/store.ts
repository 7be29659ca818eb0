/**
 * The store inside its thread: one writer, every change in a transaction under FULL.
 *
 * - Events, telemetry groups, alarm rows, rule states and driver memory of several requests share one transaction and one sync.
 * - One position counter serves events and groups; it and the newest recorded time are those of the last rows, and written before rows go.
 * - A group is one zstd frame (with checksum) of its samples, in a segment table that is dropped whole.
 * - If the file cannot take a commit, the same work is committed to a database in memory with new epochs for every feed, and `durable` is false
 *   from then on; if its content is damaged, it is set aside and a new file takes the work. What can still be read goes along (salvage.ts). Nothing
 *   is refused because of the card.
 * Not promised: what was committed to memory does not survive the process.
 */
import type { Alarm } from '../base/alarm.ts';
import { type EventDraft, type Stream, streamOf } from '../base/event.ts';
import type { ErasedMarks, JournalRow } from '../base/feed.ts';
import { ulid } from '../base/ids.ts';
import type { JournalFacts, MemoryRow, Restored, StateRow } from '../base/journal.ts';
import { pack } from '../base/pack.ts';
import { type Sqlite, type Statement, sqliteCode } from '../io/sqlite.ts';
import { noteClock } from './ages.ts';
import { exchange, type Opened, openFile, type Place } from './file.ts';
import { writeBack } from './log-mark.ts';
import { dropMarksBefore } from './marks.ts';
import type { Opening, Placed, Work } from './protocol.ts';
import { ROW_BYTES, Room } from './room.ts';
import {
  type DamagedRow,
  type EventRow,
  eventCrc,
  type GroupRow,
  groupCrc,
  inOrder,
  isDamagedRow,
  readEvent,
  readGroup,
} from './rows.ts';
import type { Group } from './samples.ts';
import { createSegment } from './schema.ts';
import { standOf } from './stand.ts';
import { Statements } from './statements.ts';
import { recount } from './tally.ts';

/** length of the log at which it is written back */
const CHECKPOINT_PAGES = 1000;
const SEGMENT_GROUPS = 4096;
const SEGMENT_BYTES = 16 * 1024 * 1024;
/** what a database in memory may hold */
const MEMORY_BYTES = 32 * 1024 * 1024;
/** how often room is made for one commit before it goes to memory */
const MOST_TRIES = 8;

export interface StoreHooks {
  /** the database under the streams became another one */
  replaced(store: Store, why: string): void;
  /** bytes the disk of a file has left */
  free(path: string): number;
  /** Nothing fits in any more: something goes, now. @returns whether it is worth trying again */
  makeRoom(store: Store): boolean;
}

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
  room: Room;
  private readonly opening: Opening;
  private readonly hooks: StoreHooks;
  private sql: Statements;
  private segment: { n: number; groups: number; bytes: number; insert: Statement } | undefined;
  private damaged: DamagedRow[] = [];
  private makingRoom = false;
  private hasErased = false;
  /** of the last row's clock; undefined = not known */
  private wasSynced: boolean | undefined;

  constructor(opening: Opening, hooks: StoreHooks) {
    this.opening = opening;
    this.hooks = hooks;
    const opened = openFile(this.place(opening.now.wall));
    this.db = opened.db;
    this.durable = opened.durable;
    this.setAside = opened.setAside;
    this.sql = new Statements(this.db);
    this.room = this.newRoom();
    try {
      this.begin(opened.fresh, hexOf(opening.entropy));
    } catch (error) {
      if (!this.durable) throw error;
      this.exchange(error);
    }
    this.room.ballast();
  }

  get boot(): string {
    return this.opening.boot;
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
    const alarms = (
      this.db.prepare('SELECT body FROM alarms WHERE open = 1 AND json_valid(body)').pluck().all() as string[]
    ).map((b) => JSON.parse(b) as Alarm);
    const states = this.db.prepare('SELECT key, body FROM states').all() as StateRow[];
    const memory = this.db.prepare('SELECT device, key, body FROM memory').all() as MemoryRow[];
    return { alarms, states, memory };
  }

  /** All work in one transaction; where the events of each piece stand, in order. */
  commit(works: readonly Work[], also?: (db: Sqlite) => void): Placed[][] {
    return this.write((db) => {
      const stored = works.map((work) => this.put(work));
      also?.(db);
      return stored;
    });
  }

  /**
   * A transaction that survives a full disk and its database: on an error it is done again, after something made room, or in the database that takes
   * the place of a broken one.
   */
  write<T>(work: (db: Sqlite) => T): T {
    const { head, newest } = this;
    const counters = { ...this.counters };
    for (let tries = 1; ; tries++) {
      try {
        const done = this.sql.atomically(work);
        this.counters.commits = (this.counters.commits ?? 0) + 1;
        this.checkpoint();
        return done;
      } catch (error) {
        Object.assign(this, { head, newest, segment: undefined, wasSynced: undefined });
        Object.assign(this.counters, counters);
        // What finds no room while it makes some frees nothing, and must not take rows out of the database that comes next.
        if (this.makingRoom) throw error;
        if (isFull(error) && tries < MOST_TRIES && this.makeRoom()) continue;
        if (!this.durable || tries > MOST_TRIES) throw error;
        this.abandon(error);
        this.counters.recommitted = (this.counters.recommitted ?? 0) + 1;
        tries = MOST_TRIES;
      }
    }
  }

  /** Rows behind a position, oldest first: events of both streams, for stream `t` also groups. Damaged ones are left out, and told by `takeDamaged`. */
  rowsAfter(stream: Stream, position: number, limit: number): JournalRow[] {
    const events = this.rawEvents(position, limit);
    if (stream === 'a') return this.sound(events);
    const groups = this.groupsAfter(position, limit);
    return this.sound([...events, ...groups].sort((x, y) => x.position - y.position).slice(0, limit));
  }

  /** Event rows alone. */
  eventsAfter(position: number, limit: number): JournalRow[] {
    return this.sound(this.rawEvents(position, limit));
  }

  /** Groups of one segment. */
  groupsIn(n: number, position: number, limit: number): JournalRow[] {
    return this.sound(this.groupsOf(n, position, limit));
  }

  /** Rows that were read and cannot be believed, once. */
  takeDamaged(): readonly DamagedRow[] {
    return this.damaged.splice(0);
  }

  /** Part of a transaction: what feeds keep of a row whose content is gone. */
  markErased(db: Sqlite, position: number, marks: ErasedMarks): void {
    db.prepare('INSERT OR REPLACE INTO erased VALUES (?, ?)').run(position, JSON.stringify(marks));
    this.hasErased = true;
  }

  private sound(rows: readonly (JournalRow | DamagedRow)[]): JournalRow[] {
    this.damaged.push(...rows.filter(isDamagedRow));
    const sound = rows.filter((row): row is JournalRow => !isDamagedRow(row));
    return this.hasErased && sound.length > 0 ? this.withMarks(sound) : sound;
  }

  private withMarks(rows: readonly JournalRow[]): JournalRow[] {
    const found = this.db
      .prepare('SELECT position, body FROM erased WHERE position BETWEEN ? AND ?')
      .all(rows[0]?.position, rows.at(-1)?.position) as { position: number; body: string }[];
    const marks = new Map(found.map(({ position, body }) => [position, JSON.parse(body) as ErasedMarks]));
    return rows.map((row) => {
      const erased = marks.get(row.position);
      return erased === undefined || row.kind === 'gap' ? row : { ...row, erased };
    });
  }

  segments(): Segment[] {
    return this.db.prepare('SELECT * FROM segments ORDER BY n').all() as Segment[];
  }

  /** Part of a transaction. */
  dropSegment(db: Sqlite, { n, first, last }: Segment): void {
    this.keepClock();
    dropMarksBefore(db, last);
    this.sql.forget(n);
    if (this.segment?.n === n) this.segment = undefined;
    db.exec(`DROP TABLE IF EXISTS tel_${n}`);
    db.prepare('DELETE FROM erased WHERE position BETWEEN ? AND ? AND position NOT IN (SELECT position FROM rows)').run(
      first,
      last,
    );
    db.prepare('DELETE FROM segments WHERE n = ?').run(n);
    recount(db, 'groups', first, last);
  }

  /** Some of what fills free pages while something is erased gives them back. @returns whether there was any */
  dropScrub(): boolean {
    const name = this.db.prepare("SELECT name FROM sqlite_master WHERE name GLOB 'scrub*' LIMIT 1").pluck().get();
    this.room.zeroed = 0;
    if (name === undefined) return false;
    this.db.exec(`DROP TABLE ${String(name)}`);
    return true;
  }

  /** Part of a transaction: events up to a position go. */
  dropEvents(db: Sqlite, upTo: number): void {
    this.keepClock();
    dropMarksBefore(db, upTo);
    db.prepare('DELETE FROM erased WHERE position IN (SELECT position FROM rows WHERE position <= ?)').run(upTo);
    db.prepare('DELETE FROM rows WHERE position <= ?').run(upTo);
    recount(db, 'events', 0, upTo);
  }

  close(): void {
    this.db.close();
  }

  private begin(fresh: boolean, epoch: string): void {
    if (fresh) this.beginNew(epoch);
    else this.goOn();
    if (this.durable) writeBack(this.db, 'PASSIVE');
  }

  private beginNew(epoch: string): void {
    this.epoch = epoch;
    this.db.transaction(() => {
      this.sql.setMeta.run('epoch', epoch);
      this.keepClock();
    })();
  }

  private goOn(): void {
    while (this.dropScrub());
    this.hasErased = this.db.prepare('SELECT 1 FROM erased LIMIT 1').get() !== undefined;
    const stand = standOf(this.db);
    Object.assign(this, stand, { epoch: stand.epoch ?? hexOf(this.opening.entropy) });
  }

  /** Position counter and newest time as they are: the last rows tell them, so they are written only when rows go. */
  keepClock(): void {
    this.sql.setMeta.run('clock', JSON.stringify({ head: this.head, newest: this.newest }));
  }

  /** Another database takes the place of this one, with what can still be read of it. */
  abandon(cause: unknown): void {
    this.exchange(cause);
    this.hooks.replaced(this, cause instanceof Error ? cause.message : String(cause));
  }

  private exchange(cause: unknown): void {
    const opened = exchange(this.db, this.place(Math.max(this.newest, this.opening.now.wall)), cause);
    this.use(opened);
    try {
      this.begin(false, '');
    } catch (error) {
      if (!this.durable) throw error;
      this.exchange(error);
    }
  }

  /** The file that was left has all that memory held, and is the database again. */
  moveTo(db: Sqlite): void {
    this.db.close();
    this.use({ db, durable: true });
    this.begin(false, '');
  }

  private use({ db, durable, setAside }: Omit<Opened, 'fresh'>): void {
    Object.assign(this, { db, durable, setAside, damaged: [], segment: undefined, wasSynced: undefined });
    this.sql = new Statements(db);
    this.room = this.newRoom();
  }

  private place(wall: number): Place {
    const { path, synchronous, entropy } = this.opening;
    return { path, synchronous, epoch: hexOf(entropy.map((b) => b ^ 0xa5)), wall };
  }

  private newRoom(): Room {
    const { path, budget } = this.opening;
    // In memory a small budget does not count: what was salvaged must find room beside the next alarm.
    return this.durable ? new Room(this.db, budget, { path, free: this.hooks.free }) : new Room(this.db, MEMORY_BYTES);
  }

  /** SQLite's own would try again after a sync that failed, and believe the second. */
  private checkpoint(): void {
    if (!this.durable) return;
    try {
      const { log } = this.sql.logged.get() as { log: number };
      if (log >= CHECKPOINT_PAGES) writeBack(this.db, 'PASSIVE');
    } catch (error) {
      this.abandon(error);
    }
  }

  private makeRoom(): boolean {
    if (this.makingRoom) return false;
    this.makingRoom = true;
    try {
      return this.room.dropBallast() || this.hooks.makeRoom(this);
    } catch {
      return false;
    } finally {
      this.makingRoom = false;
    }
  }

  private put(work: Work): Placed[] {
    const recorded = Math.max(this.newest, Math.round(work.now.wall));
    if (work.now.synced !== this.wasSynced) noteClock(this.db, this.head, work.now);
    this.wasSynced = work.now.synced;
    let used = 0;
    const id = (): string => ulid(recorded, work.entropy.subarray(10 * used, 10 * ++used));
    const groups = work.groups.length === 0 || this.room.takesTelemetry() ? work.groups : this.refuse(work.groups);
    for (const group of groups) this.putGroup(group, id(), recorded);
    const stored = (work.commit?.events ?? []).map((draft) => this.putEvent(draft, id(), recorded));
    if (work.commit !== undefined) this.sql.keep(work.commit);
    this.newest = recorded;
    return stored;
  }

  private putEvent(draft: EventDraft, id: string, recorded: number): Placed {
    const position = this.sql.tallied(this.head++);
    const { boot } = this;
    const { kind } = draft;
    const row = { position, id, stream: streamOf(kind), kind, recorded, boot, body: JSON.stringify(draft) };
    this.sql.insertRow.run(position, id, row.stream, kind, recorded, boot, row.body, eventCrc(row));
    this.counters.events = (this.counters.events ?? 0) + 1;
    return { id, position, recorded };
  }

  private putGroup(group: Group, id: string, recorded: number): void {
    const segment = this.openSegment();
    const position = this.sql.tallied(this.head++);
    const body = pack(group.samples);
    const { count, at } = group;
    const [oldest, newest, synced] = [Math.round(group.oldest), Math.round(group.newest), at.synced ? 1 : 0];
    const row = { position, id, recorded, oldest, newest, count, boot: this.boot, mono: at.mono, synced, body };
    segment.insert.run(position, id, recorded, oldest, newest, count, row.boot, at.mono, synced, body, groupCrc(row));
    this.sql.growSegment.run(position, position, count, body.length, oldest, newest, segment.n);
    segment.groups++;
    segment.bytes += body.length;
    this.counters.groups = (this.counters.groups ?? 0) + 1;
    this.counters.samples = (this.counters.samples ?? 0) + count;
  }

  /** No room is left for telemetry: what comes now is not taken. */
  private refuse(groups: readonly Group[]): readonly Group[] {
    const lost = groups.reduce((sum, group) => sum + group.count, 0);
    this.counters.dropped_full = (this.counters.dropped_full ?? 0) + lost;
    return [];
  }

  private openSegment(): NonNullable<Store['segment']> {
    const isOpen = ({ groups, bytes }: { groups: number; bytes: number }): boolean =>
      groups < SEGMENT_GROUPS && bytes + ROW_BYTES * groups < Math.min(SEGMENT_BYTES, this.room.budget / 16);
    if (this.segment !== undefined && isOpen(this.segment)) return this.segment;
    const last = this.segments().at(-1);
    const usable = this.segment === undefined && last !== undefined && isOpen(last);
    const n = usable ? last.n : (last?.n ?? 0) + 1;
    if (!usable) {
      this.db.exec(createSegment(n));
      this.db.prepare('INSERT INTO segments VALUES (?, 0, 0, 0, 0, 0, 9007199254740991, 0)').run(n);
    }
    const insert = this.db.prepare(`INSERT INTO tel_${n} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.segment = { n, groups: usable ? last.groups : 0, bytes: usable ? last.bytes : 0, insert };
    return this.segment;
  }

  private rawEvents(position: number, limit: number): (JournalRow | DamagedRow)[] {
    return inOrder(this.sql.eventsAfter.all(position, limit) as EventRow[], position).map(readEvent);
  }

  private groupsOf(n: number, position: number, limit: number): (JournalRow | DamagedRow)[] {
    const rows = this.sql.groupsOf(n).all(position, limit) as GroupRow[];
    return inOrder(rows, position).map((row) => readGroup(n, row));
  }

  private groupsAfter(position: number, limit: number): (JournalRow | DamagedRow)[] {
    const rows: (JournalRow | DamagedRow)[] = [];
    for (const n of this.sql.segmentsAfter.all(position) as number[]) {
      if (rows.length >= limit) break;
      rows.push(...this.groupsOf(n, position, limit - rows.length));
    }
    return rows;
  }
}

/** No room: in the file by its budget, or on the disk. */
const isFull = (error: unknown): boolean => sqliteCode(error) === 'SQLITE_FULL';

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').slice(0, 16);
}
