/** How far each platform is, in words that an anchor is made of. */
import { STREAMS } from '../base/event.ts';
import type { FeedState } from '../base/feed.ts';

/** by feed, `{stream} {seq} {hash}` of its streams that have any acknowledged member */
export type Heads = Readonly<Record<string, readonly string[]>>;

export function headsOf(feeds: Iterable<readonly [string, Pick<FeedState, 'contract' | 'acked'>]>): Heads {
  const lines = ({ contract: { feed, epoch }, acked }: Pick<FeedState, 'contract' | 'acked'>): string[] =>
    STREAMS.filter((s) => acked[s].seq > 0).map((s) => `${feed}.${s}.${epoch} ${acked[s].seq} ${acked[s].hash}`);
  return Object.fromEntries([...feeds].map(([id, feed]) => [id, lines(feed)]));
}
