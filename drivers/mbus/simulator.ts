/** Meters on M-Bus wires as bytes: by primary address, or selected by number. A reply may go over several telegrams. */
import { fromDigits } from '../../src/kit/bcd.ts';
import { framesIn } from '../../src/kit/frames.ts';
import type { SimReply, Simulator } from '../../src/kit/simulator.ts';
import { ACK, FCB, type FrameMbus, grammarMbus, longFrame, SELECTED, SND_NKE } from './frame.ts';

export interface SimulatedMeter {
  readonly address: number;
  /** eight digits */
  readonly number: string;
  /** the records of each telegram; all but the last end with 1F */
  readonly telegrams: () => readonly Uint8Array[];
  /** instead of data: an application error */
  readonly error?: () => number | undefined;
  readonly replyMs?: number;
  readonly dead?: () => boolean;
}

const REQ_UD2 = 0x5b;
/** all answer; here one of them is heard */
const EVERYBODY = 0xfe;

export function createMbusSimulator(meters: readonly SimulatedMeter[]): Simulator {
  let held: Uint8Array = new Uint8Array(0);
  let selected: SimulatedMeter | undefined;
  const places = new Map<SimulatedMeter, { next: number; bit: number }>();
  const hear = (frame: FrameMbus): SimReply[] => {
    const selection = frame.kind === 'long' && frame.ci === 0x52 && frame.address === SELECTED;
    if (selection) selected = meters.find((m) => fromDigits(m.number).every((b, i) => frame.data[i] === b));
    const isHere = (m: SimulatedMeter): boolean => m.address === frame.address || frame.address === EVERYBODY;
    const meter = frame.address === SELECTED ? selected : meters.find(isHere);
    if (frame.kind === 'short' && frame.control === SND_NKE && frame.address === SELECTED) selected = undefined;
    if (meter === undefined || meter.dead?.() === true) {
      // The converter's bus has nobody to deselect, and says so by an E5 of the one selected before.
      return frame.address === SELECTED && frame.kind === 'short' && frame.control === SND_NKE ? [ack(20)] : [];
    }
    if (selection || frame.control === SND_NKE) {
      places.set(meter, { next: 0, bit: -1 });
      return [ack(meter.replyMs ?? 20)];
    }
    return frame.kind === 'short' && (frame.control & ~FCB) === REQ_UD2
      ? [answer(meter, frame.control & FCB, places)]
      : [];
  };
  return {
    receive: (bytes) => {
      const all = Uint8Array.of(...held, ...bytes);
      const { found } = framesIn(all, grammarMbus);
      held = all.slice(found.at(-1)?.end ?? Math.max(0, all.length - 300));
      return found.flatMap(({ frame }) => hear(frame));
    },
  };
}

const ack = (afterMs: number): SimReply => ({ afterMs, bytes: Uint8Array.of(ACK) });

/** The same frame count bit again asks for the same telegram again. */
function answer(
  meter: SimulatedMeter,
  bit: number,
  places: Map<SimulatedMeter, { next: number; bit: number }>,
): SimReply {
  const place = places.get(meter) ?? { next: 0, bit: -1 };
  if (place.bit !== bit) places.set(meter, { next: place.next + 1, bit });
  const telegrams = meter.telegrams();
  const n = Math.min(place.bit === bit ? place.next - 1 : place.next, telegrams.length - 1);
  const error = meter.error?.();
  const header = Uint8Array.of(...fromDigits(meter.number), 0xb4, 0x05, 1, 4, n, 0, 0, 0);
  const bytes =
    error === undefined
      ? longFrame(0x08, meter.address, 0x72, Uint8Array.of(...header, ...(telegrams[n] ?? [])))
      : longFrame(0x08, meter.address, 0x70, Uint8Array.of(error));
  return { afterMs: meter.replyMs ?? 40, bytes };
}

/** A record of four bytes: kilowatt hours, instantaneous. */
export const energyRecord = (kilowattHours: number): Uint8Array =>
  Uint8Array.of(0x04, 0x06, kilowattHours & 0xff, (kilowattHours >> 8) & 0xff, (kilowattHours >> 16) & 0xff, 0);
