/** A broker in memory, with the vices of real ones: it drops connections, holds PUBACKs back, refuses packets, and is away. */
import { type Beside, type BrokerConnection, Refused } from '../../src/io/mqtt.ts';

export interface Published {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly correlation?: Uint8Array;
}

export class FakeBroker {
  /** everything it took, in order */
  readonly taken: Published[] = [];
  readonly retained = new Map<string, Uint8Array>();
  /** topics that were ever subscribed to */
  readonly subscribed = new Set<string>();
  isAway = false;
  /** reason code for a packet, or undefined = taken */
  refuses: (topic: string, payload: Uint8Array) => number | undefined = () => undefined;
  connects = 0;
  /** largest packet it takes, as it says at connect */
  packetBytes = Number.MAX_SAFE_INTEGER;
  private held: (() => void)[] | undefined;
  private current:
    | { deliver: (topic: string, payload: Uint8Array, beside: Beside) => void; drop: (why: string) => void }
    | undefined;

  connect(): Promise<BrokerConnection> {
    if (this.isAway) return Promise.reject(new Error('connect ECONNREFUSED'));
    this.connects++;
    this.current?.drop('taken over');
    let onMessage: (topic: string, payload: Uint8Array, beside: Beside) => void = () => {};
    let onClose: (why: string) => void = () => {};
    const waiting = new Set<(error: Error) => void>();
    let open = true;
    const mine = {
      deliver: (topic: string, payload: Uint8Array, beside: Beside) => onMessage(topic, payload, beside),
      drop: (why: string) => {
        if (!open) return;
        open = false;
        if (this.current === mine) this.current = undefined;
        for (const reject of waiting) reject(new Error(why));
        onClose(why);
      },
    };
    this.current = mine;
    return Promise.resolve({
      limits: { receiveMaximum: 65_535, packetBytes: this.packetBytes },
      publish: (topic, body, options = {}) =>
        new Promise<void>((resolve, reject) => {
          if (!open) return reject(new Error('closed'));
          const payload = typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body);
          const reason = this.refuses(topic, payload);
          if (reason !== undefined) return reject(new Refused(reason));
          const { retain = false, correlation } = options;
          this.taken.push({ topic, payload, retain, ...(correlation === undefined ? {} : { correlation }) });
          if (options.retain === true) this.retained.set(topic, payload);
          waiting.add(reject);
          const puback = (): void => {
            waiting.delete(reject);
            if (open) resolve();
          };
          if (this.held === undefined) queueMicrotask(puback);
          else this.held.push(puback);
        }),
      subscribe: (topics) => {
        for (const topic of topics) {
          this.subscribed.add(topic);
          const payload = this.retained.get(topic);
          if (payload !== undefined) queueMicrotask(() => mine.deliver(topic, payload, { retain: true }));
        }
        return Promise.resolve();
      },
      onMessage: (listener) => {
        onMessage = listener;
      },
      onClose: (listener) => {
        onClose = listener;
      },
      close: () => {
        mine.drop('closed by us');
        return Promise.resolve();
      },
    });
  }

  drop(): void {
    this.current?.drop('connection reset');
  }

  deliver(topic: string, payload: Uint8Array | string, beside: Partial<Beside> = {}): void {
    const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
    this.current?.deliver(topic, bytes, { retain: false, ...beside });
  }

  /** PUBACKs wait from now on: a slow link */
  hold(): void {
    this.held ??= [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const puback of held) puback();
  }
}
