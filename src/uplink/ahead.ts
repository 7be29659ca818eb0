/**
 * Members of one stream read before there is room for them in the window, so that a free place is filled at once: an answer of the store's thread
 * takes longer than a PUBACK. What is read ahead was not sent, stands nowhere but here, and is bounded in members and bytes. It is forgotten with
 * this object, whenever the window begins anew.
 */
import type { OutMessage } from '../base/feed.ts';

export interface Bounds {
  /** members that may wait here, and bytes */
  readonly members: number;
  readonly bytes: number;
  /** members asked for at once */
  readonly atOnce: number;
}

export type Read = (after: number, limit: { max: number; bytes: number }) => Promise<readonly OutMessage[]>;

export class ReadAhead {
  private readonly read: Read;
  private readonly members: OutMessage[] = [];
  private bytes = 0;
  /** the last member that was read */
  private last: number;
  private isReading = false;
  /** the journal may hold more than was read */
  private hasMore = true;

  /** @param after the member behind which it begins */
  constructor(read: Read, after: number) {
    this.read = read;
    this.last = after;
  }

  /** the next to be sent */
  get first(): OutMessage | undefined {
    return this.members[0];
  }

  /** nothing waits here, and the journal had nothing more when it was asked last */
  get isDry(): boolean {
    return this.members.length === 0 && !this.isReading && !this.hasMore;
  }

  shift(): void {
    this.bytes -= this.members.shift()?.payload.length ?? 0;
  }

  /** What the journal said last may hold no more: it has something new, or may make more members since some were delivered. */
  news(): void {
    this.hasMore = true;
  }

  /** Reads when there is room for a request that is worth its way. @returns what resolves when it was read; undefined when nothing is */
  fill({ members, bytes, atOnce }: Bounds): Promise<void> | undefined {
    const isFull = this.members.length > members - atOnce || this.bytes > bytes / 2;
    return isFull || this.isReading || !this.hasMore ? undefined : this.more(atOnce, bytes - this.bytes);
  }

  private async more(max: number, bytes: number): Promise<void> {
    this.isReading = true;
    // Whoever has news while the answer is on its way has not seen it.
    this.hasMore = false;
    try {
      const read = await this.read(this.last, { max, bytes });
      for (const member of read) {
        this.members.push(member);
        this.bytes += member.payload.length;
        this.last = member.seq;
      }
      if (read.length > 0) this.hasMore = true;
    } finally {
      this.isReading = false;
    }
  }
}
