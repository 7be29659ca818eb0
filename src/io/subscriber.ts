/**
 * A connection to a broker that is listened to. A message is acknowledged when its listener says so, which is when what it carried is safe; the next
 * one is handed over then.
 *
 * Bounds: on MQTT 5 the broker keeps back what is over MAX_INCOMING. MQTT 3.1.1 has no such word, and its parser holds a packet whole before anybody
 * can look at it: one that says it is over MOST_PACKET ends the connection as soon as its length is read.
 */
import type { MqttClient } from 'mqtt';
import { type BrokerOptions, openClient } from './mqtt.ts';

const MOST_PACKET = 1024 * 1024;
/** what is on its way may still be acknowledged for so long */
const FAREWELL_MS = 1000;
/** topics in one SUBSCRIBE */
const TOGETHER = 50;

export interface Received {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retained: boolean;
  /** the broker sent it before and got no acknowledgement */
  readonly again: boolean;
  /** the broker waits for an acknowledgement */
  readonly wantsAck: boolean;
}

export interface Subscriber {
  /** @returns topics the broker refused */
  subscribe(topics: readonly string[]): Promise<readonly string[]>;
  unsubscribe(topics: readonly string[]): Promise<void>;
  /** resolves with the broker's PUBACK */
  publish(topic: string, payload: string | Uint8Array, retain?: boolean): Promise<void>;
  /** called once, when it ended by itself */
  onClose(listener: (why: string) => void): void;
  close(): Promise<void>;
}

/** @param take resolves when the message may be acknowledged; messages come from the first moment on, also of a session that was kept */
export async function connectSubscriber(
  options: BrokerOptions,
  take: (message: Received) => Promise<void>,
): Promise<Subscriber> {
  let cut: string | undefined;
  const { client, why } = await openClient(options, (opening) => {
    // Before the first byte: a packet whose beginning was missed has no length.
    watchLengths(opening, (bytes) => {
      cut = `a packet of ${bytes} bytes`;
      opening.stream.destroy();
    });
    opening.handleMessage = (packet, done) => {
      const { topic, payload, retain, dup, qos } = packet;
      const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
      const message = { topic, payload: bytes, retained: retain === true, again: dup === true, wantsAck: qos > 0 };
      take(message).then(
        () => done(),
        () => done(),
      );
    };
  });
  let end: (why: string) => void = () => {};
  let ours = false;
  client.once('close', () => {
    client.end(true);
    if (!ours) end(cut ?? why());
  });
  return {
    subscribe: async (topics) => {
      const refused: string[] = [];
      for (let i = 0; i < topics.length; i += TOGETHER)
        refused.push(...(await refusedOf(client, topics.slice(i, i + TOGETHER))));
      return refused;
    },
    unsubscribe: async (topics) => {
      if (topics.length > 0) await client.unsubscribeAsync([...topics]);
    },
    publish: (topic, payload, retain = false) =>
      new Promise((resolve, reject) => {
        const gone = (): void => reject(new Error(why()));
        if (!client.connected) return gone();
        client.once('close', gone);
        const body = typeof payload === 'string' ? payload : Buffer.from(payload);
        client.publish(topic, body, { qos: 1, retain }, (error) => {
          client.off('close', gone);
          if (error == null) resolve();
          else reject(error);
        });
      }),
    onClose: (listener) => {
      end = listener;
    },
    close: () => {
      ours = true;
      return new Promise((resolve) => {
        // A broker that no longer answers has not acknowledged what is on its way, and never will.
        const patience = setTimeout(() => client.end(true, {}, () => resolve()), FAREWELL_MS);
        client.end(false, {}, () => {
          clearTimeout(patience);
          resolve();
        });
      });
    },
  };
}

/** A broker that refuses some of the topics answers for each; the library makes one error of it, with the answers in it. */
async function refusedOf(client: MqttClient, topics: readonly string[]): Promise<readonly string[]> {
  try {
    await client.subscribeAsync([...topics], { qos: 1 });
    return [];
  } catch (error) {
    const { packet } = error as { packet?: { granted?: readonly number[] } };
    if (packet?.granted === undefined) throw error;
    return topics.filter((_, i) => (packet.granted?.[i] ?? REFUSED) >= REFUSED);
  }
}

const REFUSED = 0x80;

/** Reads the lengths of packets as they begin, beside the parser. */
function watchLengths(client: MqttClient, onTooLong: (bytes: number) => void): void {
  let skip = 0;
  let length = 0;
  let shift = -1;
  client.stream.on('data', (chunk: Uint8Array) => {
    for (let i = 0; i < chunk.length; ) {
      if (skip > 0) {
        const step = Math.min(skip, chunk.length - i);
        skip -= step;
        i += step;
      } else if (shift < 0) {
        // the byte of the packet's type
        shift = 0;
        length = 0;
        i++;
      } else {
        const byte = chunk[i++] ?? 0;
        length += (byte & 0x7f) << shift;
        shift += 7;
        if ((byte & 0x80) !== 0) continue;
        shift = -1;
        skip = length;
        if (length > MOST_PACKET) return onTooLong(length);
      }
    }
  });
}
