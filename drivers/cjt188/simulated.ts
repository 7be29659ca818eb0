/** Water meters for `weinao simulate`: `{driver: cjt188, address: "78330007061326", volume: 68.25, valve: closed}`. */
import { meterAddress, z } from '../../src/kit/schema.ts';
import { type Simulation, simulatedValue, valueAt } from '../../src/kit/simulation.ts';
import { createCjt188Simulator, waterData } from './simulator.ts';

const VALVES = { open: 0, closed: 1, fault: 3 } as const;
const schema = z.strictObject({
  address: meterAddress(14),
  volume: simulatedValue,
  valve: z.enum(['open', 'closed', 'fault']).default('open'),
  hears: z.enum(['low-first', 'high-first']).optional(),
  reply_ms: z.number().min(0).max(60_000).default(80),
});

export const simulation: Simulation = {
  schema,
  build: ({ address, volume, valve, hears, reply_ms }: z.output<typeof schema>, clock) => {
    const read = (di: string): Uint8Array | undefined =>
      di === '901F' ? waterData(Math.round(valueAt(volume, clock) * 100) % 1e8, [VALVES[valve], 0]) : undefined;
    const meter = { read, replyMs: reply_ms, ...(hears === undefined ? {} : { hears }) };
    return createCjt188Simulator(new Map([[address, meter]]));
  },
};
