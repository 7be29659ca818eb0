/** The device of the contract every driver keeps (test/contract/line.test.ts). */
import type { Rig, Simulator } from '../../src/kit/simulator.ts';
import { build645 } from './frame.ts';
import { diBytes, itemOf, type Version } from './items.ts';
import { READ } from './protocol.ts';
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
  anything: () => {
    const zeros = (version: Version) => (di: string) =>
      new Uint8Array(itemOf(version, di)?.fields.reduce((sum, f) => sum + f.bytes, 0) ?? 0);
    const meters = (version: Version) => new Map([['000000000001', { version, read: zeros(version) }]]);
    const [now, old] = [createDlt645Simulator(meters('2007')), createDlt645Simulator(meters('1997'))];
    // A meter keeps silent to a function of the other version here, so that the one that understands is heard.
    const hears = (code: number, far: Simulator): Simulator => ({
      receive: (bytes) => (bytes[12] === code ? far.receive(bytes) : []),
    });
    const both = [hears(READ['2007'], now), hears(READ['1997'], old)];
    return { receive: (bytes) => both.flatMap((far) => far.receive(bytes)) };
  },
  foreign: (value) =>
    build645({
      address: '000000000068',
      control: 0x91,
      data: Uint8Array.of(...diBytes('00440000'), ...bcdOf(value, 4)),
    }),
};
