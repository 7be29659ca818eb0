/**
 * The life of one camera's pull point, as a machine without clock and network: `next` says what to do, `take` is told how it went. One thing at a time,
 * so a camera never gets two questions at once and never two pulls.
 *
 *   time -> check -> capabilities -> (old subscriptions) -> create -> sync -> pull, pull, ... (check, renew, sync, recreate between two)
 *   lost: any of them fails -> back-off (5 s to 5 min, with jitter) -> time
 *   auth_failed: refused twice with the time read anew between -> 15 min        unsupported: it has no events -> an hour, checked meanwhile
 *
 * Guarantees: at most one Create in CREATE_PACE; a pull ended before its header counts as an empty one, RESETS_IN_A_ROW of them make a new subscription; a
 * subscription that was created is in `left` until it was unsubscribed or its life is over; the password is shown at most twice in AUTH_WAIT,
 * and four times in all by lives that end before.
 * All times are monotonic ms.
 */
import type { FaultClass, PullLimits } from './faults.ts';
import { Lease } from './lease.ts';
import type { Reference } from './soap.ts';

export const CREATE_PACE = 10_000;
const PULL = 30_000;
const MESSAGES = 50;
const LEAST_PULL = 2000;
export const FIRST_BACKOFF = 5000;
export const LAST_BACKOFF = 300_000;
export const AUTH_WAIT = 900_000;
/** makers lock an account after five, the first life shows two */
const MOST_REFUSALS = 3;
const UNSUPPORTED_WAIT = 3_600_000;
const SYNC_EVERY = 3_600_000;
const TIME_EVERY = 3_600_000;
const RECREATE_EVERY = 86_400_000;
const MEDIA_EVERY = 86_400_000;
const MEDIA_AGAIN = 600_000;
const RESETS_IN_A_ROW = 3;
/** an empty answer sooner than this was no wait */
const INSTANT = 1000;
const LEAST_PAUSE = 1000;
const MOST_PAUSE = 10_000;
/** pulls within which a dump must come after it was asked for */
const DUMP_WITHIN = 3;
/** at most one is made in CREATE_PACE, and none is held longer than LIFE: no more can be left */
const MOST_LEFT = 64;

export interface Subscription extends Reference {
  readonly url: string;
  /** the life that was asked for is over */
  readonly until: number;
  /** it was tried to end it: what is left is to wait */
  readonly isTried: boolean;
}

export type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'time' | 'capabilities' | 'check' | 'media' }
  | { readonly do: 'unsubscribe'; readonly subscription: Subscription }
  | { readonly do: 'create'; readonly isAbsolute: boolean }
  | { readonly do: 'sync' | 'renew'; readonly subscription: Subscription }
  | {
      readonly do: 'pull';
      readonly subscription: Subscription;
      readonly timeoutMs: number;
      readonly messages: number;
    };

export interface Pulled {
  readonly messages: number;
  /** some of them tell what is so since before */
  readonly initialized: number;
  readonly tookMs: number;
  /** TerminationTime and CurrentTime of the answer, ms; undefined where they make no sense */
  readonly ends: number | undefined;
  readonly now: number | undefined;
  /** messages over what the camera may say; ms to wait so that it is within again */
  readonly pauseMs: number;
}

export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'created'; readonly reference: Reference & { readonly url: string }; readonly lifeMs?: number }
  | ({ readonly kind: 'pulled' } & Pulled)
  | { readonly kind: 'fault'; readonly is: FaultClass; readonly limits?: PullLimits }
  /** closed before a header */
  | { readonly kind: 'reset'; readonly tookMs: number }
  | { readonly kind: 'error' };

/** lost: nothing is known of what it sees. starting: nothing was tried to the end yet. */
export type Standing = 'starting' | 'up' | 'lost' | 'auth_failed' | 'unsupported';

type Stage = 'time' | 'capabilities' | 'check' | 'subscribe' | 'sync' | 'pull' | 'auth_failed' | 'unsupported';

export class Session {
  standing: Standing = 'starting';
  /** subscriptions that may still hold a slot, the newest last */
  left: readonly Subscription[];
  creates = 0;
  private readonly random: () => number;
  private readonly checkEvery: number;
  private stage: Stage = 'time';
  private waitUntil = 0;
  private backoff = 0;
  private hasRetried = false;
  private current: Subscription | undefined;
  private isAbsolute = false;
  private lastCreate = Number.NEGATIVE_INFINITY;
  private lastCheck = Number.NEGATIVE_INFINITY;
  private checkResets = 0;
  private lastTime = 0;
  private lastMedia = Number.NEGATIVE_INFINITY;
  private lastSync = 0;
  private createdAt = 0;
  private lease = new Lease(0, undefined);
  private resets = 0;
  private instants = 0;
  private hasPulled = false;
  private retryAt = 0;
  /** the password is not shown before */
  private authUntil = 0;
  private timeoutMs = PULL;
  private messages = MESSAGES;
  /** it dumps what is so when asked */
  private dumps = false;
  private awaitsDump = 0;
  private isDumpNews = false;

  /**
   * @param left what an earlier life could not end
   * @param refusals earlier lives in a row that ended with a wrong password: then it is shown once, and after MOST_REFUSALS not before AUTH_WAIT
   */
  constructor(random: () => number, checkEvery: number, left: readonly Subscription[], refusals = 0, now = 0) {
    this.random = random;
    this.checkEvery = checkEvery;
    this.left = left;
    this.hasRetried = refusals > 0;
    if (refusals >= MOST_REFUSALS) this.authUntil = now + AUTH_WAIT;
  }

  next(now: number): Step {
    this.left = this.left.filter((s) => s.until > now);
    if (now < this.waitUntil) return { do: 'wait', ms: this.waitUntil - now };
    switch (this.stage) {
      case 'check':
        if (now < this.authUntil) return this.authWait(now);
        return { do: 'check' };
      case 'time':
      case 'capabilities':
        return { do: this.stage };
      case 'auth_failed':
        return this.idle(now, 'time');
      case 'unsupported':
        return this.idle(now, 'check');
      case 'subscribe':
        return this.subscribe(now);
      case 'sync':
      case 'pull':
        return this.current === undefined ? this.subscribe(now) : this.between(now, this.current);
    }
  }

  /** What to know before stopping: the subscription to end. */
  get subscription(): Subscription | undefined {
    return this.current;
  }

  /** The owner changed the password: it is tried at once. */
  retry(): void {
    if (this.stage !== 'auth_failed') return;
    this.authUntil = 0;
    this.retryAt = 0;
  }

  take(step: Step, outcome: Outcome, now: number): void {
    if (outcome.kind === 'fault' && outcome.is === 'auth' && !FORGIVEN.includes(step.do)) {
      if (step.do === 'create') this.lastCreate = now;
      return this.refused(now);
    }
    switch (step.do) {
      case 'wait':
        return;
      case 'time':
        return this.took(outcome, now, () => {
          this.lastTime = now;
          if (this.stage === 'auth_failed') this.lastCheck = now;
          if (this.stage === 'time') this.stage = 'check';
        });
      case 'capabilities':
        return this.took(outcome, now, () => {
          this.stage = 'subscribe';
        });
      case 'check':
        return this.checked(outcome, now);
      case 'media':
        this.lastMedia = outcome.kind === 'done' ? now : now - MEDIA_EVERY + MEDIA_AGAIN;
        return;
      case 'unsubscribe':
        return this.unsubscribed(step.subscription, outcome);
      case 'create':
        return this.created(outcome, now);
      case 'sync':
        return this.synced(outcome, now);
      case 'renew':
        return this.renewed(outcome, now);
      case 'pull':
        return this.pulled(outcome, now);
    }
  }

  /** What is asked of a camera that cannot tell events for now, so that it is known to be there. */
  private idle(now: number, what: 'time' | 'check'): Step {
    if (now >= this.retryAt) {
      this.stage = 'time';
      return { do: 'time' };
    }
    const due = this.lastCheck + this.checkEvery;
    return now < due ? { do: 'wait', ms: Math.min(due, this.retryAt) - now } : { do: what };
  }

  private subscribe(now: number): Step {
    const untried = this.left.find((s) => !s.isTried);
    if (untried !== undefined) return { do: 'unsubscribe', subscription: untried };
    const due = this.lastCreate + CREATE_PACE;
    return now < due ? { do: 'wait', ms: due - now } : { do: 'create', isAbsolute: this.isAbsolute };
  }

  private between(now: number, subscription: Subscription): Step {
    if (this.stage === 'sync') return { do: 'sync', subscription };
    if (now - this.createdAt >= RECREATE_EVERY || now >= this.lease.expires) return this.again(now);
    if (now - this.lastCheck >= this.checkEvery) return { do: 'check' };
    if (now - this.lastMedia >= MEDIA_EVERY) return { do: 'media' };
    if (now - this.lastTime >= TIME_EVERY) return { do: 'time' };
    if (now - this.lastSync >= SYNC_EVERY) return { do: 'sync', subscription };
    if (this.lease.isRenewDue(now)) return { do: 'renew', subscription };
    // The first one only shows that it works.
    const most = this.hasPulled ? this.timeoutMs : LEAST_PULL;
    const timeoutMs = Math.max(LEAST_PULL, Math.min(most, this.lease.lifeMs / 2));
    return { do: 'pull', subscription, timeoutMs, messages: this.messages };
  }

  /** A new subscription in place of this one, which is ended first. */
  private again(now: number): Step {
    this.current = undefined;
    this.stage = 'subscribe';
    return this.subscribe(now);
  }

  private took(outcome: Outcome, now: number, then: () => void): void {
    if (outcome.kind === 'error' || outcome.kind === 'reset') this.lose(now);
    else then();
  }

  private checked(outcome: Outcome, now: number): void {
    // One that was cut off says little; the next pull will say more.
    if (outcome.kind === 'reset' && this.stage === 'pull' && this.checkResets++ === 0) {
      this.lastCheck = now;
      return;
    }
    this.took(outcome, now, () => {
      this.checkResets = 0;
      this.lastCheck = now;
      if (this.stage === 'check') this.stage = 'capabilities';
    });
  }

  private unsubscribed(subscription: Subscription, outcome: Outcome): void {
    const isOver = outcome.kind !== 'error' && outcome.kind !== 'reset';
    this.left = isOver
      ? this.left.filter((s) => s.url !== subscription.url || s.references !== subscription.references)
      : this.left.map((s) => (s === subscription ? { ...s, isTried: true } : s));
  }

  private created(outcome: Outcome, now: number): void {
    this.lastCreate = now;
    this.creates++;
    if (outcome.kind === 'created') {
      const { reference, lifeMs } = outcome;
      this.lease = new Lease(now, lifeMs);
      this.current = { ...reference, until: this.lease.until, isTried: false };
      this.left = [...this.left.slice(1 - MOST_LEFT), this.current];
      this.createdAt = now;
      this.hasPulled = false;
      this.resets = 0;
      this.dumps = false;
      this.isDumpNews = true;
      this.stage = 'sync';
      return;
    }
    if (outcome.kind !== 'fault') return this.lose(now);
    if (outcome.is === 'unsupported' || outcome.is === 'missing') return this.unsupported(now);
    this.isAbsolute = !this.isAbsolute;
    if (!this.isAbsolute) this.lose(now);
  }

  private synced(outcome: Outcome, now: number): void {
    if (outcome.kind === 'error') return this.lose(now);
    this.lastSync = now;
    this.awaitsDump = DUMP_WITHIN;
    this.stage = 'pull';
  }

  private renewed(outcome: Outcome, now: number): void {
    if (outcome.kind === 'error') return this.lose(now);
    this.lease.renewed(now, outcome.kind);
    this.lives();
  }

  private pulled(outcome: Outcome, now: number): void {
    switch (outcome.kind) {
      case 'pulled':
        return this.good(outcome, now);
      case 'reset':
        return this.cutOff(outcome.tookMs, now);
      case 'fault':
        return this.pullRefused(outcome, now);
      default:
        return this.lose(now);
    }
  }

  private good({ messages, initialized, tookMs, ends, now: cameraNow, pauseMs }: Pulled, now: number): void {
    this.standing = 'up';
    this.backoff = 0;
    this.resets = 0;
    this.hasRetried = false;
    this.hasPulled = true;
    this.lease.pulled(now, ends, cameraNow);
    this.lives();
    this.judgeDump(initialized);
    if (this.current === undefined) return;
    const isInstant = messages === 0 && tookMs < INSTANT;
    this.instants = isInstant ? this.instants + 1 : 0;
    this.waitUntil = now + Math.max(pauseMs, isInstant ? this.pause() : 0);
  }

  private pause(): number {
    return Math.min(MOST_PAUSE, LEAST_PAUSE * 2 ** Math.min(10, this.instants - 1));
  }

  /** What is written down of it lives as long. */
  private lives(): void {
    const before = this.current;
    if (before === undefined) return;
    this.current = { ...before, until: this.lease.until };
    this.left = this.left.map((s) => (s === before ? (this.current ?? s) : s));
  }

  private judgeDump(initialized: number): void {
    if (initialized > 0) {
      if (this.isDumpNews) this.dumps = true;
      this.isDumpNews = false;
      this.awaitsDump = 0;
    }
    if (this.awaitsDump === 0 || --this.awaitsDump > 0) return;
    const isSilent = this.dumps && !this.isDumpNews;
    this.isDumpNews = false;
    if (!isSilent) return;
    this.current = undefined;
    this.stage = 'subscribe';
  }

  /** Some close a pull before its time is over: it is made shorter, so that they answer. */
  private cutOff(tookMs: number, now: number): void {
    if (tookMs > LEAST_PULL) this.timeoutMs = Math.max(LEAST_PULL, Math.min(this.timeoutMs, tookMs * 0.8));
    if (++this.resets > RESETS_IN_A_ROW) return this.replace(now);
    this.instants = tookMs < INSTANT ? this.instants + 1 : 0;
    if (this.instants > 0) this.waitUntil = now + this.pause();
  }

  private pullRefused({ is, limits }: Extract<Outcome, { kind: 'fault' }>, now: number): void {
    if (is === 'unsupported' && !this.hasPulled) return this.unsupported(now);
    if (is === 'busy') {
      this.waitUntil = now + this.timeoutMs;
      return;
    }
    if (is === 'limits' && this.lower(limits)) return;
    if (is === 'unknown' || is === 'missing') this.left = this.left.filter((s) => s !== this.current);
    this.replace(now);
  }

  /** False when they are as low as can be. */
  private lower(limits: PullLimits | undefined): boolean {
    const timeoutMs = Math.max(LEAST_PULL, Math.min(limits?.timeoutMs ?? this.timeoutMs / 2, this.timeoutMs));
    const messages = Math.max(1, Math.min(limits?.messages ?? Math.floor(this.messages / 2), this.messages));
    const isLower = timeoutMs < this.timeoutMs || messages < this.messages;
    this.timeoutMs = timeoutMs;
    this.messages = messages;
    return isLower;
  }

  /** One that never gave anything is not replaced at once: the next would not either. */
  private replace(now: number): void {
    if (!this.hasPulled) return this.lose(now);
    this.current = undefined;
    this.stage = 'subscribe';
  }

  private refused(now: number): void {
    this.current = undefined;
    if (!this.hasRetried) {
      this.hasRetried = true;
      this.stage = 'time';
      return;
    }
    this.hasRetried = false;
    this.authUntil = now + AUTH_WAIT;
    this.lastCheck = now;
    this.stage = 'auth_failed';
    this.standing = 'auth_failed';
    this.retryAt = this.authUntil;
  }

  /** Also where the camera was lost meanwhile: the password is not shown to it again before its time. */
  private authWait(now: number): Step {
    this.stage = 'auth_failed';
    this.standing = 'auth_failed';
    this.retryAt = this.authUntil;
    return this.idle(now, 'time');
  }

  private unsupported(now: number): void {
    this.current = undefined;
    this.standing = 'unsupported';
    this.stage = 'unsupported';
    this.retryAt = now + UNSUPPORTED_WAIT;
  }

  private lose(now: number): void {
    this.current = undefined;
    this.lastMedia = Number.NEGATIVE_INFINITY;
    this.standing = 'lost';
    this.stage = 'time';
    const grown = Math.min(LAST_BACKOFF, FIRST_BACKOFF * 2 ** Math.min(16, this.backoff++));
    this.waitUntil = now + grown * (0.5 + this.random() / 2);
  }
}

/** Nobody needs them: a camera that refuses one of these is none the worse. */
const FORGIVEN: readonly Step['do'][] = ['sync', 'unsubscribe', 'renew', 'media', 'time', 'capabilities'];
