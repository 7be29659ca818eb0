/**
 * A port whose far end is a simulator, on the given clock: for tests, and nothing else of the world. Replies are sent one after the other, in
 * the order of their requests, as slaves on one bus do; each takes its wire time when a speed is given.
 */
import type { BytePort, Clock, Timer } from '../base/ports.ts';

export interface SimulatedFarEnd {
  receive(bytes: Uint8Array): readonly { readonly afterMs: number; readonly bytes: Uint8Array }[];
}

export interface SimulatedPort extends BytePort {
  /** bytes out of nowhere: noise, a foreign master */
  inject(bytes: Uint8Array): void;
  /** the cable is pulled */
  unplug(): void;
}

export function simulatedPort(far: SimulatedFarEnd, clock: Clock): SimulatedPort {
  let data: (bytes: Uint8Array) => void = () => {};
  let gone: (why: string) => void = () => {};
  let open = true;
  const timers = new Set<Timer>();
  const later = (ms: number, fn: () => void): void => {
    const timer = clock.timer('simulated reply', ms, () => {
      timers.delete(timer);
      fn();
    });
    timers.add(timer);
  };
  const shut = (): void => {
    open = false;
    for (const timer of timers) timer.cancel();
  };
  return {
    write: (bytes) => {
      if (!open) return Promise.reject(new Error('port is closed'));
      for (const reply of far.receive(bytes)) later(reply.afterMs, () => open && data(reply.bytes));
      return Promise.resolve();
    },
    onData: (listener) => {
      data = listener;
    },
    onClose: (listener) => {
      gone = listener;
    },
    close: () => {
      shut();
      return Promise.resolve();
    },
    inject: (bytes) => data(bytes),
    unplug: () => {
      shut();
      gone('unplugged');
    },
  };
}
