/**
 * The platform of the fleet: one lasting session at the broker, every stream verified and acknowledged (`dn/ack`), and by site what arrived. It acknowledges
 * only what it has verified, so what a killed broker lost is sent again by the gateways.
 */
import { type BrokerConnection, connectBroker } from '../../src/io/mqtt.ts';
import { createVerifier, type Summary } from '../../src/uplink/index.ts';

const ACK_EVERY = 250;

export interface Arrived {
  /** ids of events and telemetry groups, after deduplication */
  readonly ids: Set<string>;
  samples: number;
}

interface Head {
  /** where its acknowledgements go */
  readonly topic: string;
  /** last member of the unbroken beginning */
  seq: number;
  /** last one acknowledged */
  told: number;
  /** members of it that came again */
  repeats: number;
  /** members behind a hole that a killed broker left */
  readonly ahead: Set<number>;
}

export interface Platform {
  readonly arrived: ReadonlyMap<string, Arrived>;
  summary(): Summary;
  stop(): Promise<void>;
}

export function startPlatform(url: string): Platform {
  const verifier = createVerifier();
  const arrived = new Map<string, Arrived>();
  const heads = new Map<string, Head>();
  let connection: BrokerConnection | undefined;
  let stopped = false;

  const take = (topic: string, payload: Uint8Array): void => {
    const member = verifier.take(topic, payload);
    const [, , feed, site = '', , letter] = topic.split('/');
    if (member === undefined) {
      // Sent again means that the gateway has not heard: an acknowledgement that overtook the broker's own is not believed.
      for (const [stream, head] of heads)
        if (head.topic.split('/')[3] === site && stream.startsWith(`${feed}.${letter}.`)) {
          head.told = 0;
          head.repeats++;
        }
      return;
    }
    const { wnstream, sequence, id } = member.envelope;
    const ackTopic = `wn/1/${feed}/${site}/dn/ack`;
    const head = heads.get(String(wnstream)) ?? {
      topic: ackTopic,
      seq: 0,
      told: 0,
      repeats: 0,
      ahead: new Set<number>(),
    };
    heads.set(String(wnstream), head);
    head.ahead.add(Number(sequence));
    while (head.ahead.delete(head.seq + 1)) head.seq++;
    if (member.type.startsWith('weinao.feed.')) return;
    const here = arrived.get(site) ?? { ids: new Set<string>(), samples: 0 };
    arrived.set(site, here);
    here.ids.add(String(id));
    here.samples += Array.isArray(member.data.samples) ? member.data.samples.length : 0;
  };
  const acknowledge = (): void => {
    const open = connection;
    for (const [stream, head] of heads) {
      if (open === undefined || head.told === head.seq) continue;
      const { seq, repeats } = head;
      open.publish(head.topic, JSON.stringify({ stream, seq })).then(
        () => {
          if (head.repeats === repeats) head.told = Math.max(head.told, seq);
        },
        () => {},
      );
    }
  };
  const timer = setInterval(acknowledge, ACK_EVERY);
  const listen = async (): Promise<void> => {
    while (!stopped) {
      try {
        const open = await connectBroker({ url, protocol: 5, clientId: 'fleet-platform' });
        const closed = new Promise<void>((resolve) => open.onClose(() => resolve()));
        open.onMessage(take);
        await open.subscribe(['wn/1/+/+/up/#']);
        // A broker that was killed may have lost an acknowledgement it had taken: all are said again.
        for (const head of heads.values()) head.told = 0;
        connection = open;
        if (stopped) await open.close();
        await closed;
      } catch {
        // the broker is away: that is what this is about
      }
      connection = undefined;
      if (!stopped) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const running = listen();
  return {
    arrived,
    summary: () => verifier.summary(),
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await connection?.close();
      await running;
    },
  };
}
