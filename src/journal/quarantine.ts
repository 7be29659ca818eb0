/**
 * Rows that cannot be believed (rows.ts) are put aside, and told to those who may have got them; the others go on. What a damaged row held is not known:
 * a feed is told of it when it gets anything of the rows beside it, with the row's own count, and of any row of the alarms' stream.
 */
import type { Stream } from '../base/event.ts';
import type { GapReason } from '../base/feed.ts';
import type { Sqlite } from '../io/sqlite.ts';
import type { Behind, Fresh, Losing } from './feed.ts';
import type { Measure } from './measure.ts';
import type { DamagedRow } from './rows.ts';
import type { Store } from './store.ts';
import { recount } from './tally.ts';

const BESIDE = 32;
/** rows that are kept aside, the newest */
const MOST = 256;

/** The feeds as far as rows can be lost to them. */
interface Losers {
  behind(stream: Stream, position: number): Behind[];
  measure(id: string, stream: Stream): Measure;
  lose(losses: readonly Losing[], why: GapReason, fresh: Fresh, drop: (db: Sqlite) => void): void;
}

/** @returns whether there were any */
export function putAside(store: Store, streams: Losers, fresh: Fresh): boolean {
  const rows = store.takeDamaged();
  if (rows.length === 0) return false;
  const losses = rows.flatMap((row) =>
    row.streams.flatMap((stream) =>
      streams
        .behind(stream, row.position)
        .filter(({ id }) => mayHaveGot(store, streams, id, stream, row))
        .map(({ id }): Losing => {
          const { count: lost, from = fresh.wall, to = fresh.wall, position } = row;
          return { id, stream, position, loss: { lost, from, to, first: position } };
        }),
    ),
  );
  streams.lose(losses, 'damaged', fresh, (db) => {
    for (const row of rows) keepAside(db, row, fresh.wall);
    store.counters.quarantined = (store.counters.quarantined ?? 0) + rows.length;
  });
  return true;
}

function keepAside(db: Sqlite, { table, position, why }: DamagedRow, wall: number): void {
  const place = `SELECT position, ?, ?, ?, body FROM ${table} WHERE position = ?`;
  db.prepare(`INSERT OR REPLACE INTO quarantine ${place}`).run(table, Math.round(wall), why, position);
  db.prepare(`DELETE FROM ${table} WHERE position = ?`).run(position);
  recount(db, table === 'rows' ? 'events' : 'groups', position, position);
  const newest = 'SELECT position FROM quarantine ORDER BY at DESC LIMIT ?';
  db.prepare(`DELETE FROM quarantine WHERE position NOT IN (${newest})`).run(MOST);
}

function mayHaveGot(store: Store, streams: Losers, id: string, stream: Stream, { position }: DamagedRow): boolean {
  if (stream === 'a') return true;
  const beside = store.rowsAfter(stream, position - BESIDE, 2 * BESIDE);
  store.takeDamaged();
  return beside.length === 0 || streams.measure(id, stream).add(beside).behind(0) !== undefined;
}
