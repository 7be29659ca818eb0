/**
 * Keeps a port open: opens it, and opens it again with growing pauses after it went away or could not be opened. Pauses double from FIRST to
 * LONGEST with jitter, so that fifty sockets of a rebooted DTU do not come back at once. A failure is logged once, and once when it is over.
 */
import { isWeinaoError, WeinaoError } from '../base/errors/index.ts';
import type { Clock, Log, Random, Timer } from '../base/ports.ts';

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

export type PortState = 'open' | 'opening' | 'closed';

/** What is kept open: a port, or a socket that listens. */
export interface Kept {
  onClose(listener: (why: string) => void): void;
  close(): Promise<void>;
}

export interface KeeperDeps<T extends Kept> {
  readonly channel: string;
  readonly port: string;
  readonly open: () => Promise<T>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly onOpen: (port: T) => void;
  readonly onClose: () => void;
}

export class PortKeeper<T extends Kept> {
  state: PortState = 'closed';
  reopens = 0;
  /** why it is not open, as an error to give to whoever asks */
  trouble: WeinaoError | undefined;
  private readonly deps: KeeperDeps<T>;
  private current: T | undefined;
  private timer: Timer | undefined;
  private failures = 0;
  private opened = false;
  private stopped = true;
  private attempt: Promise<void> | undefined;

  constructor(deps: KeeperDeps<T>) {
    this.deps = deps;
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.attempt = this.tryOpen();
  }

  /** the first attempt since the start is over */
  async tried(): Promise<void> {
    await this.attempt;
  }

  /** Closes and opens again: for a socket that is open but dead. */
  reopen(why: string): void {
    const port = this.current;
    if (port === undefined) return;
    this.gone(port, why);
    void port.close();
  }

  async close(): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    await this.attempt;
    const port = this.current;
    this.current = undefined;
    this.state = 'closed';
    this.opened = false;
    if (port !== undefined) await port.close();
  }

  private async tryOpen(): Promise<void> {
    this.state = 'opening';
    try {
      const port = await this.deps.open();
      if (this.stopped) return void (await port.close());
      this.arrived(port);
    } catch (error) {
      this.failed(error);
    }
  }

  private arrived(port: T): void {
    if (this.opened) this.reopens++;
    if (this.trouble !== undefined)
      this.deps.log.info('port.opened', { channel: this.deps.channel, port: this.deps.port });
    this.opened = true;
    this.current = port;
    this.state = 'open';
    this.trouble = undefined;
    port.onClose((why) => this.gone(port, why));
    this.deps.onOpen(port);
  }

  private gone(port: T, why: string): void {
    if (this.current !== port) return;
    this.current = undefined;
    this.deps.onClose();
    this.failed(new WeinaoError('link.closed', { channel: this.deps.channel, port: this.deps.port, detail: why }));
  }

  private failed(cause: unknown): void {
    this.state = 'closed';
    if (this.stopped) return;
    const { channel, port } = this.deps;
    const error = isWeinaoError(cause)
      ? cause
      : new WeinaoError('link.open_failed', {
          channel,
          port,
          detail: cause instanceof Error ? cause.message : String(cause),
        });
    if (this.trouble === undefined)
      this.deps.log.warn('port.closed', { channel, port, code: error.code, detail: error.params.detail });
    this.trouble = error;
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.failures) * (0.75 + 0.5 * this.deps.random.next());
    this.failures++;
    this.timer = this.deps.clock.timer(`reopen ${channel}`, pause, () => {
      this.attempt = this.tryOpen();
    });
  }

  /** the far end spoke: the next failure starts with a short pause again */
  alive(): void {
    this.failures = 0;
  }
}
