/**
 * A feed's connection over HTTP POST instead of a broker (CloudEvents HTTP binding, structured and batched content mode).
 *
 * - One exchange at a time, in order, alarms before what else waits; up to `batch` members of one stream in a POST where the platform agreed to that.
 *   2xx is the acknowledgement.
 * - What is retained on a broker is a CloudEvent of its own, outside the streams, without `sequence`: `weinao.feed.hello.v1`, `weinao.feed.state.v1`,
 *   `weinao.feed.proof.v1`, `weinao.feed.device.v1` (subject = device; `removed` when the feed no longer has it). A platform that has no use for
 *   these may refuse them. There is no way down: no commands, no replay, no `ack: app`, no will (silence of `feed.state` for 10 minutes is the sign).
 * - REFUSES says no to one member. Every other answer that is not 2xx is about the door, not about what is carried through it (a token that expired, a
 *   wrong path, a redirect, an overloaded server): nothing is given up for it, the feed backs off, as long as Retry-After asks.
 * - A batch that is refused is sent once more, one by one, so that only the refused one bears it.
 */
import type { Clock } from '../base/ports.ts';
import { isoTime } from '../base/time.ts';
import type { Answer, Poster } from '../io/http.ts';
import { type BrokerConnection, type PublishOptions, Refused } from '../io/mqtt.ts';
import { Later } from './pause.ts';

/** Bad Request, Conflict, Content Too Large, Unprocessable Content */
const REFUSES: readonly number[] = [400, 409, 413, 422];
const POST_MS = 30_000;
const AT_ONCE = 16;
const BATCH_BYTES = 512 * 1024;

export interface PostOptions {
  readonly source: string;
  readonly poster: Poster;
  readonly clock: Clock;
  /** members in one POST at most */
  readonly batch: number;
}

interface Waiting {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly contentType: string;
  readonly isMember: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export function connectPost(options: PostOptions): BrokerConnection {
  const { poster, batch } = options;
  const queue = new PostQueue(options);
  return {
    remembers: true,
    limits: { receiveMaximum: Math.max(AT_ONCE, 2 * batch), packetBytes: Number.MAX_SAFE_INTEGER },
    publish: (topic, payload, given) => queue.publish(topic, payload, given),
    subscribe: () => Promise.resolve(),
    onMessage: () => {},
    onClose: () => {},
    close: () => {
      poster.close();
      queue.end(new Error('closed'));
      return Promise.resolve();
    },
  };
}

class PostQueue {
  private readonly options: PostOptions;
  private waiting: Waiting[] = [];
  private over: Error | undefined;
  private posting = false;
  private told = 0;

  constructor(options: PostOptions) {
    this.options = options;
  }

  publish(topic: string, payload: Uint8Array | string, { contentType }: PublishOptions = {}): Promise<void> {
    const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
    return new Promise((resolve, reject) => {
      if (this.over !== undefined) return reject(this.over);
      const isMember = contentType !== undefined;
      const body = isMember ? { payload: bytes, contentType } : this.wrap(topic, bytes);
      this.waiting.push({ topic, isMember, ...body, resolve, reject });
      void this.work();
    });
  }

  end(error: Error): void {
    this.over ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(this.over);
  }

  private async work(): Promise<void> {
    if (this.posting) return;
    this.posting = true;
    while (this.over === undefined && this.waiting.length > 0) await this.post(this.take());
    this.posting = false;
  }

  /** The next that go together: an alarm and those behind it, else whatever came first. */
  private take(): readonly Waiting[] {
    const at = Math.max(
      0,
      this.waiting.findIndex((w) => w.topic.endsWith('/up/a')),
    );
    const first = this.waiting[at];
    const most = first?.isMember === true ? this.options.batch : 1;
    let bytes = 0;
    const taken: Waiting[] = [];
    for (const w of this.waiting.slice(at)) {
      if (w.topic !== first?.topic || taken.length >= most) break;
      bytes += w.payload.length;
      if (taken.length > 0 && bytes > BATCH_BYTES) break;
      taken.push(w);
    }
    this.waiting = this.waiting.filter((w) => !taken.includes(w));
    return taken;
  }

  private async post(some: readonly Waiting[]): Promise<void> {
    const status = await this.exchange(some);
    if (status === undefined) return;
    if (!REFUSES.includes(status)) for (const { resolve } of some) resolve();
    else if (some.length > 1) for (const one of some) await this.post([one]);
    else this.refuse(some[0], status);
  }

  /** The status of a POST that ended with 2xx or a refusal; undefined when everything is over. */
  private async exchange(some: readonly Waiting[]): Promise<number | undefined> {
    const { poster } = this.options;
    try {
      if (this.over !== undefined) throw this.over;
      const answer = await poster.post(bodyOf(some), typeOf(some), POST_MS);
      if (isTaken(answer) || REFUSES.includes(answer.status)) return answer.status;
      throw new Later(`HTTP ${answer.status}`, answer.retryAfterMs ?? 0);
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      for (const { reject } of some) reject(cause);
      this.end(cause);
      return undefined;
    }
  }

  private refuse(one: Waiting | undefined, status: number): void {
    if (one?.isMember === true) one.reject(new Refused(status, `HTTP ${status}`));
    else one?.resolve();
  }

  private wrap(topic: string, payload: Uint8Array): { payload: Uint8Array; contentType: string } {
    const { source, clock } = this.options;
    const { wall } = clock.now();
    const [what = '', name] = topic.slice(topic.indexOf('/up/') + '/up/'.length).split('/');
    const kind = what === 'dev' ? 'device' : what;
    const data =
      payload.length === 0
        ? { device: name, removed: true }
        : (JSON.parse(new TextDecoder().decode(payload)) as unknown);
    const event = {
      specversion: '1.0',
      id: `${kind}.${wall}.${++this.told}`,
      source,
      type: `weinao.feed.${kind}.v1`,
      ...(name === undefined ? {} : { subject: name }),
      time: isoTime(wall),
      datacontenttype: 'application/json',
      data,
    };
    return { payload: new TextEncoder().encode(JSON.stringify(event)), contentType: STRUCTURED };
  }
}

const STRUCTURED = 'application/cloudevents+json; charset=utf-8';
const BATCHED = 'application/cloudevents-batch+json; charset=utf-8';

const isTaken = ({ status }: Answer): boolean => status >= 200 && status <= 299;

function typeOf(some: readonly Waiting[]): string {
  return some.length > 1 ? BATCHED : (some[0]?.contentType ?? STRUCTURED);
}

function bodyOf(some: readonly Waiting[]): Uint8Array {
  if (some.length === 1 && some[0] !== undefined) return some[0].payload;
  return Buffer.concat(
    some.flatMap(({ payload }, i) => [Buffer.from(i === 0 ? '[' : ','), payload]).concat(Buffer.from(']')),
  );
}
