/** What every channel has on which others speak first: a port that is kept open (keeper.ts), whoever watches the wire, and what is counted. */
import type { LineStats, WireRecord } from '../base/line.ts';
import type { Clock, Log, Random } from '../base/ports.ts';
import { type Kept, PortKeeper, type PortState } from './keeper.ts';

export interface DoorDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
}

interface Opening<C, T extends Kept> {
  readonly channel: C;
  /** as a technician knows it */
  readonly port: string;
  readonly open: () => Promise<T>;
  readonly onOpen?: (port: T) => void;
  readonly onClose?: () => void;
}

export abstract class Door<C extends { readonly id: string }, T extends Kept> {
  readonly channel: C;
  protected readonly keeper: PortKeeper<T>;
  protected taken = 0;
  protected refused = 0;
  private readonly clock: Clock;
  private readonly watchers = new Set<(record: WireRecord) => void>();

  protected constructor({ clock, log, random }: DoorDeps, { channel, port, open, onOpen, onClose }: Opening<C, T>) {
    this.channel = channel;
    this.clock = clock;
    this.keeper = new PortKeeper({
      channel: channel.id,
      port,
      open,
      clock,
      log,
      random,
      onOpen: (opened) => onOpen?.(opened),
      onClose: () => onClose?.(),
    });
  }

  start(): void {
    this.keeper.start();
  }

  state(): PortState {
    return this.keeper.state;
  }

  stats(): LineStats {
    const none = { turns: 0, timeouts: 0, drains: 0, busyMs: 0, wastedMs: 0, strayBytes: 0 };
    return { ...none, replies: this.taken, badFrames: this.refused, reopens: this.keeper.reopens };
  }

  /** shows everything on the wire until the returned function is called */
  capture(listener: (record: WireRecord) => void): () => void {
    this.watchers.add(listener);
    return () => void this.watchers.delete(listener);
  }

  close(): Promise<void> {
    return this.keeper.close();
  }

  protected show(direction: 'tx' | 'rx', bytes: Uint8Array, more: Pick<WireRecord, 'isText' | 'note'> = {}): void {
    if (this.watchers.size === 0) return;
    const record = { channel: this.channel.id, wall: this.clock.now().wall, direction, bytes: bytes.slice(), ...more };
    for (const watcher of this.watchers) watcher(record);
  }
}
