/** From what the display shows to what the registers mean: readings that come near it with one of the usual scales. */
import type { ScanResult } from '../kit/driver.ts';

export interface Guess {
  readonly as: string;
  readonly order: string;
  readonly scale: number;
  readonly value: number;
}

const SCALES = [1, 0.1, 0.01, 0.001, 0.0001, 10, 100, 1000];
/** A display rounds, and the value moves on while somebody reads it. */
const NEAR = 0.01;
const MOST = 12;

/** Near enough to be the same measurement a moment later. */
export function isAsExpected(value: number, expect: number): boolean {
  return Math.abs(value - expect) <= Math.max(NEAR * Math.abs(expect), 1e-9);
}

/** Plain scales before odd ones, and of equal ones the nearest; no display of 0 says anything. */
export function guesses(decodings: ScanResult['decodings'], expect: number): readonly Guess[] {
  if (expect === 0) return [];
  const found = SCALES.flatMap((scale, rank) =>
    decodings.flatMap(({ as, order, value }) => {
      const scaled = Number((value * scale).toPrecision(12));
      return isAsExpected(scaled, expect) ? [{ as, order, scale, value: scaled, rank }] : [];
    }),
  );
  const distance = (g: Guess): number => Math.abs(g.value - expect);
  return found
    .sort((a, b) => a.rank - b.rank || distance(a) - distance(b))
    .slice(0, MOST)
    .map(({ rank: _, ...guess }) => guess);
}
