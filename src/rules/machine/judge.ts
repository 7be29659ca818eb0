/**
 * One instance's condition over time: the on-delay `for`, the off-delay `keep`, and what unknown input means. A pure step: what is held
 * (Held) and what is seen (Seen) give what is held next and what happened. It knows no alarm and no clock but the times it is given.
 *
 *   off --when--> pending --for--> on --not when / clear--> clearing --keep--> off
 *
 * Unknown input (rules.md 5.3): `hold` keeps the last truth and the clock runs; `true`, `false` take that as the truth; `pause` stops timers.
 * An active condition never ends on unknown input unless the rule says `unknown: false`.
 */
import type { UnknownPolicy } from '../language/rule.ts';

export type Phase = 'off' | 'pending' | 'on' | 'clearing';

export interface Held {
  readonly phase: Phase;
  /** monotonic ms at which the phase's timer began; for `on`, at which the condition began */
  readonly since: number;
  /** ms of the pending time that were not observed */
  readonly unseen: number;
  /** monotonic ms since when input is unknown; undefined = known */
  readonly blind?: number;
}

export const OFF: Held = { phase: 'off', since: 0, unseen: 0 };

export interface Seen {
  /** undefined = unknown */
  readonly when: boolean | undefined;
  /** the clear condition; for rules without one, not `when` */
  readonly clear: boolean | undefined;
}

export interface Timing {
  readonly forMs: number;
  readonly keepMs: number;
  readonly unknown: UnknownPolicy;
}

export interface Judged {
  readonly held: Held;
  readonly happened: 'nothing' | 'raised' | 'cleared';
  /** the raise rested on unknown input */
  readonly uncertain: boolean;
  /** share 0..1 of the pending time that was observed */
  readonly observed: number;
}

/** @param at monotonic ms of the evidence: what begins now began then */
export function judge(before: Held, seen: Seen, timing: Timing, now: number, at: number = now): Judged {
  const known = seen.when !== undefined && seen.clear !== undefined;
  const clocked = account(before, known, timing, now);
  const started = move(clocked, truth(clocked, seen, timing), timing, now, Math.min(at, now));
  // Evidence that is older than the delay needs no timer.
  const next = started.phase === 'pending' && started !== clocked ? move(started, 'hold', timing, now, at) : started;
  const happened = outcome(before.phase, next.phase);
  const total = Math.max(1, now - next.since);
  const unseen = clocked.unseen + (clocked.blind === undefined ? 0 : now - clocked.blind);
  const observed = clocked.phase === 'pending' ? Math.max(0, 1 - unseen / total) : known ? 1 : 0;
  return { held: next, happened, uncertain: happened === 'raised' && !known, observed };
}

/** When the phase's timer is due, on the monotonic clock. */
export function dueOf(held: Held, timing: Timing): number | undefined {
  if (held.blind !== undefined && timing.unknown === 'pause') return undefined;
  if (held.phase === 'pending') return held.since + timing.forMs;
  if (held.phase === 'clearing') return held.since + timing.keepMs;
  return undefined;
}

/**
 * A value that came late says that the condition was not so at `at`: it can have begun no earlier. What was raised too early is pending again.
 */
export function against(before: Held, timing: Timing, now: number, at: number): Held {
  if (before.phase !== 'pending' && before.phase !== 'on') return before;
  if (at <= before.since) return before;
  const isEarly = before.phase === 'on' && timing.forMs > 0 && now - at < timing.forMs;
  if (before.phase === 'pending' || isEarly) return { ...before, phase: 'pending', since: at, unseen: 0 };
  return before;
}

/** Books the time that was not observed, and moves paused timers on. */
function account(before: Held, known: boolean, timing: Timing, now: number): Held {
  if (!known) return before.blind === undefined ? { ...before, blind: now } : before;
  if (before.blind === undefined) return before;
  const { blind, ...rest } = before;
  const missed = now - blind;
  return timing.unknown === 'pause'
    ? { ...rest, since: rest.since + missed }
    : { ...rest, unseen: rest.unseen + missed };
}

type Truth = 'hold' | 'yes' | 'no' | 'between';

/** `between`: neither the condition nor its clear condition holds (hysteresis). */
function truth(held: Held, seen: Seen, timing: Timing): Truth {
  if (seen.when === undefined || seen.clear === undefined) {
    if (timing.unknown === 'true') return 'yes';
    if (timing.unknown === 'false') return 'no';
    return 'hold';
  }
  if (seen.when) return 'yes';
  return isActive(held.phase) && !seen.clear ? 'between' : 'no';
}

function move(held: Held, is: Truth, timing: Timing, now: number, at: number): Held {
  const blind = held.blind === undefined ? {} : { blind: held.blind };
  const due = dueOf(held, timing);
  const over = due !== undefined && now >= due;
  switch (held.phase) {
    case 'off':
      if (is !== 'yes') return held;
      return timing.forMs === 0
        ? { phase: 'on', since: at, unseen: 0, ...blind }
        : { phase: 'pending', since: at, unseen: 0, ...blind };
    case 'pending':
      if (is === 'no') return { phase: 'off', since: now, unseen: 0, ...blind };
      return over ? { phase: 'on', since: held.since, unseen: 0, ...blind } : held;
    case 'on':
      if (is !== 'no') return held;
      return timing.keepMs === 0
        ? { phase: 'off', since: now, unseen: 0, ...blind }
        : { phase: 'clearing', since: now, unseen: 0, ...blind };
    case 'clearing':
      if (is === 'yes' || is === 'between') return { phase: 'on', since: now, unseen: 0, ...blind };
      return over ? { phase: 'off', since: now, unseen: 0, ...blind } : held;
  }
}

export const isActive = (phase: Phase): boolean => phase === 'on' || phase === 'clearing';

function outcome(before: Phase, after: Phase): Judged['happened'] {
  if (!isActive(before) && isActive(after)) return 'raised';
  return isActive(before) && !isActive(after) ? 'cleared' : 'nothing';
}
