/** Every reading of some registers that could be meant, the plausible ones first. For people who have the device in front of them and no manual. */
import { decoderOf, NUMBER_TYPES, type NumberType, ORDERS, type Order, registersOf } from './codec.ts';

export interface PlausibleReading {
  readonly as: NumberType;
  readonly order: Order;
  readonly value: number;
}

const PLAIN = { length: 0, scale: 1, offset: 0, nan: [] } as const;

export function decodings(words: readonly number[]): readonly PlausibleReading[] {
  const bytes = Uint8Array.from(words.flatMap((w) => [w >> 8, w & 0xff]));
  const found: PlausibleReading[] = [];
  for (const as of NUMBER_TYPES) {
    if (registersOf({ as, length: 0 }) > words.length) continue;
    for (const order of ORDERS) {
      const { value } = decoderOf({ ...PLAIN, as, order })(bytes, 0);
      const again = registersOf({ as, length: 0 }) === 1 && (order === 'CDAB' || order === 'DCBA');
      if (typeof value === 'number' && !again) found.push({ as, order, value });
    }
  }
  return found.sort((a, b) => doubt(a) - doubt(b)).slice(0, 24);
}

/** Small is likely: values of estates are neither huge nor tiny, and most makers use the standard order. */
function doubt({ value, as, order }: PlausibleReading): number {
  const size = Math.abs(value);
  const absurd = size > 1e9 || (size !== 0 && size < 1e-6) ? 100 : 0;
  const digits = as.startsWith('float') && !Number.isInteger(Math.round(value * 1e4) / 10) ? 0 : 1;
  return absurd + ORDERS.indexOf(order) * 2 + digits + (as.startsWith('bcd') ? 4 : 0) + (as.endsWith('64') ? 3 : 0);
}
