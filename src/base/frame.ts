/** Turns on a line and the frames in them, as drivers and line agree on them. */
import type { Priority } from './line.ts';
import type { LineChannel } from './model.ts';

/**
 * Finds the reply in the bytes received so far. Called with a growing buffer, at most MAX_FRAME bytes.
 * - `need`: incomplete, wait.  - `frame`: bytes [start, end) are the reply; what stands before is noise or echo, what stands after is dropped.
 * - `foreign`: [start, end) is a valid frame but not the answer (another slave, an echo): skip behind it and keep listening.
 * - `bad`: what stands here can never become the reply; the line is drained.
 */
export type FrameVerdict =
  | { readonly kind: 'need' }
  | { readonly kind: 'frame'; readonly start: number; readonly end: number }
  | { readonly kind: 'foreign'; readonly start: number; readonly end: number; readonly note: string }
  | { readonly kind: 'bad'; readonly detail: string };

/** A pure function of the bytes; made for one request, so it knows what was asked. `silent` = the inter-byte time ran out: no more comes. */
export type Framer = (bytes: Uint8Array, silent: boolean) => FrameVerdict;

export interface Turn {
  /** Sends a request and gives the reply frame. Throws link.timeout, link.bad_frame, link.closed, link.cancelled. */
  transact(request: Uint8Array, framer: Framer, options?: { readonly deadlineMs?: number }): Promise<Uint8Array>;
  /** Sends bytes nobody answers (broadcast) and waits until they are on the wire. */
  send(bytes: Uint8Array): Promise<void>;
}

/** The door to a shared line: everything inside `work` happens in one turn, so nobody speaks between. */
export interface LineDoor {
  readonly channel: LineChannel;
  turn<T>(priority: Priority, signal: AbortSignal, work: (turn: Turn) => Promise<T>): Promise<T>;
}
