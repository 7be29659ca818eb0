/** How much waits for a feed, exactly, whether or not its view lets it out. */
import { STREAMS, type Stream } from '../base/event.ts';
import type { FeedDepth, FeedFacts, StreamFacts } from '../base/feed.ts';
import { allGaps } from './gaps.ts';
import type { Store } from './store.ts';
import type { Streams } from './streams.ts';
import { amountsAfter } from './tally.ts';

export function depthOf(store: Store, streams: Streams, id: string): Record<Stream, FeedDepth> {
  const look = streams.look(id);
  const { acked } = look;
  const { range } = streams.stateOf(look);
  const members = (stream: Stream): number => range[stream].last - acked[stream].seq;
  const behindA = amountsAfter(store.db, acked.a.position);
  const behindT = acked.t.position === acked.a.position ? behindA : amountsAfter(store.db, acked.t.position);
  const { a } = behindA;
  const { t, g } = behindT;
  return {
    a: { ...a, units: a.rows, members: members('a') },
    t: {
      rows: t.rows + g.rows,
      samples: g.samples,
      units: t.rows + g.samples,
      bytes: t.bytes + g.bytes,
      members: members('t'),
    },
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

function oldest(store: Store, stream: Stream, after: number): { readonly oldest?: number } {
  const [row] = store.rowsAfter(stream, after, 1);
  if (row === undefined || row.kind === 'gap') return {};
  return { oldest: row.kind === 'event' ? row.event.recorded : row.recorded };
}
