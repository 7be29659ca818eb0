/** How much waits for a feed. Counts never read the tables of telemetry: their segments know. */
import { STREAMS, type Stream } from '../base/event.ts';
import type { FeedDepth, FeedFacts, StreamFacts } from '../base/feed.ts';
import { allGaps } from './gaps.ts';
import type { Store } from './store.ts';
import type { Streams } from './streams.ts';

/** beyond so many rows of a kind nobody counts */
const MOST = 10_000;

export function depthOf(store: Store, streams: Streams, id: string): Record<Stream, FeedDepth> {
  const look = streams.look(id);
  const { acked } = look;
  const { range } = streams.stateOf(look);
  const members = (stream: Stream): number => range[stream].last - acked[stream].seq;
  const a = events(store, 'a', acked.a.position);
  const t = events(store, 't', acked.t.position);
  let [rows, samples, bytes] = [t.rows, 0, t.bytes];
  for (const segment of store.segments()) {
    if (segment.last <= acked.t.position) continue;
    // Of the segment the cursor stands in, the share behind it: exact counts would read the table.
    const whole = Math.max(1, segment.last - segment.first + 1);
    const share = Math.min(1, (segment.last - acked.t.position) / whole);
    rows += Math.round(segment.groups * share);
    samples += Math.round(segment.samples * share);
    bytes += Math.round(segment.bytes * share);
  }
  return {
    a: { ...a, samples: 0, units: a.rows, members: members('a') },
    t: { rows, samples, units: samples + t.rows, bytes, members: members('t') },
  };
}

export function feedFacts(store: Store, streams: Streams, id: string): FeedFacts {
  const look = streams.look(id);
  const { contract, acked } = look;
  const { dropped, delivered = 0, withheld = 0 } = look.standing;
  const depth = depthOf(store, streams, id);
  const { range } = streams.stateOf(look);
  const facts = (stream: Stream): StreamFacts => ({
    ...depth[stream],
    acked: acked[stream].seq,
    range: range[stream],
    ...oldest(store, stream, acked[stream].position),
  });
  const [a, t] = STREAMS.map(facts) as [StreamFacts, StreamFacts];
  const { epoch, reason, view } = contract;
  return {
    feed: id,
    detached: !streams.isWanted(id),
    epoch,
    reason,
    view,
    a,
    t,
    delivered,
    withheld,
    dropped,
    gaps: allGaps(store.db, id).filter(({ gap }) => gap.erased === undefined),
  };
}

function events(store: Store, stream: Stream, after: number): { rows: number; bytes: number } {
  const query = store.db.prepare(
    `SELECT count(*) AS rows, coalesce(sum(n), 0) AS bytes
     FROM (SELECT octet_length(body) AS n FROM rows WHERE stream = ? AND position > ? LIMIT ${MOST})`,
  );
  return query.get(stream, after) as { rows: number; bytes: number };
}

function oldest(store: Store, stream: Stream, after: number): { readonly oldest?: number } {
  const [row] = store.rowsAfter(stream, after, 1);
  if (row === undefined || row.kind === 'gap') return {};
  return { oldest: row.kind === 'event' ? row.event.recorded : row.recorded };
}
