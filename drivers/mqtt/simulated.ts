/**
 * Devices behind a broker for `weinao simulate`: `{driver: mqtt, messages: [{at: 2s, topic: zigbee2mqtt/door_1, json: {contact: true}, every: 10s}]}`, with
 * `broker: mqtt://127.0.0.1:1883` in the file. `text:` instead of `json:` for plain words.
 */
import { duration, z } from '../../src/kit/schema.ts';
import type { Simulation } from '../../src/kit/simulation.ts';

const schema = z.strictObject({
  messages: z
    .array(
      z.strictObject({
        at: duration.optional(),
        every: duration.optional(),
        topic: z.string().min(1),
        json: z.unknown().optional(),
        text: z.string().optional(),
        retain: z.boolean().default(false),
      }),
    )
    .min(1),
});

export const simulation: Simulation = {
  schema,
  publish: ({ messages }: z.output<typeof schema>) =>
    messages.map(({ at = 0, every, topic, json, text, retain }) => ({
      at,
      every,
      topic,
      retain,
      payload: () => text ?? JSON.stringify(json ?? null),
    })),
};
