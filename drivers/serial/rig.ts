/** The device of the contract every driver keeps (test/contract/line.test.ts). */
import type { Rig } from '../../src/kit/simulator.ts';
import { checksum } from './frame.ts';
import { createSerialSimulator } from './simulator.ts';

/** AA, station, two bytes, CRC */
function frame(station: number, value: number): Uint8Array {
  const body = Uint8Array.of(0xaa, station, value >> 8, value & 0xff);
  return Uint8Array.of(...body, ...checksum('crc16', body, 0, body.length));
}

export const rig: Rig = {
  channel: {
    id: 'l',
    carries: 'serial',
    path: '/x',
    line: { baud: 9600, parity: 'none', dataBits: 8, stopBits: 1 },
    timeoutMs: 300,
    gapMs: 0,
  },
  section: {
    request: '55 01',
    frame: { start: 'AA', length: 6 },
    match: [{ at: 1, bytes: '01' }],
    checksum: { kind: 'crc16', at: -2 },
    points: { value: { at: 2, bytes: 2, as: 'uint' } },
  },
  simulator: (value) => createSerialSimulator(Uint8Array.of(0x55, 0x01), () => frame(1, value())),
  foreign: (value) => frame(2, value),
};
