/**
 * What can still be read of a database that takes nothing more, and its place in the one that comes instead: open alarms, rule states, what drivers
 * learned, the feeds' cursors and gaps, every event some feed has not taken (and the newest others), and the newest telemetry some feed has not taken,
 * up to GROUP_BYTES. Rows whose checksum is wrong stay behind. What was there and does not come along is counted as far as anything tells of it
 * (Lost), for the feeds that must hear of it (losses.ts).
 */
import { type Sqlite, type Statement, sqliteCode } from '../io/sqlite.ts';
import { UNSYNCED } from './ages.ts';
import { readMeta, setMeta } from './meta.ts';
import { type EventRow, type GroupRow, isDamagedRow, readEvent, readGroup } from './rows.ts';
import { createSegment } from './schema.ts';

/** events that come along though all feeds have taken them */
const EVENT_ROWS = 2000;
const GROUP_BYTES = 16 * 1024 * 1024;
/** into memory, from a disk that keeps the rest */
const MEMORY_ROWS = 8000;
const MEMORY_BYTES = 8 * 1024 * 1024;

const TABLES: Readonly<Record<string, string>> = {
  meta: `SELECT * FROM meta WHERE key = '${UNSYNCED}' AND json_valid(value)`,
  alarms: 'SELECT * FROM alarms WHERE open = 1 AND json_valid(body)',
  states: 'SELECT * FROM states',
  memory: 'SELECT * FROM memory',
  feed_memory: 'SELECT * FROM feed_memory',
  feeds: 'SELECT * FROM feeds WHERE json_valid(contract) AND json_valid(a) AND json_valid(t) AND json_valid(standing)',
  views: 'SELECT * FROM views WHERE json_valid(body)',
  gaps: "SELECT * FROM gaps WHERE json_valid(body) AND typeof(position) = 'integer'",
  erased: 'SELECT * FROM erased WHERE json_valid(body)',
};

/** Telemetry of a segment that did not come along. */
export interface LostSegment {
  readonly first: number;
  readonly last: number;
  readonly groups: number;
  readonly samples: number;
  /** samples that came along, all of them from `keptFrom` on */
  readonly kept: number;
  readonly keptFrom: number;
  readonly oldest: number;
  readonly newest: number;
}

/** Events of either stream that did not come along, all of them before a position. */
export interface LostEvents {
  readonly before: number;
  readonly count: number;
  /** when the events beside them were recorded, UTC ms */
  readonly from: number;
  readonly to: number;
}

/** What did not come along. */
export interface Lost {
  readonly why: string;
  readonly events?: LostEvents;
  readonly segments: readonly LostSegment[];
  /** what kinds nobody can count */
  readonly unknown: readonly ('events' | 'telemetry')[];
  /** where the platforms stand is not known */
  readonly cursors: boolean;
}

export interface Successor {
  readonly epoch: string;
  readonly why: string;
  readonly wall: number;
  readonly durable: boolean;
}

interface Clock {
  head: number;
  newest: number;
}

/** Nobody knows what was lost, nor that anything was. */
export function noteLost(db: Sqlite, why: string, epoch: string): void {
  const lost: Lost = { why, segments: [], unknown: ['events', 'telemetry'], cursors: false };
  db.transaction(() => {
    setMeta(db, 'lost', JSON.stringify(lost));
    setMeta(db, 'epoch', epoch);
  })();
}

/** Part of a transaction: a new database takes what is left of another. */
export function plant(to: Sqlite, from: Sqlite | undefined, { epoch, why, wall, durable }: Successor): void {
  const clock = clockOf(from);
  // A disk that is only not written, or not now, still has what does not come along: the life that can use it tells.
  let lost: Lost = { why, segments: [], unknown: durable ? ['events', 'telemetry'] : [], cursors: true };
  if (from !== undefined) {
    for (const [table, query] of Object.entries(TABLES)) copy(to, from, table, query);
    const feeds = cursorsOf(from);
    const floor = feeds ?? { a: 0, t: 0 };
    // Positions first: where the tables end is known before it is known what of them is missing.
    const segments = segmentsOf(from);
    clock.head = Math.max(clock.head, 1 + (segments?.at(-1)?.last ?? 0), 1 + lastOf(from));
    const telemetry =
      segments && copyTelemetry(to, from, segments, floor.t, durable ? GROUP_BYTES : MEMORY_BYTES, clock);
    const events = copyEvents(to, from, Math.min(floor.a, floor.t), clock, { wall, segments: segments ?? [], durable });
    if (durable)
      lost = {
        why,
        ...(events === undefined || events === 'unknown' ? {} : { events }),
        segments: telemetry ?? [],
        unknown: [
          ...(events === 'unknown' ? (['events'] as const) : []),
          ...(telemetry === undefined ? (['telemetry'] as const) : []),
        ],
        cursors: feeds === undefined,
      };
    else lost = { ...lost, cursors: feeds === undefined };
  }
  setMeta(to, 'epoch', epoch);
  setMeta(to, 'clock', JSON.stringify(clock));
  setMeta(to, 'lost', JSON.stringify(lost));
  if (lost.cursors) setMeta(to, 'cursors', JSON.stringify(lost));
}

function copy(to: Sqlite, from: Sqlite, table: string, query: string): void {
  attempt(() => {
    const rows = from.prepare(query);
    const insert = inserting(to, table, rows);
    for (const row of rows.raw().iterate()) put(insert, row as unknown[]);
  });
}

/** Rows of an older version may have fewer columns. */
export function inserting(to: Sqlite, table: string, rows: Statement): Statement {
  const names = rows.columns().map(({ name }) => name);
  return to.prepare(
    `INSERT OR REPLACE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
  );
}

/** Out of a damaged page comes what no table takes. Whatever else goes wrong here is not the damaged file's. */
function put(insert: Statement, row: readonly unknown[]): void {
  try {
    insert.run(...row);
  } catch (error) {
    if (!/^SQLITE_(CONSTRAINT|MISMATCH)/.test(sqliteCode(error) ?? ''))
      throw new Error(String(error), { cause: error });
  }
}

/** Where the last feeds stand; undefined when not all of them can be told. */
function cursorsOf(from: Sqlite): { a: number; t: number } | undefined {
  return attempt(() => {
    const rows = from.prepare('SELECT a, t FROM feeds').all() as { a: string; t: string }[];
    const at = (text: string): number => Number((JSON.parse(text) as { position: number }).position);
    const floor = { a: Math.min(...rows.map(({ a }) => at(a))), t: Math.min(...rows.map(({ t }) => at(t))) };
    return rows.length === 0 || Number.isSafeInteger(floor.a + floor.t) ? floor : undefined;
  });
}

function clockOf(from: Sqlite | undefined): Clock {
  const kept = attempt(() => from && readMeta(from, 'clock'));
  const { head = 1, newest = 0 } = attempt(() => JSON.parse(String(kept)) as Partial<Clock>) ?? {};
  return { head: Number.isSafeInteger(head) ? head : 1, newest: Number.isSafeInteger(newest) ? newest : 0 };
}

const lastOf = (from: Sqlite): number =>
  attempt(() => {
    const row = from.prepare('SELECT * FROM rows ORDER BY position DESC LIMIT 1').get() as EventRow | undefined;
    return row === undefined || isDamagedRow(readEvent({ ...row, crc: row.crc ?? null })) ? 0 : row.position;
  }) ?? 0;

interface Segment {
  readonly n: number;
  readonly first: number;
  readonly last: number;
  readonly groups: number;
  readonly samples: number;
  readonly oldest: number;
  readonly newest: number;
}

const segmentsOf = (from: Sqlite): readonly Segment[] | undefined =>
  attempt(() => from.prepare('SELECT * FROM segments WHERE groups > 0 ORDER BY n').all() as Segment[]);

/** The newest groups behind a position, up to so many bytes. @returns what stays behind */
function copyTelemetry(
  to: Sqlite,
  from: Sqlite,
  segments: readonly Segment[],
  floor: number,
  bytes: number,
  clock: Clock,
): LostSegment[] {
  const lost: LostSegment[] = [];
  let left = bytes;
  for (const segment of segments.filter(({ last }) => last > floor).reverse()) {
    const { first, last, groups, samples, oldest, newest } = segment;
    const taken = copyGroups(to, from, segment, floor, left);
    left -= taken.bytes;
    clock.newest = Math.max(clock.newest, taken.recorded);
    // A page that was overwritten in part may end a walk too early.
    const isAll = taken.isAll && taken.groups >= groupsBehind(from, segment, floor);
    if (!isAll) lost.push({ first, last, groups, samples, kept: taken.samples, keptFrom: taken.from, oldest, newest });
  }
  return lost;
}

/** Groups of a segment behind a position: the positions there that are not events'. */
function groupsBehind(from: Sqlite, { first, last, groups }: Segment, floor: number): number {
  if (floor < first) return groups;
  const query = 'SELECT count(*) FROM rows WHERE position > ? AND position <= ?';
  const events = attempt(() => from.prepare(query).pluck().get(floor, last));
  return events === undefined ? 0 : last - floor - Number(events);
}

function copyGroups(
  to: Sqlite,
  from: Sqlite,
  { n, last }: Segment,
  floor: number,
  bytes: number,
): { isAll: boolean; groups: number; samples: number; bytes: number; from: number; recorded: number } {
  const taken = { isAll: false, groups: 0, samples: 0, bytes: 0, from: last + 1, recorded: 0 };
  attempt(() => {
    const rows = from.prepare(`SELECT * FROM tel_${n} WHERE position > ? ORDER BY position DESC`);
    to.exec(createSegment(n));
    to.prepare('INSERT INTO segments VALUES (?, 0, 0, 0, 0, 0, 9007199254740991, 0)').run(n);
    const insert = inserting(to, `tel_${n}`, rows);
    const grow = to.prepare(
      `UPDATE segments SET first = ?, last = max(last, ?), groups = groups + 1, samples = samples + ?, bytes = bytes + ?,
       oldest = min(oldest, ?), newest = max(newest, ?) WHERE n = ?`,
    );
    for (const found of rows.iterate(floor)) {
      const row = { ...(found as GroupRow), crc: (found as GroupRow).crc ?? null };
      if (isDamagedRow(readGroup(n, row)) || taken.bytes + row.body.length > bytes) return;
      put(insert, Object.values(found as GroupRow));
      put(grow, [row.position, row.position, row.count, row.body.length, row.oldest, row.newest, n]);
      taken.groups++;
      taken.samples += row.count;
      taken.bytes += row.body.length;
      taken.from = row.position;
      taken.recorded = Math.max(taken.recorded, row.recorded);
    }
    taken.isAll = true;
  });
  return taken;
}

/** Every event behind a position, and the newest before it; from both ends where the middle cannot be read. @returns what stays behind */
function copyEvents(
  to: Sqlite,
  from: Sqlite,
  taken: number,
  clock: Clock,
  { wall, segments, durable }: { wall: number; segments: readonly Segment[]; durable: boolean },
): LostEvents | 'unknown' | undefined {
  const nth = (n: number): number =>
    attempt(() => {
      const query = from.prepare('SELECT position FROM rows ORDER BY position DESC LIMIT 1 OFFSET ?').pluck();
      return query.get(n) as number | undefined;
    }) ?? 0;
  const floor = Math.max(Math.min(taken, nth(EVENT_ROWS)), durable ? 0 : nth(MEMORY_ROWS));
  const up = copyRows(to, from, 'ASC', floor, clock);
  const down = up.isAll ? undefined : copyRows(to, from, 'DESC', up.end ?? floor, clock);
  const before = down?.end ?? clock.head;
  const missing = before - (up.end ?? floor) - 1;
  const groups = segments.reduce((sum, segment) => sum + groupsBetween(segment, before - missing - 1, before), 0);
  // Where the rows ended nobody knows when not even the last of them can be read.
  if (down !== undefined && down.end === undefined) return 'unknown';
  const count = up.damaged + (down === undefined ? 0 : down.damaged + Math.max(1, missing - groups));
  if (count === 0) return undefined;
  const times = [up.from, up.to, ...(down === undefined ? [] : [down.from, down.to, up.last, down.last])];
  const known = times.filter((time) => time > 0);
  const [earliest, latest] = [Math.min(wall, ...known), Math.max(0, ...known)];
  return { before: clock.head, count, from: earliest, to: latest === 0 ? wall : latest };
}

interface CopiedRows {
  readonly isAll: boolean;
  /** position and time of the last that was read */
  readonly end: number | undefined;
  readonly last: number;
  readonly damaged: number;
  /** when rows around the damaged ones were recorded; 0 = none */
  readonly from: number;
  readonly to: number;
}

function copyRows(to: Sqlite, from: Sqlite, order: 'ASC' | 'DESC', floor: number, clock: Clock): CopiedRows {
  const read = { isAll: false, end: undefined as number | undefined, last: 0, damaged: 0, from: 0, to: 0 };
  let open = false;
  attempt(() => {
    const rows = from.prepare(`SELECT * FROM rows WHERE position > ? ORDER BY position ${order}`);
    const insert = inserting(to, 'rows', rows);
    for (const found of rows.iterate(floor)) {
      const row = { ...(found as EventRow), crc: (found as EventRow).crc ?? null };
      if (isDamagedRow(readEvent(row))) {
        read.damaged++;
        if (read.from === 0) read.from = read.last;
        open = true;
        continue;
      }
      put(insert, Object.values(found as EventRow));
      Object.assign(read, { end: row.position, last: row.recorded }, open ? { to: row.recorded } : {});
      open = false;
      clock.newest = Math.max(clock.newest, row.recorded);
      clock.head = Math.max(clock.head, row.position + 1);
    }
    read.isAll = true;
  });
  return read;
}

/** Groups of a segment between two positions, about: its groups and events are taken to be mixed evenly. */
function groupsBetween({ first, last, groups }: Segment, after: number, before: number): number {
  const within = Math.min(last, before - 1) - Math.max(first, after + 1) + 1;
  return within <= 0 ? 0 : Math.min(within, Math.round((groups * within) / (last - first + 1)));
}

/** What is damaged cannot be read; anything else that goes wrong is the caller's. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError || isUnreadable(error)) return undefined;
    throw error;
  }
}

const isUnreadable = (error: unknown): boolean =>
  /^SQLITE_(CORRUPT|ERROR|NOTADB|IOERR|CANTOPEN|FULL)/.test(sqliteCode(error) ?? '');
