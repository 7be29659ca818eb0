/** A broker of the estate's devices in memory: wildcards, retained messages, acknowledgements that can be seen, and it can be away. */
import type { Received, Subscriber } from '../../src/io/subscriber.ts';

interface Put {
  readonly retain?: boolean;
  readonly again?: boolean;
  readonly qos?: 0 | 1;
}

export class FakeEstateBroker {
  /** what the gateway published */
  readonly taken: { readonly topic: string; readonly payload: string }[] = [];
  /** topics as they were subscribed and given up, in order */
  readonly asked: string[] = [];
  /** topics it refuses to give */
  readonly forbidden = new Set<string>();
  readonly retained = new Map<string, Uint8Array>();
  isAway = false;
  acknowledged = 0;
  connects = 0;
  private readonly subscribed = new Set<string>();
  private take: ((message: Received) => Promise<void>) | undefined;
  private end: (why: string) => void = () => {};

  connect(take: (message: Received) => Promise<void>): Promise<Subscriber> {
    if (this.isAway) return Promise.reject(new Error('connect ECONNREFUSED'));
    this.connects++;
    this.take = take;
    return Promise.resolve({
      subscribe: (topics) => {
        for (const topic of topics) {
          this.asked.push(`+${topic}`);
          if (this.forbidden.has(topic)) continue;
          this.subscribed.add(topic);
          for (const [name, payload] of this.retained)
            if (fits(topic, name)) this.hand(name, payload, { retain: true });
        }
        return Promise.resolve(topics.filter((topic) => this.forbidden.has(topic)));
      },
      unsubscribe: (topics) => {
        for (const topic of topics) {
          this.asked.push(`-${topic}`);
          this.subscribed.delete(topic);
        }
        return Promise.resolve();
      },
      publish: (topic, payload) => {
        this.taken.push({ topic, payload: typeof payload === 'string' ? payload : new TextDecoder().decode(payload) });
        return Promise.resolve();
      },
      onClose: (listener) => {
        this.end = listener;
      },
      close: () => {
        this.take = undefined;
        return Promise.resolve();
      },
    });
  }

  /** A device says something; false = nobody wanted to hear it. */
  say(topic: string, payload: unknown, put: Put = {}): boolean {
    const bytes =
      payload instanceof Uint8Array
        ? payload
        : new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload));
    if (put.retain === true) this.retained.set(topic, bytes);
    if (![...this.subscribed].some((filter) => fits(filter, topic))) return false;
    // The flag of a message is set for who subscribes later only.
    this.hand(topic, bytes, { ...put, retain: false });
    return true;
  }

  drop(): void {
    this.take = undefined;
    this.subscribed.clear();
    this.end('connection reset');
  }

  private hand(topic: string, payload: Uint8Array, { retain = false, again = false, qos = 1 }: Put): void {
    void this.take?.({ topic, payload, retained: retain, again, wantsAck: qos > 0 }).then(() => {
      this.acknowledged++;
    });
  }
}

function fits(filter: string, topic: string): boolean {
  const want = filter.split('/');
  const have = topic.split('/');
  if (want.at(-1) === '#') return want.slice(0, -1).every((level, i) => level === '+' || level === have[i]);
  return want.length === have.length && want.every((level, i) => level === '+' || level === have[i]);
}
