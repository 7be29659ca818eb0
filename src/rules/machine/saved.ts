/** A held condition over a restart: monotonic times become wall times with their clock's state, and back. */
import type { Instant } from '../../base/time.ts';
import { type Held, OFF, type Phase } from './judge.ts';

const VERSION = 1;
const PHASES: readonly string[] = ['off', 'pending', 'on', 'clearing'];

export interface SavedHeld {
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
  /** wall ms since when input is unknown */
  readonly b?: number;
}

/** @param waits wall ms of a beginning whose time off is not counted yet: it stays what it was */
export function saveHeld(meaning: string, held: Held, waits: number | undefined, now: Instant): SavedHeld | null {
  if (held.phase === 'off') return null;
  const wall = (mono: number): number => Math.round(now.wall - (now.mono - mono));
  return {
    v: VERSION,
    m: meaning,
    p: held.phase,
    w: waits ?? wall(held.since),
    s: waits !== undefined || now.synced,
    u: Math.round(held.unseen),
    ...(held.blind === undefined ? {} : { b: wall(held.blind) }),
  };
}

export interface Woken {
  readonly held: Held;
  /** the rule means something else now */
  readonly changed: boolean;
  /** wall ms of the beginning: time off is to be added when the clock is known */
  readonly waits?: number;
}

/** @param downSince wall ms of the last thing known before the end: from then on nothing was observed */
export function wakeHeld(
  saved: SavedHeld | undefined,
  meaning: string,
  now: Instant,
  downSince: number | undefined,
): Woken {
  if (saved === undefined || !isSound(saved)) return { held: OFF, changed: false };
  if (saved.m !== meaning) return { held: OFF, changed: true };
  const believed = saved.s && now.synced;
  const downed = Math.max(saved.w, downSince ?? saved.w);
  const ran = believed ? Math.max(0, now.wall - saved.w) : Math.max(0, downed - saved.w);
  // Time off was not observed, nor was what was unknown before it.
  const blind = Math.max(0, (believed ? now.wall : downed) - (saved.b ?? downed));
  const held: Held = { phase: saved.p, since: now.mono - ran, unseen: saved.u, blind: now.mono - blind };
  return { held, changed: false, ...(saved.s && !now.synced ? { waits: saved.w } : {}) };
}

function isSound(saved: SavedHeld): boolean {
  return saved.v === VERSION && PHASES.includes(saved.p) && Number.isFinite(saved.w) && Number.isFinite(saved.u);
}
