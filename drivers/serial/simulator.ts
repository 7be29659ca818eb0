/** A device of no standard as bytes: it answers one request by one reply, whatever stands around the request. */
import type { Simulator } from '../../src/kit/simulator.ts';

export function createSerialSimulator(
  request: Uint8Array,
  reply: () => Uint8Array | undefined,
  replyMs = 20,
): Simulator {
  let held: Uint8Array = new Uint8Array(0);
  return {
    receive: (bytes) => {
      held = Uint8Array.of(...held, ...bytes).slice(-512);
      const at = held.findIndex((_, i) => request.every((b, j) => held[i + j] === b));
      if (at < 0) return [];
      held = held.slice(at + request.length);
      const answer = reply();
      return answer === undefined ? [] : [{ afterMs: replyMs, bytes: answer }];
    },
  };
}
