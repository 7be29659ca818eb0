/**
 * A platform asks for members once more (`dn/replay {stream, from, to}`): the same bytes with the same ids, one after the other and each after the
 * PUBACK of the one before, so that what is new never waits for them. One request at a time and MOST members of it; what is gone or was never
 * delivered is not sent, and the platform's next proof shows where it stands.
 */
import type { Stream } from '../base/event.ts';
import type { Cursor, FeedLedger, OutMessage } from '../base/feed.ts';

const MOST = 500;
const AT_ONCE = 20;
const BYTES = 256 * 1024;

export interface ReplayAsk {
  readonly stream: Stream;
  readonly epoch: string;
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

  /** Resolves with how many were sent; 0 when another replay runs. Rejects when the connection ends. */
  async run({ stream, epoch, from, to }: ReplayAsk, publish: (message: OutMessage) => Promise<void>): Promise<number> {
    if (this.running) return 0;
    this.running = true;
    let sent = 0;
    try {
      const last = Math.min(to, from + MOST - 1);
      for (let after: Cursor = { epoch, seq: from - 1 }; after.seq < last; ) {
        const max = Math.min(AT_ONCE, last - after.seq);
        const some = await this.ledger.replay(this.feed, stream, after, { max, bytes: BYTES });
        for (const message of some) {
          await publish(message);
          sent++;
          after = { epoch, seq: message.seq };
        }
        if (some.length === 0) break;
      }
    } finally {
      this.running = false;
    }
    return sent;
  }
}
