/**
 * Carries a member's packets over one connection, in order, and knows when the far end has them all: by PUBACK (or 2xx), and where the codec says so by
 * the platform's own reply. A reply to nothing that waits is counted and otherwise ignored; one that does not come in REPLY_MS ends the connection, since
 * what was sent must be sent again.
 */
import { WeinaoError } from '../base/errors/index.ts';
import type { Clock, Timer } from '../base/ports.ts';
import { type BrokerConnection, Refused } from '../io/mqtt.ts';
import type { Heard, Packet } from './codec.ts';
import { Later } from './pause.ts';

const REPLY_MS = 20_000;
/** topic, properties and header beside the payload, generously */
const OVERHEAD = 1024;
const PACKET_TOO_LARGE = 0x95;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

export class Courier {
  readonly connection: BrokerConnection;
  private readonly feed: string;
  private readonly clock: Clock;
  private readonly waiting = new Map<string, Waiting>();

  constructor(connection: BrokerConnection, feed: string, clock: Clock) {
    this.connection = connection;
    this.feed = feed;
    this.clock = clock;
  }

  /** Rejects with `Refused` when the far end said no to one of them. */
  send(packets: readonly Packet[]): Promise<void> {
    const [only] = packets;
    return packets.length === 1 && only !== undefined
      ? this.carry(only)
      : Promise.all(packets.map((packet) => this.carry(packet))).then(() => {});
  }

  /** @returns whether anything waited for it */
  reply({ id, outcome, says }: Extract<Heard, { kind: 'reply' }>): boolean {
    const waiting = this.settle(id);
    if (outcome === 'taken') waiting?.resolve();
    else waiting?.reject(outcome === 'refused' ? new Refused(0, says) : new Later(says, 0));
    return waiting !== undefined;
  }

  end(): void {
    for (const id of [...this.waiting.keys()]) this.settle(id)?.reject(new Error('closed'));
  }

  private carry(packet: Packet): Promise<void> {
    const { topic, payload, reply } = packet;
    // The broker said at connect that it would not take this: it would close the connection over it, for ever.
    if (payload.length + OVERHEAD > this.connection.limits.packetBytes)
      return Promise.reject(new Refused(PACKET_TOO_LARGE));
    const told = this.connection.publish(topic, payload, packet);
    return reply === undefined ? told : Promise.all([told, this.answer(topic, reply)]).then(() => {});
  }

  private answer(topic: string, id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.timer(`reply ${this.feed}`, REPLY_MS, () => {
        const params = { feed: this.feed, detail: topic, seconds: REPLY_MS / 1000 };
        this.settle(id)?.reject(new WeinaoError('uplink.no_reply', params));
      });
      this.waiting.set(id, { resolve, reject, timer });
    });
  }

  private settle(id: string): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    waiting?.timer.cancel();
    return waiting;
  }
}
