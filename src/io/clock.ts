/** The system's clocks. Monotonic time counts from the start of this process; wall time may be floored at boot (design.md section 3). */

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
  let synced = true;
  const mono = (): number => performance.now();
  const clock: SystemClock = {
    now: () => ({ wall: Math.max(least, Date.now()), mono: mono(), synced }),
    mono,
    timer: (_name, delayMs, fn) => {
      // Beyond 2^31-1 ms node fires at once; such timers are waited for in pieces.
      const due = mono() + delayMs;
      let handle: NodeJS.Timeout;
      const arm = (): void => {
        const left = due - mono();
        handle = left > 2_000_000_000 ? setTimeout(arm, 2_000_000_000) : setTimeout(fn, Math.max(0, left));
      };
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
      least = Math.max(least, wall);
    },
    setSynced: (value) => {
      synced = value;
    },
  };
  return clock;
}
