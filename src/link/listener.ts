/**
 * A listening channel: devices connect to us and speak first. Each connection is a conversation of its driver; what it answers is sent back.
 *
 * - The port is opened again with growing pauses while it cannot be had.
 * - Bounds: MOST connections, of which the newest beyond is refused; IDLE_MS without a byte ends one (half-open connections of a device that lost
 *   its power); what a conversation holds is its driver's bound.
 * - A conversation that throws is a fault of ours: its connection is closed, the others go on.
 */
import type { ListenChannel } from '../base/model.ts';
import type { Acceptor, BytePort, Timer } from '../base/ports.ts';
import { Door, type DoorDeps } from './door.ts';

const MOST = 64;
const IDLE_MS = 30 * 60_000;

export interface ListenerDeps extends DoorDeps {
  readonly channel: ListenChannel;
  readonly listen: (onConnection: (port: BytePort) => void) => Promise<Acceptor>;
  /** a new conversation: bytes in, bytes to answer out */
  readonly converse: () => { receive(bytes: Uint8Array): readonly Uint8Array[] };
}

export class Listener extends Door<ListenChannel, Acceptor> {
  private readonly deps: ListenerDeps;
  private readonly connections = new Map<BytePort, Timer>();

  constructor(deps: ListenerDeps) {
    const { channel } = deps;
    super(deps, {
      channel,
      port: `${channel.host}:${channel.port}`,
      open: () => deps.listen((port) => this.accept(port)),
    });
    this.deps = deps;
  }

  override async close(): Promise<void> {
    await super.close();
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
    this.taken++;
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
}
