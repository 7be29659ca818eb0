/** M-Bus meters for `weinao simulate`: `{driver: mbus, address: 1, number: "03575845", energy: 1389}`. */
import { meterAddress, z } from '../../src/kit/schema.ts';
import { type Simulation, simulatedValue, valueAt } from '../../src/kit/simulation.ts';
import { createMbusSimulator, energyRecord } from './simulator.ts';

const schema = z.strictObject({
  address: z.int().min(0).max(250),
  number: meterAddress(8).default('00000001'),
  energy: simulatedValue,
  reply_ms: z.number().min(0).max(60_000).default(50),
});

export const simulation: Simulation = {
  schema,
  build: ({ address, number, energy, reply_ms }: z.output<typeof schema>, clock) =>
    createMbusSimulator([
      { address, number, telegrams: () => [energyRecord(Math.round(valueAt(energy, clock)))], replyMs: reply_ms },
    ]),
};
