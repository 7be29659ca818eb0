/**
 * What one stream has in flight. Members are published in order; their PUBACKs may come in any order, and only the unbroken beginning counts as
 * delivered. When the connection ends everything in flight is forgotten and read again from the journal.
 */
import type { OutMessage } from '../base/feed.ts';

interface Flying {
  readonly message: OutMessage;
  acked: boolean;
}

export class FlightWindow {
  /** last member handed to the connection */
  sent: number;
  /** last member of the unbroken row of PUBACKs */
  acked: number;
  bytes = 0;
  readonly epoch: string;
  private flying: Flying[] = [];

  constructor(epoch: string, acked: number) {
    this.epoch = epoch;
    this.sent = acked;
    this.acked = acked;
  }

  get count(): number {
    return this.flying.length;
  }

  fly(message: OutMessage): void {
    this.flying.push({ message, acked: false });
    this.sent = message.seq;
    this.bytes += message.payload.length;
  }

  /** A PUBACK came; gives the members it delivered, oldest first. */
  land(message: OutMessage): readonly OutMessage[] {
    const flying = this.flying.find((f) => f.message === message);
    if (flying === undefined) return [];
    flying.acked = true;
    const landed: OutMessage[] = [];
    while (this.flying[0]?.acked === true) {
      const first = this.flying.shift();
      if (first === undefined) break;
      this.acked = first.message.seq;
      this.bytes -= first.message.payload.length;
      landed.push(first.message);
    }
    return landed;
  }
}
