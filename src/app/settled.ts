/**
 * "Is it safe?", asked by whoever acknowledges what other systems send: yes when every commit handed over so far was answered. A store that does not
 * answer within PATIENCE_MS is said to be none, and nobody waits for it again before it answered: what comes meanwhile must still be heard.
 */
import type { Clock } from '../base/ports.ts';

const PATIENCE_MS = 2000;

/** @param answered undefined = nothing is waiting */
export function createSettled(clock: Clock, answered: () => Promise<unknown> | undefined): () => Promise<boolean> {
  let overdue: Promise<unknown> | undefined;
  return () => {
    const waiting = answered();
    if (waiting === undefined) return Promise.resolve(true);
    if (overdue !== undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = clock.timer('settled', PATIENCE_MS, () => {
        overdue = waiting;
        void waiting.then(() => {
          overdue = undefined;
        });
        resolve(false);
      });
      void waiting.then(() => {
        timer.cancel();
        resolve(true);
      });
    });
  };
}
