/**
 * A condition's state as a row: small, versioned, readable. Monotonic time does not outlive the process, so a row says when its timer began on
 * the wall clock, and whether that clock was to be believed.
 */
import type { StateRow } from '../base/journal.ts';
import type { Instant } from '../base/time.ts';
import { type Held, OFF, type Phase } from './judge.ts';

const VERSION = 1;
const PHASES: readonly string[] = ['off', 'pending', 'on', 'clearing'];

interface Saved {
  readonly v: number;
  /** meaning of the rule that wrote it */
  readonly m: string;
  readonly p: Phase;
  /** wall ms at which the timer began */
  readonly w: number;
  /** wall clock synchronised then */
  readonly s: boolean;
  /** ms not observed */
  readonly u: number;
}

export const stateKey = (key: string): string => `rule:${key}`;

export function saveHeld(key: string, meaning: string, held: Held, now: Instant): StateRow {
  if (held.phase === 'off') return { key: stateKey(key), body: null };
  const saved: Saved = {
    v: VERSION,
    m: meaning,
    p: held.phase,
    w: Math.round(now.wall - (now.mono - held.since)),
    s: now.synced,
    u: Math.round(held.unseen),
  };
  return { key: stateKey(key), body: JSON.stringify(saved) };
}

export interface Woken {
  readonly held: Held;
  /** the rule means something else now */
  readonly changed: boolean;
  /** time off is to be added when the wall clock is known */
  readonly waits?: { readonly wall: number };
}

/** @param downSince wall ms of the last thing known before the end: from then on nothing was observed */
export function wakeHeld(
  body: string | null | undefined,
  meaning: string,
  now: Instant,
  downSince: number | undefined,
): Woken {
  const saved = parse(body);
  if (saved === undefined) return { held: OFF, changed: false };
  if (saved.m !== meaning) return { held: OFF, changed: true };
  const believed = saved.s && now.synced;
  const ran = believed ? Math.max(0, now.wall - saved.w) : Math.max(0, (downSince ?? saved.w) - saved.w);
  const off = believed ? Math.max(0, now.wall - Math.max(saved.w, downSince ?? saved.w)) : 0;
  const held: Held = { phase: saved.p, since: now.mono - ran, unseen: saved.u + Math.min(off, ran), blind: now.mono };
  return { held, changed: false, ...(saved.s && !now.synced ? { waits: { wall: saved.w } } : {}) };
}

function parse(body: string | null | undefined): Saved | undefined {
  if (body === null || body === undefined) return undefined;
  try {
    const saved = JSON.parse(body) as Saved;
    const sound =
      saved.v === VERSION && PHASES.includes(saved.p) && Number.isFinite(saved.w) && Number.isFinite(saved.u);
    return sound ? saved : undefined;
  } catch {
    return undefined;
  }
}
