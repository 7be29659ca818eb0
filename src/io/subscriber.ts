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
  const { client, why } = await openClient(options, (opening) => {
    // Before the first byte: a packet whose beginning was missed has no length.
    watchLengths(opening, (bytes) => opening.stream.destroy(new Error(`a packet of ${bytes} bytes`)));
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
    if (!ours) end(why());
  });
  return {
    subscribe: async (topics) => {
      const refused: string[] = [];
      for (let i = 0; i < topics.length; i += TOGETHER) {
        const some = topics.slice(i, i + TOGETHER);
        if (await granted(client, some)) continue;
        // Which of them? The broker's answer to all does not say it to us.
        for (const topic of some) if (!(await granted(client, [topic]))) refused.push(topic);
      }
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
        client.end(false, {}, () => resolve());
      });
    },
  };
}

async function granted(client: MqttClient, topics: readonly string[]): Promise<boolean> {
  try {
    await client.subscribeAsync([...topics], { qos: 1 });
    return true;
  } catch (error) {
    // Only an answer of the broker is one; a lost connection is told by its end.
    if ((error as { code?: unknown }).code === undefined || !client.connected) throw error;
    return false;
  }
}

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
