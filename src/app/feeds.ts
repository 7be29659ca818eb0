/** `GET /v1/feeds` and what a person asks of a feed: each one as its sender and the journal see it. */
import { WeinaoError } from '../base/errors/index.ts';
import type { FeedFacts, StreamFacts } from '../base/feed.ts';
import { isoTime } from '../base/time.ts';
import type { House } from './house.ts';

export async function feedsOf({ journal, uplink }: House, now: number): Promise<unknown> {
  const senders = new Map(uplink.status().map((s) => [s.id, s]));
  const feeds = (await journal.feeds()).map((facts) => {
    const { state = 'detached', error, says, counters = {} } = senders.get(facts.feed) ?? {};
    const { feed, epoch, reason, view, dropped, delivered, withheld } = facts;
    return {
      id: feed,
      state,
      ...(error === undefined ? {} : { error, says }),
      epoch,
      reason,
      view,
      a: streamOf(facts.a, now),
      t: streamOf(facts.t, now),
      delivered,
      withheld,
      dropped,
      gaps: facts.gaps.map(gapOf),
      counters,
    };
  });
  return { schema: 1, feeds };
}

function streamOf({ acked, range, rows, samples, bytes, oldest }: StreamFacts, now: number): unknown {
  const age = oldest === undefined ? {} : { oldest: isoTime(oldest), age_ms: Math.max(0, Math.round(now - oldest)) };
  return { acked, first: range.first, last: range.last, waiting: { rows, samples, bytes, ...age } };
}

function gapOf({ stream, gap: { reason, loss, asked } }: FeedFacts['gaps'][number]): unknown {
  const lost = loss === undefined ? {} : { lost: loss.lost, from: isoTime(loss.from), to: isoTime(loss.to) };
  return { stream, reason, ...lost, ...(asked === undefined ? {} : { asked }) };
}

/** `{feed, stream: a|t, from, to}`: members of the running epoch are sent once more. Throws cli.bad_operation, cli.bad_members and what the uplink refuses. */
export async function replayFeed({ journal, uplink }: House, body: unknown): Promise<unknown> {
  const { feed, stream, from, to } = (body ?? {}) as Record<string, unknown>;
  if (typeof feed !== 'string') throw new WeinaoError('cli.bad_operation', { field: 'feed' });
  if (stream !== 'a' && stream !== 't') throw new WeinaoError('cli.bad_operation', { field: 'stream' });
  if (!isCount(from) || !isCount(to) || to < from)
    throw new WeinaoError('cli.bad_members', { from: String(from).slice(0, 20), to: String(to).slice(0, 20) });
  const facts = (await journal.feeds()).find((f) => f.feed === feed);
  if (facts === undefined) throw new WeinaoError('journal.no_feed', { feed });
  return { schema: 1, sent: await uplink.again(feed, { stream: `${feed}.${stream}.${facts.epoch}`, from, to }) };
}

/** `{feed}`: a feed that the configuration does not name is given up. */
export async function forgetFeed({ journal }: House, body: unknown): Promise<unknown> {
  const { feed } = (body ?? {}) as Record<string, unknown>;
  if (typeof feed !== 'string') throw new WeinaoError('cli.bad_operation', { field: 'feed' });
  await journal.forget(feed);
  return { schema: 1, forgotten: feed };
}

export const isCount = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 1;
