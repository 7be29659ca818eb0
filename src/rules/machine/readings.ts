/** What the time of a reading says: the same again, out of order, late, or with a clock that cannot be right (rules.md 5.1, 5.2). */
import type { Reading } from '../../base/reading.ts';
import { ACT_WITHIN } from '../../base/rules.ts';
import type { Slot } from './context.ts';

const AHEAD = 60_000;
/** what happened longer ago raises nothing any more */
export const EVENT_AGE = 24 * 3_600_000;

/** Event time on the monotonic clock. A time in the future is not believed. */
export function timeOf({ ts, at }: Reading): { t: number; isWrongClock: boolean } {
  if (ts > at.wall + AHEAD) return { t: at.mono, isWrongClock: true };
  return { t: at.mono - (at.wall - ts), isWrongClock: false };
}

export function ageOf({ ts, at }: Reading): { isLate: boolean; isTooOld: boolean } {
  const age = at.wall - ts;
  return { isLate: age > ACT_WITHIN, isTooOld: age > EVENT_AGE };
}

/** A re-sent frame: same point, same time, same value. */
export function isAgain(slot: Slot, { ts, value, quality }: Reading): boolean {
  const isKnown = quality !== 'bad' && value !== null;
  return slot.seen && slot.ts === ts && slot.known === isKnown && (!isKnown || slot.value === value);
}

export const isOlder = (slot: Slot, t: number): boolean => slot.seen && t < slot.t;
