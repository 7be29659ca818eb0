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
  anything: () => {
    // energy, volume, power, flow, both temperatures, voltage, current
    const codes = [[0x06], [0x13], [0x2b], [0x3b], [0x5b], [0x5f], [0xfd, 0x48], [0xfd, 0x59]];
    const records = Uint8Array.from(codes.flatMap((vif) => [0x02, ...vif, 1, 0]));
    return createMbusSimulator([{ address: 1, number: '00000001', telegrams: () => [records] }]);
  },
  foreign: (value) =>
    longFrame(0x08, 68, 0x72, Uint8Array.of(0x68, 0, 0, 0, 0xb4, 0x05, 1, 4, 0, 0, 0, 0, ...energyRecord(value))),
};
