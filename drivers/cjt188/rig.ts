/** The device of the contract every driver keeps (test/contract/line.test.ts). */
import type { Rig, Simulator } from '../../src/kit/simulator.ts';
import { build188, idBytes } from './frame.ts';
import { createCjt188Simulator, waterData } from './simulator.ts';

export const rig: Rig = {
  channel: {
    id: 'l',
    carries: 'serial',
    path: '/x',
    line: { baud: 2400, parity: 'even', dataBits: 8, stopBits: 1 },
    timeoutMs: 300,
    gapMs: 0,
  },
  section: { address: '16', di_order: 'low-first', points: { value: { field: 'volume_current', unit: 'm3' } } },
  simulator: (value) =>
    createCjt188Simulator(
      new Map([['00000000000016', { read: (di) => (di === '901F' ? waterData(100 * value()) : undefined) }]]),
    ),
  anything: () => {
    const heat = new Uint8Array(43);
    for (const [i, unit] of [0x05, 0x05, 0x17, 0x35, 0x2c].entries()) heat[5 * i + 4] = unit;
    const far = (type: number, body: Uint8Array): Simulator =>
      createCjt188Simulator(new Map([['00000000000001', { type, read: () => body }]]));
    const [water, warm] = [far(0x10, waterData(0)), far(0x20, heat)];
    return { receive: (bytes) => (bytes[5] === 0x20 ? warm : water).receive(bytes) };
  },
  foreign: (value) =>
    build188({
      type: 0x10,
      address: '00000000000068',
      control: 0x81,
      data: Uint8Array.of(...idBytes('901F', 'low-first', 0), ...waterData(100 * value)),
    }),
};
