/** What a window's shares come to for one group. */
import { feedNumber, type JsonObject } from '../../base/json.ts';
import type { StatFunction } from '../../base/model.ts';
import type { CompiledStat } from './compile.ts';
import type { Share } from './source.ts';

export interface GroupValue {
  readonly value: JsonObject;
  /** sources it was made of */
  readonly n: number;
  /** counts that speak of somebody */
  readonly cells: readonly number[];
  /** share 0..1 of the sources' time that was observed with good data */
  readonly coverage: number;
}

/** A state counts for a window of which at least this share is known; of homes, any value does. */
const NEED = 0.5;

/** @param lengthMs of the window */
export function groupValue(stat: CompiledStat, shares: readonly Share[], lengthMs: number): GroupValue {
  const isEnough = ({ known }: Share): boolean => known > 0 && known >= NEED * lengthMs;
  const known = shares.filter(stat.isPersonal ? isEnough : (s) => s.known > 0);
  const value: Record<string, number> = {};
  let cells: readonly number[] = [];
  let n = known.length;
  for (const make of stat.model.make) {
    if (make === 'count') {
      const counted = countOf(stat, shares, shares.filter(isEnough));
      Object.assign(value, counted.value);
      ({ cells } = counted);
      if (!stat.isEvent) n = cells.reduce((a, b) => a + b, 0);
    } else if (known.length > 0) {
      const told = feedNumber(numberOf(make, known));
      if (told !== undefined) value[make] = told;
    }
  }
  const good = shares.reduce((sum, s) => sum + s.good, 0);
  const coverage = shares.length === 0 ? 0 : Math.min(1, good / (shares.length * lengthMs));
  return { value, n, cells, coverage: feedNumber(coverage) ?? 0 };
}

/** Each source counts by what it was for most of the time it was known. */
function countOf(
  { model, isEvent }: CompiledStat,
  shares: readonly Share[],
  enough: readonly Share[],
): { value: Record<string, number>; cells: readonly number[] } {
  const [yes, no] = model.words ?? ['true', 'false'];
  if (isEvent) {
    const hits = shares.reduce((sum, s) => sum + s.hits, 0);
    return { value: { [yes]: hits }, cells: [hits] };
  }
  const are = enough.filter((s) => 2 * s.area >= s.known).length;
  const areNot = enough.length - are;
  return { value: { [yes]: are, [no]: areNot, unknown: shares.length - enough.length }, cells: [are, areNot] };
}

function numberOf(make: Exclude<StatFunction, 'count'>, known: readonly Share[]): number {
  const sum = (of: (share: Share) => number): number => known.reduce((total, share) => total + of(share), 0);
  switch (make) {
    case 'mean':
    case 'share':
      return sum((s) => s.area) / sum((s) => s.known);
    case 'sum':
      return sum((s) => s.area / s.known);
    case 'delta':
      return sum((s) => s.rise);
    case 'min':
      return Math.min(...known.map((s) => s.min));
    case 'max':
      return Math.max(...known.map((s) => s.max));
  }
}
