/** Electricity meters for `weinao simulate`: `{driver: dlt645, address: "193600", items: {"00010000": 1234.56, "02010100": [218, 224]}}`. */
import { meterAddress, z } from '../../src/kit/schema.ts';
import { type Simulation, simulatedValue, valueAt } from '../../src/kit/simulation.ts';
import { itemOf } from './items.ts';
import { bcdOf, createDlt645Simulator } from './simulator.ts';

const schema = z.strictObject({
  address: meterAddress(12),
  version: z.enum(['2007', '1997']).default('2007'),
  reply_ms: z.number().min(0).max(60_000).default(50),
  items: z.record(z.string(), simulatedValue),
});

export const simulation: Simulation = {
  schema,
  build: ({ address, version, reply_ms, items }: z.output<typeof schema>, clock) => {
    const read = (di: string): Uint8Array | undefined => {
      const value = items[di];
      const [field] = itemOf(version, di)?.fields ?? [];
      if (value === undefined || field === undefined) return undefined;
      const raw = Math.round(Math.abs(valueAt(value, clock)) * 10 ** (field.digits ?? 0));
      return bcdOf(raw % 100 ** field.bytes, field.bytes);
    };
    return createDlt645Simulator(new Map([[address, { version, read, replyMs: reply_ms }]]));
  },
};
