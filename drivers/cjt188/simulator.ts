/** Water and heat meters as bytes: any number on one line. A meter hears one order of the identifier's bytes, or both, and keeps silent otherwise. */
import { addressFits, fromDigits } from '../../src/kit/bcd.ts';
import { framesIn } from '../../src/kit/frames.ts';
import type { SimReply, Simulator } from '../../src/kit/simulator.ts';
import { build188, type DiOrder, type Frame188, fromMeter, functionOf, grammar188, idBytes, idOf } from './frame.ts';

export interface SimulatedMeter {
  readonly type?: number;
  /** the bytes behind identifier and serial; undefined = refused */
  readonly read: (di: string) => Uint8Array | undefined;
  /** the only order heard; both when absent */
  readonly hears?: DiOrder;
  /** answers with this serial, whatever was asked */
  readonly serial?: number;
  readonly replyMs?: number;
  readonly dead?: () => boolean;
}

export function createCjt188Simulator(meters: ReadonlyMap<string, SimulatedMeter>): Simulator {
  let held: Uint8Array = new Uint8Array(0);
  return {
    receive: (bytes) => {
      const all = Uint8Array.of(...held, ...bytes);
      const { found } = framesIn(all, grammar188);
      held = all.slice(found.at(-1)?.end ?? Math.max(0, all.length - 300));
      return found.flatMap(({ frame }) => answers(frame, meters));
    },
  };
}

function answers(request: Frame188, meters: ReadonlyMap<string, SimulatedMeter>): SimReply[] {
  const id = idOf(request.data);
  if (fromMeter(request) || id === undefined) return [];
  return [...meters].flatMap(([address, meter]) => {
    const { type = 0x10, hears = id.order, replyMs = 50 } = meter;
    if (!addressFits(request.address, address) || hears !== id.order || meter.dead?.() === true) return [];
    const head = idBytes(id.di, id.order, meter.serial ?? request.data[2] ?? 0);
    const code = functionOf(request);
    const body = code === 0x03 ? new Uint8Array(0) : code === 0x01 ? meter.read(id.di) : undefined;
    const reply =
      body === undefined
        ? { control: code | 0xc0, data: Uint8Array.of(head[2] ?? 0, 4, 0) }
        : { control: code | 0x80, data: Uint8Array.of(...head, ...body) };
    return [{ afterMs: replyMs, bytes: build188({ type, address, ...reply }, 2) }];
  });
}

/** Current data of a water meter: `hundredths` of a cubic metre. */
export function waterData(hundredths: number, status: readonly [number, number] = [0, 0]): Uint8Array {
  const now = fromDigits(String(hundredths).padStart(8, '0'));
  return Uint8Array.of(...now, 0x2c, 0, 0, 0, 0, 0x2c, ...fromDigits('20261124080000'), ...status);
}
