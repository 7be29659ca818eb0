/** The device section of a device behind a broker. Keys and meaning: the technician's manual in README.md. */
import { messageKeys, pickedPoint } from '../../src/kit/picked.ts';
import { z } from '../../src/kit/schema.ts';

const topic = z.string().min(1).max(256);
const payload = z.enum(['json', 'text']);

export const pointSchema = z.strictObject({
  ...pickedPoint,
  topic: topic.optional(),
  payload: payload.optional(),
  write: z
    .strictObject({
      topic,
      template: z.string().min(1).max(1024).default('{value}'),
      read_back: z.boolean().default(true),
    })
    .optional(),
});

export const deviceSchema = z.strictObject({
  address: z.string().min(1).max(128).optional(),
  with: z.record(z.string(), z.string().min(1).max(128)).default({}),
  topic: topic.optional(),
  payload: payload.default('json'),
  online: topic.optional(),
  ...messageKeys,
  points: z.record(z.string(), pointSchema).refine((points) => Object.keys(points).length > 0, {
    message: 'empty',
    params: { code: 'config.no_points' },
  }),
});

export type MqttPoint = z.output<typeof pointSchema>;
export type MqttDevice = z.output<typeof deviceSchema>;
