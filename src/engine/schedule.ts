/**
 * A device's polling times: a grid on the monotonic clock, so that errors never add up. A slot that passed while the device was still busy is
 * missed and counted, never caught up: polls do not pile up on a slow line.
 */
export class Grid {
  missed = 0;
  private readonly anchor: number;
  private readonly period: number;
  private slot = 0;

  /** @param spread 0..1, where in the first period (at most LONGEST_START) the device begins */
  constructor(now: number, periodMs: number, spread: number) {
    this.period = periodMs;
    this.anchor = now + Math.min(periodMs, LONGEST_START) * spread;
  }

  /** when the current slot begins */
  due(): number {
    return this.anchor + this.slot * this.period;
  }

  /** The slot was used; the next one that is not over yet follows. */
  next(now: number): void {
    const coming = Math.max(this.slot + 1, Math.ceil((now - this.anchor) / this.period));
    this.missed += coming - this.slot - 1;
    this.slot = coming;
  }
}

/** A meter polled every 15 minutes is not kept waiting for its first reading. */
const LONGEST_START = 2000;
