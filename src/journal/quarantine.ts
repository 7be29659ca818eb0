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

const BESIDE = 32;

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
    for (const row of rows) store.setAsideRow(db, row, fresh.wall);
  });
  return true;
}

function mayHaveGot(store: Store, streams: Losers, id: string, stream: Stream, { position }: DamagedRow): boolean {
  if (stream === 'a') return true;
  const beside = store.rowsAfter(stream, position - BESIDE, 2 * BESIDE);
  store.takeDamaged();
  return beside.length === 0 || streams.measure(id, stream).add(beside).behind(0) !== undefined;
}
