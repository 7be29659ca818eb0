/**
 * A platform asks for members once more (`dn/replay {stream, from, to}`): the same bytes with the same ids, one after the other and each after the
 * PUBACK of the one before, so that what is new never waits for them. One request at a time and MOST members of it; what was never delivered is not
 * sent, and what is gone is told as a gap.
 */
import { WeinaoError } from '../base/errors/index.ts';
import { STREAMS, type Stream } from '../base/event.ts';
import type { Cursor, FeedLedger, FeedState, OutMessage } from '../base/feed.ts';
import { streamName, streamOfEpoch } from './greeting.ts';

const MOST = 500;
const AT_ONCE = 20;
const BYTES = 256 * 1024;

/** Members of a stream, both ends included. */
export interface ReplayAsk {
  /** `{feed}.{a|t}.{epoch}` */
  readonly stream: string;
  readonly from: number;
  readonly to: number;
}

export class Replay {
  private readonly ledger: FeedLedger;
  private readonly feed: string;
  private running = false;

  constructor(ledger: FeedLedger, feed: string) {
    this.ledger = ledger;
    this.feed = feed;
  }

  /**
   * Resolves with how many were sent; 0 when another replay runs. Rejects with uplink.no_such_members, and when the connection ends.
   * @param landed the last delivered members
   */
  async run(
    { stream: name, from, to }: ReplayAsk,
    state: FeedState,
    landed: Readonly<Record<Stream, number>>,
    publish: (message: OutMessage) => Promise<void>,
  ): Promise<number> {
    const { ledger, feed } = this;
    const stream = STREAMS.find((s) => streamName(state, s) === name);
    const older = stream === undefined ? streamOfEpoch(name, feed) : undefined;
    if (older !== undefined) {
      ledger.gone(feed, older, 'withdrawn', { stream: name, first: from, last: to });
      return 0;
    }
    if (stream === undefined || to > landed[stream])
      throw new WeinaoError('uplink.no_such_members', { stream: name, from, to });
    const { first } = state.range[stream];
    if (from < first) ledger.gone(feed, stream, 'pruned', { stream: name, first: from, last: Math.min(to, first - 1) });
    return this.send(stream, { epoch: state.contract.epoch, seq: Math.max(from, first) - 1 }, to, publish);
  }

  private async send(
    stream: Stream,
    begin: Cursor,
    to: number,
    publish: (message: OutMessage) => Promise<void>,
  ): Promise<number> {
    if (this.running) return 0;
    this.running = true;
    let sent = 0;
    try {
      const last = Math.min(to, begin.seq + MOST);
      for (let after = begin; after.seq < last; ) {
        const max = Math.min(AT_ONCE, last - after.seq);
        const some = await this.ledger.replay(this.feed, stream, after, { max, bytes: BYTES });
        for (const message of some) {
          await publish(message);
          sent++;
          after = { epoch: begin.epoch, seq: message.seq };
        }
        if (some.length === 0) break;
      }
    } finally {
      this.running = false;
    }
    return sent;
  }
}
