/** A bucket of tokens: so many a second, and as many at once. */
import type { Clock } from '../base/ports.ts';

export class Tokens {
  private readonly perSecond: number;
  private readonly clock: Clock;
  private left: number;
  private at: number;

  constructor(perSecond: number, clock: Clock) {
    this.perSecond = perSecond;
    this.clock = clock;
    this.left = perSecond;
    this.at = clock.mono();
  }

  take(): boolean {
    const now = this.clock.mono();
    this.left = Math.min(this.perSecond, this.left + ((now - this.at) * this.perSecond) / 1000);
    this.at = now;
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}
