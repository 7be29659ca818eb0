/**
 * Escalation: who is told when, counted from the raise (rules.md 5.8). Steps that came due while the gateway was off are all told at once, in
 * order. It stops at the acknowledgement, or with `until: clear` goes on until the condition ends. A step that cannot be delivered now pulls the
 * next one forward.
 */
import type { Instant } from '../../base/time.ts';
import type { EscalationStep } from '../language/action.ts';
import { type Anchor, countTimeOff, type SavedAnchor, saveAnchor, wakeAnchor } from './anchor.ts';
import { type Clockwork, parseRow, type Step, type Timed, type Waking } from './context.ts';

export const LADDER = 'esc:';

interface Saved {
  readonly aid: string;
  readonly at: SavedAnchor;
  readonly done: number;
}

/** Told for each step. */
export type Told = (key: string, to: readonly string[], n: number, step: Step) => void;

export class Ladder implements Timed {
  readonly key: string;
  readonly aid: string;
  private readonly steps: readonly EscalationStep[];
  private readonly began: Anchor;
  private readonly wheel: Clockwork;
  private readonly told: Told;
  private done: number;

  constructor(
    key: string,
    aid: string,
    steps: readonly EscalationStep[],
    began: Anchor,
    wheel: Clockwork,
    told: Told,
    done = 0,
  ) {
    this.key = key;
    this.aid = aid;
    this.steps = steps;
    this.began = began;
    this.wheel = wheel;
    this.told = told;
    this.done = done;
    this.arm();
  }

  static wake(
    key: string,
    steps: readonly EscalationStep[],
    waking: Waking,
    wheel: Clockwork,
    told: Told,
  ): Ladder | undefined {
    const saved = parseRow<Saved>(waking, LADDER + key);
    if (saved === undefined) return undefined;
    return new Ladder(
      key,
      saved.aid,
      steps,
      wakeAnchor(saved.at, waking.now, waking.downSince),
      wheel,
      told,
      saved.done,
    );
  }

  /** Tells whatever is due. */
  fire(step: Step): void {
    for (;;) {
      const next = this.steps[this.done];
      if (next === undefined || this.began.mono + next.afterMs > step.now.mono) break;
      this.tellNext(step);
    }
    this.save(step);
    this.arm();
  }

  /** The last one told cannot be reached: the next is told now. */
  pull(step: Step): void {
    if (this.steps[this.done] === undefined) return;
    this.tellNext(step);
    this.save(step);
    this.arm();
  }

  countTimeOff(now: Instant): void {
    countTimeOff(this.began, now);
    this.arm();
  }

  end(step: Step): void {
    this.wheel.set(this, undefined);
    step.state(LADDER + this.key, null);
  }

  private tellNext(step: Step): void {
    const next = this.steps[this.done];
    this.done++;
    if (next !== undefined) this.told(this.key, next.to, this.done, step);
  }

  private save(step: Step): void {
    const saved: Saved = { aid: this.aid, at: saveAnchor(this.began, step.now), done: this.done };
    step.state(LADDER + this.key, saved);
  }

  private arm(): void {
    const next = this.steps[this.done];
    this.wheel.set(this, next === undefined ? undefined : this.began.mono + next.afterMs);
  }
}
