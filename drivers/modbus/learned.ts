/**
 * What a device taught by refusing: the longest read it takes, registers that may not be bridged, points it refuses in any company. A pure value;
 * written to the device's memory with a mark of its configuration, and forgotten when that changes.
 *
 * The longest read is found by bisection: `good` was answered, `bad` was refused; the middle is tried next, until they touch.
 */
import { createHash } from 'node:crypto';
import { type Hole, isBits, type Limits, STANDARD_LIMITS, TABLES, type Table } from './plan.ts';

export interface Reach {
  readonly good: number;
  readonly bad: number;
}

export interface Learned {
  readonly reach: Readonly<Partial<Record<'registers' | 'bits', Reach>>>;
  readonly holes: readonly Hole[];
  readonly alone: readonly string[];
  /** the device's own thinking time, ms */
  readonly turnaround?: number;
}

export const NOTHING: Learned = { reach: {}, holes: [], alone: [] };

const kindOf = (table: Table): 'registers' | 'bits' => (isBits(table) ? 'bits' : 'registers');

export function limitsOf({ reach, holes }: Learned, standard: Limits = STANDARD_LIMITS): Limits {
  const most = (kind: 'registers' | 'bits'): number => {
    const known = reach[kind];
    return known === undefined ? standard[kind] : Math.min(standard[kind], trial(known));
  };
  return { ...standard, registers: most('registers'), bits: most('bits'), holes: [...standard.holes, ...holes] };
}

const trial = ({ good, bad }: Reach): number => (bad - good <= 1 ? good : Math.floor((good + bad) / 2));

/** A read of this length was refused, its parts of at most `part` were answered. */
export function tooLong(learned: Learned, table: Table, length: number, part: number): Learned {
  const kind = kindOf(table);
  const known = learned.reach[kind];
  const reach = {
    good: Math.max(part, Math.min(known?.good ?? 0, length - 1)),
    bad: Math.min(length, known?.bad ?? length),
  };
  return { ...learned, reach: { ...learned.reach, [kind]: reach } };
}

/** A read of this length was answered. The same value when that says nothing new. */
export function longEnough(learned: Learned, table: Table, length: number): Learned {
  const kind = kindOf(table);
  const known = learned.reach[kind];
  if (known === undefined || length <= known.good) return learned;
  return { ...learned, reach: { ...learned.reach, [kind]: { good: length, bad: Math.max(known.bad, length + 1) } } };
}

export function withHole(learned: Learned, hole: Hole): Learned {
  const known = learned.holes.some((h) => h.table === hole.table && h.from === hole.from && h.to === hole.to);
  return known ? learned : { ...learned, holes: [...learned.holes, hole] };
}

export function withAlone(learned: Learned, point: string): Learned {
  return learned.alone.includes(point) ? learned : { ...learned, alone: [...learned.alone, point].sort() };
}

const markOf = (config: unknown): string =>
  createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, 16);

export const written = (learned: Learned, config: unknown): string =>
  JSON.stringify({ for: markOf(config), ...learned });

/** What stands in the memory, if it was learned from this configuration and makes sense. */
export function readLearned(text: string | undefined, config: unknown): Learned {
  if (text === undefined) return NOTHING;
  try {
    const { for: mark, reach, holes, alone, turnaround } = JSON.parse(text) as Learned & { for: string };
    if (mark !== markOf(config)) return NOTHING;
    const known = { reach: { ...reach }, holes: holes.filter((h) => TABLES.includes(h.table)), alone: [...alone] };
    return typeof turnaround === 'number' ? { ...known, turnaround } : known;
  } catch {
    return NOTHING;
  }
}
