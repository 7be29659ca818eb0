/** Modbus stations for `weinao simulate`: `{driver: modbus, address: 5, holding: {0: 1234, 7: [20, 30]}, coil: {3: 1}}`. */
import { z } from '../../src/kit/schema.ts';
import { type Simulation, simulatedValue, valueAt } from '../../src/kit/simulation.ts';
import { TABLES, type Table } from './plan.ts';
import { createModbusSimulator } from './simulator.ts';

const cells = z.record(z.string(), simulatedValue).default({});
const schema = z.strictObject({
  address: z.int().min(1).max(247),
  reply_ms: z.number().min(0).max(60_000).default(5),
  holding: cells,
  input: cells,
  coil: cells,
  discrete: cells,
});

export const simulation: Simulation = {
  schema,
  build: (section: z.output<typeof schema>, clock) => {
    const written = new Map<string, number>();
    const read = (table: Table, address: number): number | undefined => {
      const set = written.get(`${table} ${address}`);
      const cell = section[TABLES.find((t) => t === table) ?? 'holding'][String(address)];
      return set ?? (cell === undefined ? undefined : Math.round(valueAt(cell, clock)) & 0xffff);
    };
    const write = (table: Table, address: number, value: number): boolean => {
      if (read(table, address) === undefined) return false;
      written.set(`${table} ${address}`, value);
      return true;
    };
    return createModbusSimulator('rtu', new Map([[section.address, { read, write, replyMs: section.reply_ms }]]));
  },
};
