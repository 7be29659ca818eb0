/**
 * The way back from memory. A store whose disk was full or read-only runs in memory (store.ts); now and then it tries its file again, and when that takes
 * a commit once more, all that only memory held is stored there in one transaction, and the file is the database as before, without a restart.
 *
 * - Tried FIRST after it was left, then at doubled intervals up to LONGEST, also when it comes and goes: a card that flaps is not believed again at once.
 *   A file that failed otherwise (an I/O error, a sync that failed) is not written again in this life: what the kernel says of it is worth nothing.
 * - Before it is believed, its log is looked at, emptied into the file and synced, so that nothing later depends on what an earlier sync may have lost.
 * - Rows and groups keep positions, ids and bytes. Each feed begins a new epoch where its platform stands; where memory had not room for everything
 *   that waited, it goes on from the file's own cursor, and some comes once more, with its ids.
 * - Only the file that was left is taken back: another one, or one that was changed meanwhile, waits for a restart.
 */
import type { Stream } from '../base/event.ts';
import type { Gap } from '../base/feed.ts';
import type { Sqlite } from '../io/sqlite.ts';
import { takesWrites } from '../io/store-files.ts';
import { UNSYNCED } from './ages.ts';
import { loadFeeds } from './contracts.ts';
import type { Fresh } from './feed.ts';
import { reopen } from './file.ts';
import type { Opening } from './protocol.ts';
import { inserting } from './salvage.ts';
import { createSegment } from './schema.ts';
import { standOf } from './stand.ts';
import type { Store } from './store.ts';
import type { Counted, Streams } from './streams.ts';

const FIRST = 5000;
const LONGEST = 600_000;
/** as long on its file, and it is trusted as at the beginning */
const WELL = 3_600_000;
const WHOLE = ['states', 'memory', 'feed_memory'] as const;

export const BACK = 'store: the file takes rows again';

/** How the database in memory began. */
interface Left {
  readonly epoch: string | undefined;
  readonly head: number;
  readonly counts: Readonly<Record<string, number>>;
  /** the oldest event and group that came along */
  readonly rows: number;
  readonly groups: number;
}

export class Homecoming {
  private readonly opening: Opening;
  private left: Left | undefined;
  private waitMs = FIRST / 2;
  private due = 0;
  private backAt = Number.NEGATIVE_INFINITY;

  constructor(opening: Opening) {
    this.opening = opening;
  }

  /** The store went to memory. @param epoch of the file, when it was known */
  leave(store: Store, epoch: string | undefined, mono: number | undefined): void {
    const why = store.setAside?.why ?? '';
    const isPassing = /^SQLITE_(FULL|READONLY)/.test(why) || !takesWrites(this.opening.path);
    this.left = isPassing ? leftOf(store.db, epoch) : undefined;
    this.wait(mono);
  }

  /** @returns the feeds that begin anew, when the file is the database again */
  step(store: Store, streams: Streams, mono: number, fresh: () => Fresh): readonly string[] | undefined {
    const { left } = this;
    if (left === undefined) return undefined;
    if (this.due === 0) this.wait(mono);
    if (mono < this.due) return undefined;
    let db: Sqlite | undefined;
    try {
      db = reopen(this.opening.path, this.opening.synchronous);
      const { epoch, head } = standOf(db);
      if (head > left.head || (left.epoch !== undefined && epoch !== left.epoch)) throw new Error('another file');
      const cursors = cursorsOf(db, store.db, streams, left);
      carry(db, store.db, head, left);
      this.left = undefined;
      this.backAt = mono;
      store.moveTo(db);
      const renewed = streams.replaced(store, BACK, fresh(), (feed) => cursors.get(feed));
      streams.persist();
      return renewed;
    } catch (error) {
      if (this.left === undefined) throw error;
      db?.close();
      this.wait(mono);
      return undefined;
    }
  }

  private wait(mono: number | undefined): void {
    if (mono === undefined) {
      this.due = 0;
      return;
    }
    this.waitMs = mono - this.backAt > WELL && this.backAt > 0 ? FIRST : Math.min(LONGEST, this.waitMs * 2);
    this.due = mono + this.waitMs;
  }
}

function leftOf(db: Sqlite, epoch: string | undefined): Left {
  const count = (table: string): number => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  const first = (query: string): number => Number(db.prepare(query).pluck().get() ?? Number.POSITIVE_INFINITY);
  return {
    epoch,
    head: standOf(db).head,
    counts: Object.fromEntries(WHOLE.map((table) => [table, count(table)])),
    rows: first('SELECT min(position) FROM rows'),
    groups: first('SELECT min(first) FROM segments WHERE groups > 0'),
  };
}

type Cursors = Map<string, Record<Stream, number> & Partial<Counted>>;

/** Where each feed goes on: where its platform stands, or, when memory had not room for all that waited, where the file stood, with its counts. */
function cursorsOf(file: Sqlite, memory: Sqlite, streams: Streams, left: Left): Cursors {
  const segments = file.prepare('SELECT n FROM segments WHERE first < ? AND last > ? AND groups > 0').pluck();
  const hasRow = (after: number): boolean =>
    file.prepare('SELECT 1 FROM rows WHERE position > ? AND position < ? LIMIT 1').get(after, left.rows) !== undefined;
  const hasGroup = (after: number): boolean =>
    (segments.all(left.groups, after) as number[]).some(
      (n) =>
        file.prepare(`SELECT 1 FROM tel_${n} WHERE position > ? AND position < ? LIMIT 1`).get(after, left.groups) !==
        undefined,
    );
  const gone = memory.prepare('SELECT body FROM gaps WHERE feed = ? AND position >= ?').pluck();
  const kept = new Map(loadFeeds(file).map((feed) => [feed.contract.feed, feed]));
  return new Map(
    streams.ids().map((id) => {
      const { acked } = streams.look(id);
      const own = kept.get(id);
      if (own === undefined) return [id, { a: acked.a.position, t: acked.t.position }];
      const dropped = { ...own.standing.dropped };
      for (const body of gone.all(id, left.head) as string[]) {
        const { reason, loss } = JSON.parse(body) as Gap;
        if (loss !== undefined) dropped[reason] = (dropped[reason] ?? 0) + loss.lost;
      }
      if (!(hasRow(own.a.position) || hasRow(own.t.position) || hasGroup(own.t.position)))
        return [id, { a: acked.a.position, t: acked.t.position, dropped }];
      const { delivered = 0, withheld = 0 } = own.standing;
      return [id, { a: own.a.position, t: own.t.position, delivered, withheld, dropped }];
    }),
  );
}

/** One transaction: everything behind `head`, and what is kept by key as memory has it. */
function carry(file: Sqlite, memory: Sqlite, head: number, { counts }: Left): void {
  file.transaction(() => {
    copy(file, memory, 'rows', 'SELECT * FROM rows WHERE position >= ?', head);
    let n = Number(file.prepare('SELECT coalesce(max(n), 0) FROM segments').pluck().get());
    for (const from of memory
      .prepare('SELECT n FROM segments WHERE last >= ? ORDER BY n')
      .pluck()
      .all(head) as number[])
      copySegment(file, memory, from, ++n, head);
    for (const table of WHOLE) {
      // What was dropped in memory is dropped here, if all of it came along when the file was left.
      const before = Number(file.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
      if (before === counts[table]) file.exec(`DELETE FROM ${table}`);
      copy(file, memory, table, `SELECT * FROM ${table}`);
    }
    // What memory gave up of what the file still has is not lost.
    copy(file, memory, 'gaps', 'SELECT * FROM gaps WHERE position >= ?', head);
    for (const table of ['alarms', 'erased']) copy(file, memory, table, `SELECT * FROM ${table}`);
    copy(file, memory, 'meta', `SELECT * FROM meta WHERE key IN ('clock', '${UNSYNCED}')`);
  })();
}

function copySegment(file: Sqlite, memory: Sqlite, from: number, n: number, head: number): void {
  file.exec(createSegment(n));
  const count = copy(file, memory, `tel_${n}`, `SELECT * FROM tel_${from} WHERE position >= ?`, head);
  if (count === 0) return void file.exec(`DROP TABLE tel_${n}`);
  file
    .prepare(
      `INSERT INTO segments SELECT ?, min(position), max(position), count(*), sum(count), sum(length(body)), min(oldest), max(newest) FROM tel_${n}`,
    )
    .run(n);
}

function copy(to: Sqlite, from: Sqlite, table: string, query: string, ...bound: number[]): number {
  const rows = from.prepare(query).raw();
  const insert = inserting(to, table, rows);
  let count = 0;
  for (const row of rows.iterate(...bound) as IterableIterator<unknown[]>) count += insert.run(...row).changes;
  return count;
}
