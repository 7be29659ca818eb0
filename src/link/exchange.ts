/**
 * One request and its reply on an open port. Bytes that come while nothing is awaited are stray: counted, shown in the capture, dropped.
 *
 * A reply ends by its framer's verdict, by the deadline, by silence inside it, or by MAX_FRAME bytes without a verdict. Everything received
 * belongs to the request that was awaiting it and is forgotten with it: no byte lives on into a later request.
 */
import { WeinaoError } from '../base/errors/index.ts';
import type { Framer } from '../base/frame.ts';
import type { LineChannel } from '../base/model.ts';
import type { BytePort, Clock, Timer } from '../base/ports.ts';
import { carryMs, longestReplyMs, silenceMs } from './timing.ts';

export const MAX_FRAME = 1024;

export interface ExchangeHooks {
  readonly rx: (bytes: Uint8Array, note?: string) => void;
  readonly tx: (bytes: Uint8Array) => void;
}

interface Awaiting {
  readonly framer: Framer;
  readonly resolve: (frame: Uint8Array) => void;
  readonly reject: (error: WeinaoError) => void;
  readonly sentAt: number;
  readonly hardEnd: number;
  deadline: Timer | undefined;
  silence: Timer | undefined;
}

export class Exchange {
  /** monotonic time of the last byte in either direction */
  lastByte = Number.NEGATIVE_INFINITY;
  strayBytes = 0;
  /** slowest reply seen, request sent to frame complete */
  slowest = 0;
  /** since when bytes may still be on their way: drain before the next request */
  dirtySince: number | undefined;
  private readonly channel: LineChannel;
  private readonly clock: Clock;
  private readonly hooks: ExchangeHooks;
  private buffer: Uint8Array = new Uint8Array(0);
  private awaiting: Awaiting | undefined;

  constructor(channel: LineChannel, clock: Clock, hooks: ExchangeHooks) {
    this.channel = channel;
    this.clock = clock;
    this.hooks = hooks;
  }

  async request(
    port: BytePort,
    bytes: Uint8Array,
    framer: Framer,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    this.buffer = new Uint8Array(0);
    const reply = this.expect(framer, bytes.length, deadlineMs);
    const onAbort = (): void => this.fail(new WeinaoError('link.cancelled', { channel: this.channel.id }));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.put(port, bytes), reply]);
      return await reply;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async put(port: BytePort, bytes: Uint8Array): Promise<void> {
    this.hooks.tx(bytes);
    this.lastByte = this.clock.mono();
    try {
      await port.write(bytes);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      const closed = new WeinaoError('link.closed', { channel: this.channel.id, port: portName(this.channel), detail });
      this.fail(closed);
      throw closed;
    }
    this.lastByte = this.clock.mono();
  }

  receive(bytes: Uint8Array): void {
    this.lastByte = this.clock.mono();
    const awaiting = this.awaiting;
    if (awaiting === undefined) {
      this.stray(bytes, 'late');
      return;
    }
    this.hooks.rx(bytes);
    this.buffer = joined(this.buffer, bytes);
    this.judge(false);
    if (this.awaiting === awaiting && this.buffer.length > 0) this.watchSilence(awaiting);
  }

  /** the port went away */
  closed(error: WeinaoError): void {
    this.fail(error);
    this.dirtySince = undefined;
    this.buffer = new Uint8Array(0);
  }

  private expect(framer: Framer, sent: number, deadlineMs: number): Promise<Uint8Array> {
    const now = this.clock.mono();
    const first = carryMs(this.channel, sent) + deadlineMs;
    return new Promise((resolve, reject) => {
      const awaiting: Awaiting = {
        framer,
        resolve,
        reject,
        sentAt: now,
        hardEnd: now + first + longestReplyMs(this.channel),
        deadline: undefined,
        silence: undefined,
      };
      this.awaiting = awaiting;
      awaiting.deadline = this.clock.timer(`reply ${this.channel.id}`, first, () => this.expire(awaiting, first));
    });
  }

  /** A reply that has begun may end: until the hard end, and not beyond. */
  private expire(awaiting: Awaiting, waited: number): void {
    if (this.awaiting !== awaiting) return;
    const left = awaiting.hardEnd - this.clock.mono();
    if (this.buffer.length > 0 && left > 0) {
      awaiting.deadline = this.clock.timer(`reply ${this.channel.id}`, left, () => this.expire(awaiting, waited));
      return;
    }
    if (this.buffer.length > 0) return this.bad(`incomplete after ${this.buffer.length} bytes`);
    this.fail(new WeinaoError('link.timeout', { channel: this.channel.id, ms: Math.round(waited) }));
  }

  private watchSilence(awaiting: Awaiting): void {
    awaiting.silence?.cancel();
    awaiting.silence = this.clock.timer(`silence ${this.channel.id}`, silenceMs(this.channel), () => {
      if (this.awaiting === awaiting) this.judge(true);
    });
  }

  private judge(silent: boolean): void {
    for (;;) {
      const awaiting = this.awaiting;
      if (awaiting === undefined || this.buffer.length === 0) return;
      const verdict = awaiting.framer(this.buffer, silent);
      switch (verdict.kind) {
        case 'need':
          if (this.buffer.length > MAX_FRAME) this.bad(`no frame in ${this.buffer.length} bytes`);
          return;
        case 'bad':
          return this.bad(verdict.detail);
        case 'foreign':
          this.strayBytes += verdict.end;
          this.hooks.rx(this.buffer.subarray(verdict.start, verdict.end), verdict.note);
          this.buffer = this.buffer.slice(verdict.end);
          break;
        case 'frame':
          return this.take(verdict.start, verdict.end);
      }
    }
  }

  private take(start: number, end: number): void {
    const frame = this.buffer.slice(start, end);
    const over = this.buffer.length - end;
    this.strayBytes += start + over;
    // Bytes glued behind the reply may be the head of something still coming; the next request waits until it is over.
    if (over > 0) this.dirtySince = this.clock.mono();
    const awaiting = this.end();
    if (awaiting === undefined) return;
    this.slowest = Math.max(this.slowest, this.clock.mono() - awaiting.sentAt);
    awaiting.resolve(frame);
  }

  private bad(detail: string): void {
    this.strayBytes += this.buffer.length;
    this.fail(new WeinaoError('link.bad_frame', { channel: this.channel.id, detail }));
  }

  private fail(error: WeinaoError): void {
    const awaiting = this.end();
    if (awaiting === undefined) return;
    this.dirtySince = this.clock.mono();
    awaiting.reject(error);
  }

  private end(): Awaiting | undefined {
    const awaiting = this.awaiting;
    this.awaiting = undefined;
    awaiting?.deadline?.cancel();
    awaiting?.silence?.cancel();
    this.buffer = new Uint8Array(0);
    return awaiting;
  }

  private stray(bytes: Uint8Array, note: string): void {
    this.strayBytes += bytes.length;
    this.hooks.rx(bytes, note);
  }
}

export function portName(channel: LineChannel): string {
  return channel.carries === 'serial' ? channel.path : `${channel.host}:${channel.port}`;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b.slice();
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
