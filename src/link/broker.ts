/**
 * A broker as a channel: one connection for all devices, opened again with growing pauses. What each device wants to hear is subscribed after every
 * connect; when a device changes, only its topics are subscribed anew, which also brings what is retained there.
 *
 * - A message that wants an acknowledgement gets it when what it caused is in the store, or when the store does not answer: then the other messages
 *   are not kept waiting either, because an alarm among them must be heard.
 * - On MQTT 5 the broker keeps what comes while we are away for SESSION_S, so that a restart of the gateway misses nothing; on 3.1.1, which knows no
 *   such limit, it keeps nothing: a door that stood open last week is no news today.
 * - It does not promise that the broker has what a device sent: QoS 0 and queues of brokers have their own limits.
 */
import type { BrokerChannel } from '../base/model.ts';
import type { Received, Subscriber } from '../io/subscriber.ts';
import { Door, type DoorDeps } from './door.ts';

export const SESSION_S = 300;
/** refused topics named in a log line */
const MOST_NAMED = 5;

export interface BrokerLinkDeps extends DoorDeps {
  readonly channel: BrokerChannel;
  readonly connect: (take: (message: Received) => Promise<void>) => Promise<Subscriber>;
  readonly take: (message: Received) => void;
  readonly settled: () => Promise<boolean>;
}

/** A device's topics, and a mark that changes with its section. */
export interface Wanted {
  readonly mark: string;
  readonly topics: readonly string[];
}

export class BrokerLink extends Door<BrokerChannel, Subscriber> {
  private readonly deps: BrokerLinkDeps;
  private wanted: ReadonlyMap<string, Wanted> = new Map();
  private connection: Subscriber | undefined;
  /** subscribing, in order */
  private tail: Promise<void> = Promise.resolve();

  constructor(deps: BrokerLinkDeps) {
    super(deps, {
      channel: deps.channel,
      port: deps.channel.to,
      open: () => deps.connect((message) => this.take(message)),
      onOpen: (connection) => {
        this.connection = connection;
        this.subscribe(topicsOf([...this.wanted.values()]));
      },
      onClose: () => {
        this.connection = undefined;
      },
    });
    this.deps = deps;
  }

  /** @param wanted by device */
  want(wanted: ReadonlyMap<string, Wanted>): void {
    const before = this.wanted;
    this.wanted = wanted;
    const changed = [...wanted].filter(([device, { mark }]) => before.get(device)?.mark !== mark).map(([, w]) => w);
    const still = new Set(topicsOf([...wanted.values()]));
    const gone = topicsOf([...before.values()]).filter((topic) => !still.has(topic));
    if (gone.length > 0) this.queue((connection) => connection.unsubscribe(gone));
    if (changed.length > 0) this.subscribe(topicsOf(changed));
  }

  /** Rejects with the port's trouble while there is no connection. */
  async publish(topic: string, payload: string): Promise<void> {
    const { connection } = this;
    if (connection === undefined) throw this.keeper.trouble ?? new Error('not connected');
    this.show('tx', new TextEncoder().encode(payload), { isText: true, note: topic });
    await connection.publish(topic, payload);
  }

  override async close(): Promise<void> {
    await super.close();
    this.connection = undefined;
    await this.tail;
  }

  private async take(message: Received): Promise<void> {
    this.taken++;
    this.keeper.alive();
    this.show('rx', message.payload, { isText: true, note: message.topic });
    try {
      this.deps.take(message);
    } catch (error) {
      // A fault of ours, which costs this message and not the connection.
      this.refused++;
      this.deps.log.error('intake.failed', { channel: this.channel.id, detail: String(error) });
    }
    if (message.wantsAck) await this.deps.settled();
  }

  private subscribe(topics: readonly string[]): void {
    this.queue(async (connection) => {
      const refused = await connection.subscribe(topics);
      this.keeper.alive();
      if (refused.length === 0) return;
      this.refused += refused.length;
      const named = refused.slice(0, MOST_NAMED).join(' ');
      this.deps.log.warn('broker.refused', { channel: this.channel.id, topics: named, count: refused.length });
    });
  }

  /** On the connection there is; all of it is asked for again on the next one. */
  private queue(work: (connection: Subscriber) => Promise<void>): void {
    const { connection } = this;
    if (connection === undefined) return;
    this.tail = this.tail.then(async () => {
      if (this.connection !== connection) return;
      await work(connection).catch((error: unknown) => {
        // Still open, but not without what was asked for.
        if (this.connection === connection) this.keeper.reopen(error instanceof Error ? error.message : String(error));
      });
    });
  }
}

const topicsOf = (wanted: readonly Wanted[]): string[] => [...new Set(wanted.flatMap((w) => w.topics))];
