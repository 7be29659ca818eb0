/**
 * A moment that outlives the process: monotonic while it runs, wall time when it is saved, with whether that clock was to be believed. Time off
 * counts when both clocks were; otherwise once, when the clock is synchronised (rules.md 5.1).
 */
import type { Instant } from '../../base/time.ts';

export interface Anchor {
  mono: number;
  /** wall ms it was saved with; its time off is still to be counted */
  waits?: number | undefined;
}

/** [wall ms, 1 = that clock was synchronised] */
export type SavedAnchor = readonly [number, 0 | 1];

export function saveAnchor(anchor: Anchor, now: Instant): SavedAnchor {
  if (anchor.waits !== undefined) return [anchor.waits, 1];
  return [Math.round(now.wall - (now.mono - anchor.mono)), now.synced ? 1 : 0];
}

/** @param downSince wall ms of the last thing known before the end */
export function wakeAnchor([wall, synced]: SavedAnchor, now: Instant, downSince: number | undefined): Anchor {
  if (synced === 1 && now.synced) return { mono: now.mono - (now.wall - wall) };
  const ran = (downSince ?? wall) - wall;
  return { mono: now.mono - ran, ...(synced === 1 ? { waits: wall } : {}) };
}

/** The clock is known now. */
export function countTimeOff(anchor: Anchor, now: Instant): void {
  if (anchor.waits === undefined) return;
  anchor.mono = Math.min(anchor.mono, now.mono - (now.wall - anchor.waits));
  anchor.waits = undefined;
}
