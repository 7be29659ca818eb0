/** A member as an MQTT packet: the body is the event, and MQTT 5 properties repeat what a broker may want to filter by. */
import type { OutMessage } from '../base/feed.ts';
import { isoTime } from '../base/time.ts';
import { type BrokerConnection, Refused } from '../io/mqtt.ts';

/** topic, properties and header beside the payload, generously */
const OVERHEAD = 1024;
const PACKET_TOO_LARGE = 0x95;

/**
 * Rejects with `Refused` what the broker said at connect it would not take: it would close the connection over it, for ever.
 * @param sentAt UTC ms; differs with every re-send, and therefore stands outside the event
 */
export function publishMember(
  connection: BrokerConnection,
  topic: string,
  encoding: 'json' | 'json+zstd',
  message: OutMessage,
  sentAt: number,
): Promise<void> {
  if (message.payload.length + OVERHEAD > connection.limits.packetBytes)
    return Promise.reject(new Refused(PACKET_TOO_LARGE));
  const { id, type, seq, subject } = message;
  return connection.publish(topic, message.payload, {
    contentType:
      encoding === 'json+zstd' ? 'application/cloudevents+json+zstd' : 'application/cloudevents+json; charset=utf-8',
    properties: {
      id,
      type,
      sequence: String(seq),
      'wn-sent': isoTime(sentAt),
      ...(subject === undefined ? {} : { subject }),
    },
  });
}
