/** Turns on a physical line: who goes first, and what is seen on the wire. */

/** A higher priority goes first; equal ones in order of asking. */
export const PRIORITY = { write: 3, alarm: 2, poll: 1, scan: 0 } as const;
export type Priority = keyof typeof PRIORITY;

/** One piece of wire capture: bytes in one direction at one moment. */
export interface WireRecord {
  readonly channel: string;
  /** UTC ms */
  readonly wall: number;
  readonly direction: 'tx' | 'rx';
  readonly bytes: Uint8Array;
  /** the bytes are text: a message, the body of a request */
  readonly isText?: boolean;
  /** `late`, `echo`, `noise`, `foreign`: bytes that were not taken as a reply */
  readonly note?: string;
}

export interface LineStats {
  readonly turns: number;
  readonly replies: number;
  readonly timeouts: number;
  readonly badFrames: number;
  readonly strayBytes: number;
  readonly drains: number;
  readonly reopens: number;
  /** ms of line time used, and of it on devices that did not answer */
  readonly busyMs: number;
  readonly wastedMs: number;
}
