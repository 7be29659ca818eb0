/** A device of no standard for `weinao simulate`: `{driver: serial, request: "55 01", reply: "AA 01 04 D2"}`. */
import { unhex } from '../../src/base/bytes.ts';
import { z } from '../../src/kit/schema.ts';
import type { Simulation } from '../../src/kit/simulation.ts';
import { createSerialSimulator } from './simulator.ts';

const hexBytes = z.string().transform((text, ctx): Uint8Array => {
  const parsed = unhex(text);
  if (parsed !== undefined && parsed.length > 0) return parsed;
  ctx.addIssue({ code: 'custom', message: `${text} ?` });
  return z.NEVER;
});
const schema = z.strictObject({
  request: hexBytes,
  reply: hexBytes,
  reply_ms: z.number().min(0).max(60_000).default(20),
});

export const simulation: Simulation = {
  schema,
  build: ({ request, reply, reply_ms }: z.output<typeof schema>) =>
    createSerialSimulator(request, () => reply, reply_ms),
};
