/**
 * What a driver's simulator offers: the far end of a line, as bytes. It is given what the gateway sent and says what comes back and when.
 * One simulator stands for everything on the line (several slaves), so that faults of one can be seen to harm only that one.
 */

export interface SimReply {
  /** from the last byte received to the first byte sent */
  readonly afterMs: number;
  readonly bytes: Uint8Array;
}

export interface Simulator {
  /** No reply = silence. Bytes that are no request of this protocol are ignored, as a real slave does. */
  receive(bytes: Uint8Array): readonly SimReply[];
}

/** Faults put between a simulator and its line. */
export interface Faults {
  /** replies this much later */
  lateMs?: number;
  /** swallows the next n replies */
  drop?: number;
  /** the line hears its own bytes first */
  echo?: boolean;
  /** changes each reply's bytes */
  garble?: (bytes: Uint8Array) => Uint8Array;
}

/** The same simulator with faults that a test may change while it runs. */
export function withFaults(simulator: Simulator, faults: Faults): Simulator {
  return {
    receive: (bytes) => {
      const echo: SimReply[] = faults.echo === true ? [{ afterMs: 0, bytes: bytes.slice() }] : [];
      const replies = simulator.receive(bytes).flatMap((reply) => {
        if ((faults.drop ?? 0) > 0) {
          faults.drop = (faults.drop ?? 0) - 1;
          return [];
        }
        const out = faults.garble === undefined ? reply.bytes : faults.garble(reply.bytes);
        return [{ afterMs: reply.afterMs + (faults.lateMs ?? 0), bytes: out }];
      });
      return [...echo, ...replies];
    },
  };
}
