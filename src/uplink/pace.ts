/**
 * How fast telemetry may flow: at most the feed's `rate` in messages a second, and in flight at most what keeps the link busy and no more (never less
 * than one message): what it carries in its shortest way there and back, and a quarter of a second. So an alarm waits behind little telemetry on any
 * link, from 64 kbit/s to a local network.
 *
 * Each second sets the bytes anew by what landed in it; while nothing waits on the way they grow. The shortest way is only seen when no queue of
 * our own stands on it, so now and then little is sent for a moment.
 */
const FIRST_BYTES = 16 * 1024;
const LEAST_BYTES = 2 * 1024;
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_AT_ONCE = 64;
const QUEUE_MS = 250;
const GROWTH = 1.5;
const LOOK_EVERY = 20_000;
const LOOK_MS = 1500;

export class Pace {
  /** bytes that may be in flight */
  linkBytes = FIRST_BYTES;
  private readonly rate: number;
  private tokens: { at: number; left: number };
  /** ms of the shortest way there and back */
  private shortest = Number.POSITIVE_INFINITY;
  private second = newSecond(0);
  /** while little is sent: until when, the shortest way so far, and the bytes to go on with */
  private look: { readonly until: number; shortest: number; readonly linkBytes: number } | undefined;
  private lookedAt = 0;

  constructor(rate: number, now: number) {
    this.rate = rate;
    this.tokens = { at: now, left: 1 };
  }

  /** Messages that may go now; `waitMs` until the next one when the rate is the reason for none. */
  room(inFlight: number, bytesInFlight: number, now: number): { readonly room: number; readonly waitMs?: number } {
    const left = Math.min(this.rate, this.tokens.left + ((now - this.tokens.at) * this.rate) / 1000);
    this.tokens = { at: now, left };
    if (left < 1) return { room: 0, waitMs: Math.ceil(((1 - left) * 1000) / this.rate) };
    if (inFlight > 0 && bytesInFlight >= this.linkBytes) {
      this.second.isFull = true;
      return { room: 0 };
    }
    return { room: Math.min(Math.floor(left), MOST_AT_ONCE) };
  }

  spend(): void {
    this.tokens.left--;
  }

  /** the far end took these bytes, which were sent then */
  measure(bytes: number, sentAt: number, now: number): void {
    const ms = now - sentAt;
    this.shortest = Math.min(this.shortest, ms);
    this.second.bytes += bytes;
    this.second.longest = Math.max(this.second.longest, ms);
    if (this.look !== undefined) return this.endLook(this.look, ms, now);
    if (now - this.second.at < 1000) return;
    this.linkBytes = this.nextBytes(now);
    this.second = newSecond(now);
    if (now - this.lookedAt >= LOOK_EVERY) this.beginLook(now);
  }

  private nextBytes(now: number): number {
    const { at, bytes, isFull, longest } = this.second;
    const isClear = isFull && longest < this.shortest + QUEUE_MS / 2;
    const carried = (bytes / (now - at)) * (this.shortest + QUEUE_MS);
    const next = isClear ? this.linkBytes * GROWTH : Math.max(carried, this.linkBytes / 2);
    return Math.min(MOST_BYTES, Math.max(LEAST_BYTES, next));
  }

  private beginLook(now: number): void {
    const { linkBytes } = this;
    this.look = { until: now + LOOK_MS, shortest: Number.POSITIVE_INFINITY, linkBytes };
    this.linkBytes = Math.max(LEAST_BYTES, linkBytes / 4);
  }

  private endLook(look: NonNullable<Pace['look']>, ms: number, now: number): void {
    look.shortest = Math.min(look.shortest, ms);
    if (now < look.until) return;
    this.shortest = look.shortest;
    this.linkBytes = look.linkBytes;
    this.look = undefined;
    this.lookedAt = now;
    this.second = newSecond(now);
  }
}

/** `isFull`: the bytes in flight were what held more back. `longest`: ms of the slowest message. */
const newSecond = (at: number) => ({ at, bytes: 0, isFull: false, longest: 0 });
