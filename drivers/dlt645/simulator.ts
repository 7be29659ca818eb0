/**
 * Electricity meters as bytes: any number on one line. A meter answers its own address and the wildcard, keeps silent on a wrong checksum and on a
 * broadcast, refuses what it does not have, and cuts long blocks in two.
 */
import { addressFits, fromDigits } from '../../src/kit/bcd.ts';
import { framesIn } from '../../src/kit/frames.ts';
import type { SimReply, Simulator } from '../../src/kit/simulator.ts';
import { BROADCAST, build645, type Frame645, fromMeter, functionOf, grammar645 } from './frame.ts';
import { diBytes, type Version } from './items.ts';
import { READ, READ_ADDRESS, READ_NEXT } from './protocol.ts';

export interface SimulatedMeter {
  readonly version?: Version;
  /** the data behind an identifier, without 33h; undefined = refused with "no such data" */
  readonly read: (di: string) => Uint8Array | undefined;
  readonly replyMs?: number;
  readonly preamble?: number;
  readonly dead?: () => boolean;
  /** bytes of data in one frame */
  readonly cut?: number;
}

const PART = 196;
const NO_SUCH_DATA = 0x02;

export function createDlt645Simulator(meters: ReadonlyMap<string, SimulatedMeter>): Simulator {
  let held: Uint8Array = new Uint8Array(0);
  return {
    receive: (bytes) => {
      const all = Uint8Array.of(...held, ...bytes);
      const { found } = framesIn(all, grammar645);
      held = all.slice(found.at(-1)?.end ?? Math.max(0, all.length - 300));
      return found.flatMap(({ frame }) => answers(frame, meters));
    },
  };
}

function answers(request: Frame645, meters: ReadonlyMap<string, SimulatedMeter>): SimReply[] {
  if (fromMeter(request) || request.address === BROADCAST) return [];
  return [...meters].flatMap(([address, meter]) => {
    if (!addressFits(request.address, address) || meter.dead?.() === true) return [];
    const reply = answer(request, address, meter);
    if (reply === undefined) return [];
    return [{ afterMs: meter.replyMs ?? 30, bytes: build645({ address, ...reply }, meter.preamble ?? 4) }];
  });
}

function answer(
  request: Frame645,
  address: string,
  meter: SimulatedMeter,
): { control: number; data: Uint8Array } | undefined {
  const { version = '2007', cut = PART } = meter;
  const code = functionOf(request);
  if (code === READ_ADDRESS && version === '2007') return { control: 0x93, data: fromDigits(address) };
  if (code !== READ[version] && code !== READ_NEXT[version]) return { control: code | 0xc0, data: Uint8Array.of(1) };
  const length = version === '2007' ? 4 : 2;
  const id = request.data.subarray(0, length);
  const di = [...id]
    .reverse()
    .map((b) => b.toString(16).toUpperCase().padStart(2, '0'))
    .join('');
  const data = meter.read(di);
  if (data === undefined) return { control: code | 0xc0, data: Uint8Array.of(NO_SUCH_DATA) };
  const sequence = code === READ_NEXT[version] ? (request.data[length] ?? 0) : 0;
  const part = data.subarray(sequence * cut, (sequence + 1) * cut);
  const more = data.length > (sequence + 1) * cut ? 0x20 : 0;
  return {
    control: code | 0x80 | more,
    data: Uint8Array.of(...diBytes(di), ...part, ...(sequence > 0 ? [sequence] : [])),
  };
}

/** A number as BCD of so many bytes, lowest first. */
export function bcdOf(value: number, bytes: number): Uint8Array {
  return fromDigits(String(value).padStart(2 * bytes, '0'));
}
