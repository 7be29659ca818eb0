/**
 * What a driver's simulator offers: the far end of a line, as bytes. It is given what the gateway sent and says what comes back and when.
 * One simulator stands for everything on the line (several slaves), so that faults of one can be seen to harm only that one.
 */
import type { LineChannel } from '../base/model.ts';

export interface SimReply {
  /** from the last byte received to the first byte sent */
  readonly afterMs: number;
  readonly bytes: Uint8Array;
}

export interface Simulator {
  /** No reply = silence. Bytes that are no request of this protocol are ignored, as a real slave does. */
  receive(bytes: Uint8Array): readonly SimReply[];
}

/**
 * A device as the contract of all drivers wants it: it has a point `value`, and shares its line with another device of its kind.
 */
export interface Rig {
  readonly channel: LineChannel;
  /** the device's section: its driver's own keys */
  readonly section: unknown;
  /** the far end; `value` is what the device measures when it is asked, 0 to 9999 */
  simulator(value: () => number): Simulator;
  /** a far end at address 1 that answers every question with something of the right shape; absent where there is none */
  anything?(): Simulator;
  /** a valid answer of the other device to the same question */
  foreign(value: number): Uint8Array;
}

/** Faults put between a simulator and its line. */
export interface Faults {
  /** replies this much later */
  lateMs?: number;
  /** swallows the next n replies */
  drop?: number;
  /** the line hears its own bytes first */
  echo?: boolean;
  /** replies come in pieces of so many bytes */
  pieces?: number;
  /** changes each reply's bytes */
  garble?: (bytes: Uint8Array) => Uint8Array;
}

/** time between the pieces of one reply: less than silence on any line */
const BETWEEN_MS = 2;

function pieces(bytes: Uint8Array, size: number, afterMs: number): SimReply[] {
  const count = Math.max(1, Math.ceil(bytes.length / Math.max(1, size)));
  return Array.from({ length: count }, (_, i) => ({
    afterMs: afterMs + i * BETWEEN_MS,
    bytes: bytes.slice(i * size, (i + 1) * size),
  }));
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
        return pieces(out, faults.pieces ?? out.length, reply.afterMs + (faults.lateMs ?? 0));
      });
      return [...echo, ...replies];
    },
  };
}
