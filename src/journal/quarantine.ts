/**
 * Rows that cannot be believed (rows.ts) are put aside, and told to those who may have got them; the others go on. What a damaged row held is not known:
 * a feed is told of it when it gets anything of the rows beside it, with the row's own count, and of any row of the alarms' stream.
 */
import type { Stream } from '../base/event.ts';
import type { Fresh, Losing } from './feed.ts';
import type { DamagedRow } from './rows.ts';
import type { Store } from './store.ts';
import type { Streams } from './streams.ts';

const BESIDE = 32;

/** @returns whether there were any */
export function putAside(store: Store, streams: Streams, fresh: Fresh): boolean {
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

function mayHaveGot(store: Store, streams: Streams, id: string, stream: Stream, { position }: DamagedRow): boolean {
  if (stream === 'a') return true;
  const beside = store.rowsAfter(stream, position - BESIDE, 2 * BESIDE);
  store.takeDamaged();
  return beside.length === 0 || streams.measure(id, stream).add(beside).behind(0) !== undefined;
}
