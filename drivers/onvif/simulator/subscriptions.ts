/**
 * Pull points: each with a queue, a life on the camera's own monotonic clock, and one pull at a time. Core specification 9.1.
 *
 * Bounds: as many as the camera has slots, QUEUE messages each (the oldest goes, as in a real camera).
 */
import type { Clock, Timer } from '../../../src/base/ports.ts';

const QUEUE = 500;

export interface Notice {
  /** with its prefixes, as the camera writes it */
  readonly topic: string;
  readonly operation: 'Initialized' | 'Changed' | 'Deleted' | undefined;
  readonly source: Readonly<Record<string, string>>;
  readonly key: Readonly<Record<string, string>>;
  /** undefined: the message stands empty */
  readonly data: Readonly<Record<string, string>> | undefined;
  /** ElementItems of Data, as XML by name */
  readonly elements: Readonly<Record<string, string>>;
  /** the camera's time, UTC ms */
  readonly at: number;
}

export interface Subscription {
  readonly id: number;
  /** path and query it is called at */
  readonly path: string;
  readonly port: number;
  readonly lifeMs: number;
  /** monotonic ms */
  readonly endsAt: number;
}

type Live = { -readonly [K in keyof Subscription]: Subscription[K] } & {
  readonly queue: Notice[];
  readonly lifeTimer: { timer?: Timer };
  waiter: ((why: 'message' | 'gone') => void) | undefined;
  told: number;
};

export type Pulled =
  | { readonly messages: readonly Notice[] }
  /** gone while it was waited for, or never there */
  | { readonly gone: true }
  | { readonly busy: true };

export interface PullAsk {
  readonly timeoutMs: number;
  readonly limit: number;
  readonly extend: boolean;
  readonly instantEmpty: boolean;
  readonly silentAfter: number;
  readonly signal: AbortSignal;
}

export interface Subscriptions {
  /** undefined when no slot is free */
  open(at: (id: number) => { path: string; port: number }, lifeMs: number): Subscription | undefined;
  find(is: (subscription: Subscription) => boolean): Subscription | undefined;
  /** ends the oldest one, so that a slot is free */
  kick(): void;
  renew(id: number, lifeMs: number): void;
  close(id: number): void;
  closeAll(): void;
  tell(notice: Notice, to?: number): void;
  pull(id: number, ask: PullAsk): Promise<Pulled>;
  live(): readonly Subscription[];
}

export function createSubscriptions(clock: Clock, slots: () => number): Subscriptions {
  const live = new Map<number, Live>();
  let next = 1;
  const close = (id: number): void => {
    const gone = live.get(id);
    if (gone === undefined) return;
    live.delete(id);
    gone.lifeTimer.timer?.cancel();
    gone.waiter?.('gone');
  };
  const renew = (id: number, lifeMs: number): void => {
    const one = live.get(id);
    if (one === undefined) return;
    one.lifeTimer.timer?.cancel();
    one.endsAt = clock.mono() + lifeMs;
    one.lifeTimer.timer = clock.timer('subscription ends', lifeMs, () => close(id));
  };
  return {
    open: (at, lifeMs) => {
      if (live.size >= slots()) return undefined;
      const id = next++;
      const one: Live = {
        id,
        ...at(id),
        lifeMs,
        endsAt: clock.mono() + lifeMs,
        queue: [],
        lifeTimer: {},
        waiter: undefined,
        told: 0,
      };
      live.set(id, one);
      renew(id, lifeMs);
      return one;
    },
    find: (is) => [...live.values()].find(is),
    kick: () => {
      const [oldest] = live.keys();
      if (oldest !== undefined) close(oldest);
    },
    renew,
    close,
    closeAll: () => {
      for (const id of [...live.keys()]) close(id);
    },
    tell: (notice, to) => {
      for (const one of live.values()) {
        if (to !== undefined && one.id !== to) continue;
        one.queue.push(notice);
        if (one.queue.length > QUEUE) one.queue.shift();
        one.waiter?.('message');
      }
    },
    pull: async (id, ask) => {
      const one = live.get(id);
      if (one === undefined) return { gone: true };
      if (one.waiter !== undefined) return { busy: true };
      if (one.told >= ask.silentAfter) one.queue.length = 0;
      if (one.queue.length === 0 && !ask.instantEmpty) await waitFor(one, clock, ask);
      if (live.get(id) !== one) return { gone: true };
      if (ask.extend) renew(id, one.lifeMs);
      // What a client hung up on is still there for its next pull.
      if (ask.signal.aborted || one.told >= ask.silentAfter) return { messages: [] };
      const messages = one.queue.splice(0, Math.max(1, ask.limit));
      one.told += messages.length;
      return { messages };
    },
    live: () => [...live.values()],
  };
}

async function waitFor(one: Live, clock: Clock, { timeoutMs, signal, silentAfter }: PullAsk): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      one.waiter = undefined;
      resolve();
    };
    const timer = clock.timer('pull ends', timeoutMs, done);
    signal.addEventListener('abort', done, { once: true });
    one.waiter = (why) => {
      if (why === 'gone' || one.told < silentAfter) done();
    };
    if (signal.aborted) done();
  });
}
