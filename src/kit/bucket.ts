/** How often something may happen: `rate` times a second, `burst` at once. */
export class Bucket {
  private readonly rate: number;
  private readonly burst: number;
  private left: number;
  private at: number;

  constructor(rate: number, burst: number, now: number) {
    this.rate = rate;
    this.burst = burst;
    this.left = burst;
    this.at = now;
  }

  /** @param now monotonic ms */
  take(now: number, count = 1): boolean {
    this.left = Math.min(this.burst, this.left + ((now - this.at) * this.rate) / 1000);
    this.at = now;
    if (this.left < count) return false;
    this.left -= count;
    return true;
  }
}
