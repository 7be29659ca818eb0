/**
 * How old rows are that were stored while the clock was not synchronised: a board without a clock battery wakes up in 1970, or when it last stood.
 * Their recorded time tells nothing, so they count as stored when the clock became right, and as new until then: nothing is too old because a clock
 * was set. Spans of positions stand in `meta`, written in the transaction of the first row of each; the newest MOST of them.
 */
import type { Instant } from '../base/time.ts';
import type { Sqlite } from '../io/sqlite.ts';
import { readMeta, setMeta } from './meta.ts';

export const UNSYNCED = 'unsynced';
const MOST = 1000;

/** From its first position to the next span or the first row that was stored in time. */
interface Span {
  readonly first: number;
  /** when the clock became right, UTC ms; null = it is not yet */
  readonly since: number | null;
}

/** Part of a transaction: what stands from `position` on is stored by this clock. */
export function noteClock(db: Sqlite, position: number, { wall, synced }: Pick<Instant, 'wall' | 'synced'>): void {
  const spans = spansOf(db);
  const last = spans.at(-1);
  const isOpen = last?.since === null;
  if (isOpen !== synced) return;
  const next = isOpen
    ? [...spans.slice(0, -1), { first: last.first, since: Math.round(wall) }]
    : [...spans, { first: position, since: null }];
  setMeta(db, UNSYNCED, JSON.stringify(next.slice(-MOST)));
}

/** The first position that counts as stored at `wall` or later whatever its recorded time; infinite when there is none. */
export function youngFrom(db: Sqlite, wall: number): number {
  const young = spansOf(db).find(({ since }) => since === null || since >= wall);
  return young?.first ?? Number.POSITIVE_INFINITY;
}

function spansOf(db: Sqlite): readonly Span[] {
  return JSON.parse(readMeta(db, UNSYNCED) ?? '[]') as Span[];
}
