/**
 * The system's clocks. Monotonic time counts from the start of this process; wall time may be floored at boot (design.md section 3). Below its floor
 * an unsynchronised clock goes on from there, so that what happens in a row has times in a row.
 */

import { WeinaoError } from '../base/errors/index.ts';
import type { Clock } from '../base/ports.ts';

export interface SystemClock extends Clock {
  /** wall time never reads below this: the build date, or the newest time in the journal */
  floor(wall: number): void;
  /** whether the system says its wall clock follows a time source */
  setSynced(synced: boolean): void;
}

export function systemClock(): SystemClock {
  let least = 0;
  let flooredAt = 0;
  let synced = true;
  const mono = (): number => performance.now();
  const clock: SystemClock = {
    now: () => {
      const at = mono();
      return { wall: Math.max(least + (synced ? 0 : at - flooredAt), Date.now()), mono: at, synced };
    },
    mono,
    timer: (_name, delayMs, fn) => {
      // Beyond 2^31-1 ms node fires at once, and its whole milliseconds count from the start of the loop's turn: up to 2 ms too early, which
      // would cut the gap that a line keeps before a request. So what fired before its time waits on.
      const due = mono() + delayMs;
      let handle: NodeJS.Timeout;
      const arm = (): void => {
        handle = setTimeout(fire, Math.min(2_000_000_000, Math.max(0, Math.ceil(due - mono()))));
      };
      const fire = (): void => (mono() < due ? arm() : fn());
      arm();
      return { cancel: () => clearTimeout(handle) };
    },
    sleep: (name, ms, signal) =>
      new Promise((resolve, reject) => {
        const cancelled = (): void => reject(new WeinaoError('link.cancelled', { channel: name }));
        if (signal?.aborted) return cancelled();
        const onAbort = (): void => {
          timer.cancel();
          cancelled();
        };
        const timer = clock.timer(name, ms, () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
    floor: (wall) => {
      if (wall <= least) return;
      least = wall;
      flooredAt = mono();
    },
    setSynced: (value) => {
      synced = value;
    },
  };
  return clock;
}
