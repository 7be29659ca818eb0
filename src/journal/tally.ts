/**
 * How many rows there are, by blocks of BLOCK positions, so that what waits for a feed is told exactly at any size and nobody reads the rows for it:
 * it is the sum of the blocks behind the feed's cursor, and of the rows of the block the cursor stands in and of those behind the last block told.
 *
 * - A block is counted when the first row behind it comes, in that row's transaction: one small row for BLOCK others.
 * - Up to the newest block in the table the table is exact: where rows go or change, their blocks are counted again in the same transaction.
 */
import type { Sqlite } from '../io/sqlite.ts';

export const BLOCK = 256;

/** events of the two streams, and telemetry groups */
export type Kind = 'a' | 't' | 'g';

export interface Amount {
  readonly rows: number;
  readonly samples: number;
  /** of the bodies */
  readonly bytes: number;
}

export type Amounts = Readonly<Record<Kind, Amount>>;

/** Of events and of groups, what is counted of them as rows of the table. */
const EVENTS = `SELECT position / ${BLOCK} AS block, stream AS kind, count(*) AS rows, 0 AS samples, sum(octet_length(body)) AS bytes FROM rows
  WHERE position BETWEEN ? AND ? GROUP BY 1, 2`;
const groups = (n: number): string =>
  `SELECT position / ${BLOCK} AS block, 'g' AS kind, count(*) AS rows, sum(count) AS samples, sum(octet_length(body)) AS bytes FROM tel_${n}
  WHERE position BETWEEN ? AND ? GROUP BY 1`;

/** Statements go over the name of a block that two segments share. */
const into = (query: string): string =>
  `INSERT INTO tallies SELECT * FROM (${query}) WHERE true ON CONFLICT DO UPDATE SET
  rows = rows + excluded.rows, samples = samples + excluded.samples, bytes = bytes + excluded.bytes`;

const startOf = (block: number): number => block * BLOCK;
const endOf = (block: number): number => (block + 1) * BLOCK - 1;
export const blockOf = (position: number): number => Math.floor(position / BLOCK);

function segmentsIn(db: Sqlite, from: number, to: number): number[] {
  const query = db.prepare('SELECT n FROM segments WHERE groups > 0 AND last >= ? AND first <= ?').pluck();
  return query.all(from, to) as number[];
}

/** Counts whole blocks. */
function tally(db: Sqlite, kinds: 'events' | 'groups' | 'all', first: number, last: number): void {
  const [from, to] = [startOf(first), endOf(last)];
  if (kinds !== 'groups') db.prepare(into(EVENTS)).run(from, to);
  if (kinds !== 'events') for (const n of segmentsIn(db, from, to)) db.prepare(into(groups(n))).run(from, to);
}

/** the block behind all that are counted */
const nextBlock = (db: Sqlite): number => Number(db.prepare('SELECT max(block) FROM tallies').pluck().get() ?? -1) + 1;

/** Part of the transaction in which a row gets this position: the blocks before it are whole. @returns the block it is in */
export function tallyBefore(db: Sqlite, position: number): number {
  const block = blockOf(position);
  const first = nextBlock(db);
  if (first < block) tally(db, 'all', first, block - 1);
  return block;
}

/** Part of the transaction in which rows between two positions went or changed. */
export function recount(db: Sqlite, kinds: 'events' | 'groups', from: number, to: number): void {
  const first = blockOf(from);
  const last = Math.min(blockOf(to), nextBlock(db) - 1);
  if (first > last) return;
  const isKind = kinds === 'groups' ? "kind = 'g'" : "kind <> 'g'";
  db.prepare(`DELETE FROM tallies WHERE block BETWEEN ? AND ? AND ${isKind}`).run(first, last);
  tally(db, kinds, first, last);
}

/** What stands behind a position. */
export function amountsAfter(db: Sqlite, position: number): Amounts {
  const block = blockOf(position);
  const next = nextBlock(db);
  const sums = {
    a: { rows: 0, samples: 0, bytes: 0 },
    t: { rows: 0, samples: 0, bytes: 0 },
    g: { rows: 0, samples: 0, bytes: 0 },
  };
  const add = (query: string, ...between: readonly number[]): void => {
    for (const { kind, rows, samples, bytes } of db.prepare(query).all(...between) as (Amount & { kind: Kind })[]) {
      sums[kind].rows += rows;
      sums[kind].samples += samples;
      sums[kind].bytes += bytes;
    }
  };
  const read = (from: number, to: number): void => {
    add(EVENTS, from, to);
    for (const n of segmentsIn(db, from, to)) add(groups(n), from, to);
  };
  if (block >= next) read(position + 1, Number.MAX_SAFE_INTEGER);
  else {
    read(position + 1, endOf(block));
    add(
      'SELECT kind, sum(rows) AS rows, sum(samples) AS samples, sum(bytes) AS bytes FROM tallies WHERE block > ? GROUP BY kind',
      block,
    );
    read(startOf(next), Number.MAX_SAFE_INTEGER);
  }
  return sums;
}

/** Everything there is but the newest block, of a file whose rows were never counted. */
export function tallyAll(db: Sqlite): void {
  tally(db, 'all', 0, blockOf(Number.MAX_SAFE_INTEGER) - 1);
  db.exec('DELETE FROM tallies WHERE block = (SELECT max(block) FROM tallies)');
}
