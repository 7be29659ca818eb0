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
  take(now: number): boolean {
    this.left = Math.min(this.burst, this.left + ((now - this.at) * this.rate) / 1000);
    this.at = now;
    if (this.left < 1) return false;
    this.left--;
    return true;
  }

  /** ms until there is room for one */
  get wait(): number {
    return Math.max(0, Math.ceil(((1 - this.left) * 1000) / this.rate));
  }
}
