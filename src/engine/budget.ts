/**
 * How much of a line's time may go to devices that do not answer. A try costs its deadline and the draining behind it; tries of all silent
 * devices of a line together are spaced so that they take at most `share` of the time, however many are silent.
 */
export class WasteBudget {
  private readonly share: number;
  private freeAt = 0;

  constructor(share: number) {
    this.share = share;
  }

  /** Books a try that may waste `costMs`; returns when it may begin (monotonic ms, not before `now`). */
  book(now: number, costMs: number): number {
    const start = Math.max(now, this.freeAt);
    this.freeAt = start + costMs / this.share;
    return start;
  }
}
