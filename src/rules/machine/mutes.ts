/** Shelved alarms and maintenance: by whom, why and until when; both end by themselves (rules.md 5.6). */
import type { Mute } from '../../base/alarm.ts';
import type { Maintenance } from '../../base/rules.ts';
import type { Instant } from '../../base/time.ts';
import { type Anchor, countTimeOff, type SavedAnchor, saveAnchor, wakeAnchor } from './anchor.ts';
import { type Clockwork, parseRow, type Step, type Timed, type Waking } from './context.ts';

const SHELF = 'shelf:';
const MAINT = 'maint:';

interface Saved {
  readonly by: string;
  readonly reason: string;
  readonly until: SavedAnchor;
}

export interface Quiet {
  readonly by: string;
  readonly reason: string;
  readonly until: Anchor;
}

/** Called when somebody's quiet began or ended. */
export type Changed = (what: { readonly shelf: string } | { readonly maintained: string }, step: Step) => void;

export class Mutes {
  /** by alarm key */
  readonly shelves = new Map<string, Timeout>();
  /** by device, place or rule */
  readonly maintained = new Map<string, Timeout>();
  private readonly wheel: Clockwork;
  private readonly changed: Changed;

  constructor(wheel: Clockwork, changed: Changed) {
    this.wheel = wheel;
    this.changed = changed;
  }

  wake(waking: Waking): void {
    for (const row of waking.states.keys()) {
      const isShelf = row.startsWith(SHELF);
      if (!isShelf && !row.startsWith(MAINT)) continue;
      const saved = parseRow<Saved>(waking, row);
      if (saved === undefined) continue;
      const until = wakeAnchor(saved.until, waking.now, waking.downSince);
      const key = row.slice(isShelf ? SHELF.length : MAINT.length);
      this.put(isShelf, key, { by: saved.by, reason: saved.reason, until });
    }
  }

  begin(isShelf: boolean, key: string, by: string, reason: string, forMs: number, step: Step): void {
    const until: Anchor = { mono: step.now.mono + forMs };
    this.put(isShelf, key, { by, reason, until });
    const saved: Saved = { by, reason, until: saveAnchor(until, step.now) };
    step.state((isShelf ? SHELF : MAINT) + key, saved);
    this.changed(isShelf ? { shelf: key } : { maintained: key }, step);
  }

  end(isShelf: boolean, key: string, step: Step): boolean {
    const map = isShelf ? this.shelves : this.maintained;
    const timeout = map.get(key);
    if (timeout === undefined) return false;
    map.delete(key);
    this.wheel.set(timeout, undefined);
    step.state((isShelf ? SHELF : MAINT) + key, null);
    this.changed(isShelf ? { shelf: key } : { maintained: key }, step);
    return true;
  }

  /** Maintenance before shelving before suppression. @param words the alarm's device, rule and the places around it */
  of(key: string, words: readonly string[], isSuppressed: boolean): { mute: Mute; quiet?: Quiet } {
    const work = words.map((w) => this.maintained.get(w)).find((t) => t !== undefined);
    if (work !== undefined) return { mute: 'maintenance', quiet: work.quiet };
    const shelf = this.shelves.get(key);
    if (shelf !== undefined) return { mute: 'shelved', quiet: shelf.quiet };
    return { mute: isSuppressed ? 'suppressed' : 'none' };
  }

  list(now: Instant): Maintenance[] {
    return [...this.maintained].map(([what, { quiet }]) => ({
      what,
      by: quiet.by,
      reason: quiet.reason,
      until: Math.round(now.wall + quiet.until.mono - now.mono),
    }));
  }

  countTimeOff(now: Instant): void {
    for (const timeout of [...this.shelves.values(), ...this.maintained.values()]) {
      countTimeOff(timeout.quiet.until, now);
      this.wheel.set(timeout, timeout.quiet.until.mono);
    }
  }

  private put(isShelf: boolean, key: string, quiet: Quiet): void {
    const map = isShelf ? this.shelves : this.maintained;
    const before = map.get(key);
    if (before !== undefined) this.wheel.set(before, undefined);
    const timeout = new Timeout(quiet, (step) => this.end(isShelf, key, step));
    map.set(key, timeout);
    this.wheel.set(timeout, quiet.until.mono);
  }
}

class Timeout implements Timed {
  readonly quiet: Quiet;
  private readonly over: (step: Step) => void;

  constructor(quiet: Quiet, over: (step: Step) => void) {
    this.quiet = quiet;
    this.over = over;
  }

  fire(step: Step): void {
    this.over(step);
  }
}
