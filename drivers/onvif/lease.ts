/**
 * How long a subscription lives, on our own monotonic clock (all times in ms of it). What a camera says of the end is believed between LEAST_LIFE and
 * MOST_LIFE; else it is what was asked for. Pulls keep it alive: where they do not move the end the camera tells, it is renewed at four fifths.
 */
export const LIFE = 600_000;
const LEAST_LIFE = 10_000;
const MOST_LIFE = 3_600_000;
const RENEW_AT = 0.8;
const RENEW_PACE = 60_000;

export class Lease {
  readonly lifeMs: number;
  expires: number;
  /** until then it may hold a slot, whatever the camera says of it */
  until: number;
  /** as the camera told it last, its own ms */
  private ends: number | undefined;
  private pullKeepsAlive = false;
  private neverRenew = false;
  private lastRenew: number;

  /** @param told what the camera gave it */
  constructor(now: number, told: number | undefined) {
    this.lifeMs = isSound(told) ? told : LIFE;
    this.expires = now + this.lifeMs;
    this.until = now + Math.max(LIFE, this.lifeMs);
    this.lastRenew = now;
  }

  isRenewDue(now: number): boolean {
    if (this.pullKeepsAlive || this.neverRenew || this.ends === undefined) return false;
    return now >= this.expires - (1 - RENEW_AT) * this.lifeMs && now - this.lastRenew >= RENEW_PACE;
  }

  renewed(now: number, how: string): void {
    this.lastRenew = now;
    if (how === 'fault') this.neverRenew = true;
    else if (how === 'done') this.live(now, this.lifeMs);
  }

  /** A pull that moves the end is what keeps it alive; where nothing readable is said, it is taken to. */
  pulled(now: number, ends: number | undefined, cameraNow: number | undefined): void {
    const life = ends === undefined || cameraNow === undefined ? undefined : ends - cameraNow;
    if (ends === undefined || !isSound(life)) {
      this.ends = undefined;
      return this.live(now, LIFE);
    }
    const before = this.ends;
    this.ends = ends;
    if (before === undefined) return;
    this.pullKeepsAlive = ends > before;
    if (this.pullKeepsAlive) this.live(now, life);
  }

  private live(now: number, lifeMs: number): void {
    this.expires = now + lifeMs;
    this.until = now + Math.max(LIFE, lifeMs);
  }
}

const isSound = (life: number | undefined): life is number =>
  life !== undefined && life >= LEAST_LIFE && life <= MOST_LIFE;
