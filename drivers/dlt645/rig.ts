/** The device of the contract every driver keeps (test/contract/line.test.ts). */
import type { Rig } from '../../src/kit/simulator.ts';
import { build645 } from './frame.ts';
import { diBytes } from './items.ts';
import { bcdOf, createDlt645Simulator } from './simulator.ts';

export const rig: Rig = {
  channel: {
    id: 'l',
    carries: 'serial',
    path: '/x',
    line: { baud: 2400, parity: 'even', dataBits: 8, stopBits: 1 },
    timeoutMs: 300,
    gapMs: 0,
  },
  section: { address: '16', points: { value: { di: '00440000', bytes: 4 } } },
  simulator: (value) =>
    createDlt645Simulator(
      new Map([['000000000016', { read: (di) => (di === '00440000' ? bcdOf(value(), 4) : undefined) }]]),
    ),
  foreign: (value) =>
    build645({
      address: '000000000068',
      control: 0x91,
      data: Uint8Array.of(...diBytes('00440000'), ...bcdOf(value, 4)),
    }),
};
