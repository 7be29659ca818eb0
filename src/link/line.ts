/**
 * A line: one physical port and everybody who wants to speak on it.
 *
 * - One turn at a time, in priority order (write > alarm > poll > scan); inside a priority the turn of the oldest business goes first, so that a device
 *   that needs three turns for a poll is through before one that needs one begins its next. A turn may hold several requests; nobody speaks between.
 * - Before each request the line has been silent for the inter-frame gap.
 * - Each reply has a hard deadline. After a timeout, a bad frame or a cancelled wait the line is dirty: whatever still arrives may be the
 *   answer to what was given up. RTU replies carry no register address, so nobody could tell a late reply from the next one (node-modbus-serial
 *   issue 573 shows where that ends). Therefore the next request of any turn waits until no byte came for QUIET_MS or for the slowest reply
 *   seen, whichever is longer. On Modbus TCP the transaction id tells them apart and a short pause is enough. A reply later than that is the
 *   driver's to tell: the Modbus driver asks a question of another shape first (drivers/modbus/driver.ts).
 * - While the port is not open a turn fails at once with link.closed; the port is re-opened with growing pauses. A socket that is open but
 *   has not said a byte for DEAD_SOCKET_MS in spite of requests is closed and opened again (a rebooted DTU leaves such half-open ones).
 * - Lines of different settings on one port take turns with it (lease.ts): the port is opened with a line's settings when it has work, and left to the next
 *   that wants it when the line's work is done, or after HOLD_MS.
 * - Bounds: MAX_WAITING turns, MAX_FRAME bytes of one reply, MAX_DRAIN_MS of draining.
 * It does not retry and does not judge a device; that is the runner's business.
 */
import { isWeinaoError, WeinaoError } from '../base/errors/index.ts';
import type { Framer, LineDoor, Turn } from '../base/frame.ts';
import type { LineStats, Priority, WireRecord } from '../base/line.ts';
import type { LineChannel } from '../base/model.ts';
import type { BytePort, Clock, Log, Random } from '../base/ports.ts';
import { Exchange, portName } from './exchange.ts';
import { PortKeeper, type PortState } from './keeper.ts';
import type { PortLease, Tenant } from './lease.ts';
import { MAX_WAITING, TurnQueue, type Waiting } from './queue.ts';
import { carryMs, gapMs } from './timing.ts';

const QUIET_MS = { serial: 200, tcp: 200, modbus_tcp: 20 } as const;
const MAX_QUIET_MS = 2000;
const MAX_DRAIN_MS = 5000;
const HOLD_MS = 1000;
const DEAD_SOCKET_MS = 30_000;
const DEAD_SOCKET_TIMEOUTS = 5;

export interface LineDeps {
  readonly channel: LineChannel;
  readonly open: () => Promise<BytePort>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** the port is shared with lines of other settings */
  readonly lease?: PortLease;
}

export interface Line extends LineDoor {
  /** @param since monotonic ms at which the business began that this turn is a part of; now, when left out */
  turn<T>(priority: Priority, signal: AbortSignal, work: (turn: Turn) => Promise<T>, since?: number): Promise<T>;
  start(): void;
  state(): PortState;
  stats(): LineStats;
  /** shows every byte on the wire until the returned function is called */
  capture(listener: (record: WireRecord) => void): () => void;
  close(): Promise<void>;
}

export function createLine(deps: LineDeps): Line {
  return new LiveLine(deps);
}

class LiveLine implements Line, Tenant {
  readonly channel: LineChannel;
  private readonly clock: Clock;
  private readonly queue = new TurnQueue();
  private readonly keeper: PortKeeper<BytePort>;
  private readonly exchange: Exchange;
  private readonly listeners = new Set<(record: WireRecord) => void>();
  private readonly count = { turns: 0, replies: 0, timeouts: 0, badFrames: 0, drains: 0, busyMs: 0, wastedMs: 0 };
  private port: BytePort | undefined;
  private running = false;
  private readonly lease: PortLease | undefined;
  private heldSince = 0;
  private closed = false;
  private heardAt = 0;
  private silentTimeouts = 0;

  constructor(deps: LineDeps) {
    this.channel = deps.channel;
    this.lease = deps.lease;
    this.clock = deps.clock;
    this.exchange = new Exchange(deps.channel, deps.clock, {
      rx: (bytes, note) => this.show('rx', bytes, note),
      tx: (bytes) => this.show('tx', bytes),
    });
    this.keeper = new PortKeeper({
      channel: deps.channel.id,
      port: portName(deps.channel),
      open: deps.open,
      clock: deps.clock,
      log: deps.log,
      random: deps.random,
      onOpen: (port) => this.opened(port),
      onClose: () => this.lost(),
    });
  }

  start(): void {
    if (this.lease === undefined) this.keeper.start();
  }

  state(): PortState {
    return this.keeper.state;
  }

  stats(): LineStats {
    return { ...this.count, strayBytes: this.exchange.strayBytes, reopens: this.keeper.reopens };
  }

  capture(listener: (record: WireRecord) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  turn<T>(
    priority: Priority,
    signal: AbortSignal,
    work: (turn: Turn) => Promise<T>,
    since = this.clock.mono(),
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal.aborted) return reject(this.cancelled());
      const onAbort = (): void => {
        if (this.queue.remove(waiting)) reject(this.cancelled());
      };
      const waiting: Waiting = {
        since,
        run: async () => {
          signal.removeEventListener('abort', onAbort);
          await this.runTurn(signal, work).then(resolve, reject);
        },
      };
      if (!this.queue.add(priority, waiting))
        return reject(new WeinaoError('link.crowded', { channel: this.channel.id, n: MAX_WAITING }));
      signal.addEventListener('abort', onAbort, { once: true });
      void this.pump();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.keeper.close();
    this.lost();
    this.lease?.leave(this);
    for (let next = this.queue.take(); next !== undefined; next = this.queue.take()) await next.run();
  }

  private async pump(): Promise<void> {
    if (this.running) return;
    this.running = true;
    for (let next = this.queue.take(); next !== undefined; next = this.queue.take()) {
      await this.hold();
      await next.run();
      if (this.lease?.isWanted === true && (this.queue.length === 0 || this.clock.mono() - this.heldSince > HOLD_MS))
        await this.leave();
    }
    this.running = false;
  }

  vacate(): void {
    if (this.running) return;
    this.running = true;
    void this.leave().then(() => {
      this.running = false;
      return this.pump();
    });
  }

  /** The port, opened with this line's settings; a turn finds out itself when that failed. */
  private async hold(): Promise<void> {
    if (this.lease === undefined || this.closed || this.lease.isHeldBy(this)) return;
    await this.lease.take(this);
    this.heldSince = this.clock.mono();
    if (this.closed) return this.lease.leave(this);
    this.keeper.start();
    await this.keeper.tried();
  }

  private async leave(): Promise<void> {
    await this.keeper.close();
    this.lost();
    this.lease?.leave(this);
  }

  private async runTurn<T>(signal: AbortSignal, work: (turn: Turn) => Promise<T>): Promise<T> {
    if (signal.aborted) throw this.cancelled();
    this.count.turns++;
    const from = this.clock.mono();
    let over = false;
    const whileMine = <R>(act: () => Promise<R>): Promise<R> => (over ? Promise.reject(this.cancelled()) : act());
    try {
      return await work({
        transact: (request, framer, options) =>
          whileMine(() => this.transact(request, framer, options?.deadlineMs ?? this.channel.timeoutMs, signal)),
        send: (bytes) => whileMine(() => this.send(bytes, signal)),
      });
    } finally {
      over = true;
      this.count.busyMs += this.clock.mono() - from;
    }
  }

  private async transact(
    request: Uint8Array,
    framer: Framer,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const from = this.clock.mono();
    try {
      const port = await this.ready(signal);
      const frame = await this.exchange.request(port, request, framer, deadlineMs, signal);
      this.count.replies++;
      return frame;
    } catch (error) {
      this.failed(error);
      this.count.wastedMs += this.clock.mono() - from;
      throw error;
    }
  }

  private async send(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const port = await this.ready(signal);
    await this.exchange.put(port, bytes);
    if (this.channel.carries === 'tcp')
      await this.clock.sleep(`send ${this.channel.id}`, carryMs(this.channel, bytes.length), signal);
  }

  /** An open port whose line is quiet and has kept the gap. */
  private async ready(signal: AbortSignal): Promise<BytePort> {
    if (signal.aborted) throw this.cancelled();
    if (this.port === undefined) throw this.notOpen();
    if (this.exchange.dirtySince !== undefined) await this.drain(this.exchange.dirtySince, signal);
    const wait = this.exchange.lastByte + gapMs(this.channel) - this.clock.mono();
    if (wait > 0) await this.clock.sleep(`gap ${this.channel.id}`, wait, signal);
    if (this.port === undefined) throw this.notOpen();
    return this.port;
  }

  private async drain(since: number, signal: AbortSignal): Promise<void> {
    this.count.drains++;
    const from = this.clock.mono();
    const slowest = this.channel.carries === 'modbus_tcp' ? 0 : Math.min(MAX_QUIET_MS, this.exchange.slowest);
    const quiet = Math.max(QUIET_MS[this.channel.carries], slowest);
    for (;;) {
      const wait = Math.max(this.exchange.lastByte, since) + quiet - this.clock.mono();
      if (wait <= 0) break;
      if (this.clock.mono() - from > MAX_DRAIN_MS)
        throw new WeinaoError('link.bad_frame', { channel: this.channel.id, detail: 'the line never falls silent' });
      await this.clock.sleep(`drain ${this.channel.id}`, wait, signal);
    }
    this.exchange.dirtySince = undefined;
  }

  private failed(error: unknown): void {
    if (isWeinaoError(error, 'link.bad_frame')) this.count.badFrames++;
    if (!isWeinaoError(error, 'link.timeout')) return;
    this.count.timeouts++;
    this.silentTimeouts++;
    const dead = this.silentTimeouts >= DEAD_SOCKET_TIMEOUTS && this.clock.mono() - this.heardAt > DEAD_SOCKET_MS;
    if (dead && this.channel.carries !== 'serial') this.keeper.reopen('no byte received in spite of requests');
  }

  private opened(port: BytePort): void {
    this.port = port;
    this.exchange.dirtySince = this.clock.mono();
    this.heardAt = this.clock.mono();
    this.silentTimeouts = 0;
    port.onData((bytes) => {
      this.heardAt = this.clock.mono();
      this.silentTimeouts = 0;
      this.keeper.alive();
      this.exchange.receive(bytes);
    });
  }

  private lost(): void {
    this.port = undefined;
    this.exchange.closed(this.notOpen());
  }

  private show(direction: 'tx' | 'rx', bytes: Uint8Array, note?: string): void {
    if (this.listeners.size === 0) return;
    const record = {
      channel: this.channel.id,
      wall: this.clock.now().wall,
      direction,
      bytes: bytes.slice(),
      ...(note === undefined ? {} : { note }),
    };
    for (const listener of this.listeners) listener(record);
  }

  private notOpen(): WeinaoError {
    return (
      this.keeper.trouble ?? new WeinaoError('link.closed', { channel: this.channel.id, port: portName(this.channel) })
    );
  }

  private cancelled(): WeinaoError {
    return new WeinaoError('link.cancelled', { channel: this.channel.id });
  }
}
