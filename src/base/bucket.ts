/** A token bucket on monotonic time: `burst` at once, `rate` a second in the long run. */
export class Bucket {
  private readonly rate: number;
  private readonly burst: number;
  private tokens: number;
  private at: number;

  constructor(rate: number, burst: number, now: number) {
    this.rate = rate;
    this.burst = burst;
    this.tokens = burst;
    this.at = now;
  }

  /** @returns whether there were as many; they are taken only then */
  take(now: number, count = 1): boolean {
    this.fill(now);
    if (this.tokens < count) return false;
    this.tokens -= count;
    return true;
  }

  /** Takes as many in any case. @returns ms until the debt is paid */
  owe(now: number, count: number): number {
    this.fill(now);
    this.tokens -= count;
    return this.tokens >= 0 ? 0 : (-this.tokens / this.rate) * 1000;
  }

  private fill(now: number): void {
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.at) / 1000) * this.rate);
    this.at = now;
  }
}
