/**
 * How fast telemetry may flow: at most the feed's `rate` in messages a second, and in flight at most what the link carried in the last second
 * (never less than one message), so that an alarm never waits behind more than that.
 */
const LEAST_BYTES = 64 * 1024;
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_AT_ONCE = 64;

export class Pace {
  /** bytes that may be in flight */
  linkBytes = LEAST_BYTES;
  private readonly rate: number;
  private second = { at: 0, bytes: 0 };
  private tokens: { at: number; left: number };

  constructor(rate: number, now: number) {
    this.rate = rate;
    this.tokens = { at: now, left: 1 };
  }

  /** Messages that may go now; `waitMs` until the next one when the rate is the reason for none. */
  room(inFlight: number, bytesInFlight: number, now: number): { readonly room: number; readonly waitMs?: number } {
    const left = Math.min(this.rate, this.tokens.left + ((now - this.tokens.at) * this.rate) / 1000);
    this.tokens = { at: now, left };
    if (left < 1) return { room: 0, waitMs: Math.ceil(((1 - left) * 1000) / this.rate) };
    if (inFlight > 0 && bytesInFlight >= this.linkBytes) return { room: 0 };
    return { room: Math.min(Math.floor(left), MOST_AT_ONCE) };
  }

  spend(): void {
    this.tokens.left--;
  }

  /** the broker took these bytes */
  measure(bytes: number, now: number): void {
    this.second.bytes += bytes;
    if (now - this.second.at < 1000) return;
    const rate = (this.second.bytes * 1000) / Math.max(1, now - this.second.at);
    this.linkBytes = Math.min(MOST_BYTES, Math.max(LEAST_BYTES, rate, this.linkBytes / 2));
    this.second = { at: now, bytes: 0 };
  }
}
