/** The device of the contract every driver keeps (test/contract/line.test.ts). */
import type { Rig } from '../../src/kit/simulator.ts';
import { longFrame } from './frame.ts';
import { createMbusSimulator, energyRecord } from './simulator.ts';

export const rig: Rig = {
  channel: {
    id: 'l',
    carries: 'serial',
    path: '/x',
    line: { baud: 2400, parity: 'even', dataBits: 8, stopBits: 1 },
    timeoutMs: 300,
    gapMs: 0,
  },
  section: { address: 16, points: { value: { field: 'energy' } } },
  simulator: (value) =>
    createMbusSimulator([{ address: 16, number: '00000016', telegrams: () => [energyRecord(value())] }]),
  foreign: (value) =>
    longFrame(0x08, 68, 0x72, Uint8Array.of(0x68, 0, 0, 0, 0xb4, 0x05, 1, 4, 0, 0, 0, 0, ...energyRecord(value))),
};
