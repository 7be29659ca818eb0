/**
 * A listening channel: devices connect to us and speak first. Each connection is a conversation of its driver; what it answers is sent back.
 *
 * - The port is opened again with growing pauses while it cannot be had.
 * - Bounds: MOST connections, of which the newest beyond is refused; IDLE_MS without a byte ends one (half-open connections of a device that lost
 *   its power); what a conversation holds is its driver's bound.
 * - A conversation that throws is a fault of ours: its connection is closed, the others go on.
 */
import type { LineStats, WireRecord } from '../base/line.ts';
import type { ListenChannel } from '../base/model.ts';
import type { Acceptor, BytePort, Clock, Log, Random, Timer } from '../base/ports.ts';
import { PortKeeper, type PortState } from './keeper.ts';

const MOST = 64;
const IDLE_MS = 30 * 60_000;

export interface ListenerDeps {
  readonly channel: ListenChannel;
  readonly listen: (onConnection: (port: BytePort) => void) => Promise<Acceptor>;
  /** a new conversation: bytes in, bytes to answer out */
  readonly converse: () => { receive(bytes: Uint8Array): readonly Uint8Array[] };
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
}

export class Listener {
  readonly channel: ListenChannel;
  private readonly deps: ListenerDeps;
  private readonly keeper: PortKeeper<Acceptor>;
  private readonly connections = new Map<BytePort, Timer>();
  private readonly watchers = new Set<(record: WireRecord) => void>();
  private replies = 0;
  private refused = 0;

  constructor(deps: ListenerDeps) {
    this.deps = deps;
    this.channel = deps.channel;
    const { clock, log, random, channel } = deps;
    this.keeper = new PortKeeper({
      channel: channel.id,
      port: `${channel.host}:${channel.port}`,
      open: () => deps.listen((port) => this.accept(port)),
      clock,
      log,
      random,
      onOpen: () => {},
      onClose: () => {},
    });
  }

  start(): void {
    this.keeper.start();
  }

  state(): PortState {
    return this.keeper.state;
  }

  stats(): LineStats {
    const { replies, refused } = this;
    const none = { turns: 0, timeouts: 0, badFrames: refused, drains: 0, busyMs: 0, wastedMs: 0, strayBytes: 0 };
    return { ...none, replies, reopens: this.keeper.reopens };
  }

  capture(listener: (record: WireRecord) => void): () => void {
    this.watchers.add(listener);
    return () => void this.watchers.delete(listener);
  }

  async close(): Promise<void> {
    await this.keeper.close();
    for (const [port, idle] of this.connections) {
      idle.cancel();
      await port.close();
    }
    this.connections.clear();
  }

  private accept(port: BytePort): void {
    if (this.connections.size >= MOST) {
      this.refused++;
      void port.close();
      return;
    }
    const conversation = this.deps.converse();
    this.connections.set(port, this.idle(port));
    port.onClose(() => this.ended(port));
    port.onData((bytes) => {
      if (!this.connections.has(port)) return;
      this.connections.get(port)?.cancel();
      this.connections.set(port, this.idle(port));
      this.show('rx', bytes);
      try {
        for (const reply of conversation.receive(bytes)) this.answer(port, reply);
      } catch (error) {
        this.deps.log.error('listener.failed', { channel: this.channel.id, detail: String(error) });
        this.drop(port);
      }
    });
  }

  private answer(port: BytePort, reply: Uint8Array): void {
    this.replies++;
    this.show('tx', reply);
    port.write(reply).catch(() => this.drop(port));
  }

  private idle(port: BytePort): Timer {
    return this.deps.clock.timer(`idle ${this.channel.id}`, IDLE_MS, () => this.drop(port));
  }

  private drop(port: BytePort): void {
    this.ended(port);
    void port.close();
  }

  private ended(port: BytePort): void {
    this.connections.get(port)?.cancel();
    this.connections.delete(port);
  }

  private show(direction: 'tx' | 'rx', bytes: Uint8Array): void {
    const record = { channel: this.channel.id, wall: this.deps.clock.now().wall, direction, bytes: bytes.slice() };
    for (const watcher of this.watchers) watcher(record);
  }
}
