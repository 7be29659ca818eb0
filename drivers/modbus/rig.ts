/** The device of the contract every driver keeps (test/contract/line.test.ts). */
import type { Rig } from '../../src/kit/simulator.ts';
import { createModbusSimulator } from './simulator.ts';

export const rig: Rig = {
  channel: {
    id: 'l',
    carries: 'serial',
    path: '/x',
    line: { baud: 9600, parity: 'none', dataBits: 8, stopBits: 1 },
    timeoutMs: 300,
    gapMs: 0,
  },
  section: { address: 1, points: { value: { register: 'holding 7', as: 'uint16' } } },
  simulator: (value) => createModbusSimulator('rtu', new Map([[1, { read: (_, a) => (a === 7 ? value() : 60_000) }]])),
  anything: () => createModbusSimulator('rtu', new Map([[1, { read: () => 1 }]])),
  foreign: (value) => {
    const other = createModbusSimulator('rtu', new Map([[2, { read: () => value }]]));
    return other.receive(Uint8Array.from([2, 3, 0, 7, 0, 1, 0x35, 0xf8]))[0]?.bytes ?? new Uint8Array(0);
  },
};
