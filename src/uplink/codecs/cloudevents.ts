/** The stream as it is: one member, one packet, whose body is the event. MQTT 5 properties repeat what a broker may want to filter by. */
import { isoTime } from '../../base/time.ts';
import type { Codec, CodecContext } from '../codec.ts';

export function createCloudEvents({ feed, site }: CodecContext): Codec {
  const base = `wn/1/${feed.id}/${site}`;
  return {
    isWhole: true,
    topics: ['dn/ack', 'dn/cmd', 'dn/replay', 'up/proof/a', 'up/proof/t'].map((topic) => `${base}/${topic}`),
    greeting: () => [],
    packets: ({ stream, payload, id, type, seq, subject }, now) => [
      {
        topic: `${base}/up/${stream}`,
        payload,
        contentType:
          feed.encoding === 'json+zstd'
            ? 'application/cloudevents+json+zstd'
            : 'application/cloudevents+json; charset=utf-8',
        properties: {
          id,
          type,
          sequence: String(seq),
          // Differs with every re-send, and therefore stands outside the event.
          'wn-sent': isoTime(now.wall),
          ...(subject === undefined ? {} : { subject }),
        },
      },
    ],
    hears: () => undefined,
  };
}
