/** A clock moved by hand. Timers fire in order of their due time; between two, everything already promised gets to run. */

import { WeinaoError } from '../../src/base/errors/index.ts';
import type { Clock, Timer } from '../../src/base/ports.ts';
import type { Instant } from '../../src/base/time.ts';

interface Pending {
  readonly name: string;
  readonly due: number;
  readonly order: number;
  readonly fn: () => void;
}

export class VirtualClock implements Clock {
  synced = true;
  private offset: number;
  private time = 0;
  private order = 0;
  private readonly pending = new Set<Pending>();

  private readonly turns: number;

  /**
   * @param wall UTC ms at monotonic zero
   * @param turns of the loop that what a timer began may need before time goes on
   */
  constructor(wall = Date.UTC(2026, 0, 1), turns = 2) {
    this.offset = wall;
    this.turns = turns;
  }

  now(): Instant {
    return { wall: this.offset + this.time, mono: this.time, synced: this.synced };
  }

  mono(): number {
    return this.time;
  }

  timer(name: string, delayMs: number, fn: () => void): Timer {
    const entry = { name, due: this.time + Math.max(0, delayMs), order: this.order++, fn };
    this.pending.add(entry);
    return { cancel: () => void this.pending.delete(entry) };
  }

  sleep(name: string, ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancelled = (): void => reject(new WeinaoError('link.cancelled', { channel: name }));
      if (signal?.aborted) return cancelled();
      const onAbort = (): void => {
        timer.cancel();
        cancelled();
      };
      const timer = this.timer(name, ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle(this.turns);
    for (let next = this.earliest(end); next !== undefined; next = this.earliest(end)) {
      this.pending.delete(next);
      this.time = Math.max(this.time, next.due);
      next.fn();
      await settle(this.turns);
    }
    this.time = end;
  }

  /** Moves the wall clock only, as NTP or a technician would. */
  stepWall(ms: number): void {
    this.offset += ms;
  }

  /** Names of timers still pending, sorted: a stopped thing leaves none. */
  timers(): string[] {
    return [...this.pending].map((p) => p.name).sort();
  }

  private earliest(end: number): Pending | undefined {
    let best: Pending | undefined;
    for (const p of this.pending) {
      if (p.due > end) continue;
      if (best === undefined || p.due < best.due || (p.due === best.due && p.order < best.order)) best = p;
    }
    return best;
  }
}

/** Runs what promises have queued: microtasks, and turns of the loop for streams. */
async function settle(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
