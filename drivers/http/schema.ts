/** The device section of a system that sends requests. Keys and meaning: the technician's manual in README.md. */
import { messageKeys, pickedPoint } from '../../src/kit/picked.ts';
import { secret, z } from '../../src/kit/schema.ts';

export const deviceSchema = z.strictObject({
  token: secret,
  forms: z.array(z.string().min(1).max(64)).max(32).default([]),
  ...messageKeys,
  points: z.record(z.string(), z.strictObject(pickedPoint)).default({}),
});

export type HttpDevice = z.output<typeof deviceSchema>;
