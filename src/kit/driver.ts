/**
 * The one door a driver sees.
 *
 * A driver knows bytes and meaning; the runner (src/engine) owns everything common: schedule, time and quality stamps, retries, back-off.
 * Promises of the runner: one call at a time per driver; always a signal; nothing is called after close().
 * Promises of the driver: only declared points; no timers and no retries of its own; throws only WeinaoError; no module-level state.
 */
import type { DriverFace } from '../base/driver.ts';
import type { WeinaoError } from '../base/errors/index.ts';
import type { Priority } from '../base/line.ts';
import type { ChannelModel, DeviceModel } from '../base/model.ts';
import type { Clock, Log, Random } from '../base/ports.ts';
import type { Reason, Value } from '../base/reading.ts';

/** A value as the device gave it; the runner stamps time. */
export interface RawReading {
  readonly point: string;
  /** null when the device says "no value" or the bytes make no sense: then `why` is set */
  readonly value: Value | null;
  readonly quality?: 'good' | 'uncertain' | 'bad';
  readonly why?: Reason;
  /** the device's own event time, UTC ms, where its clock is trusted */
  readonly ts?: number;
}

/** Partial success is normal: each asked point stands in `readings` or in `faults`, never in both. */
export interface PollResult {
  readonly readings: readonly RawReading[];
  readonly faults: readonly { readonly point: string; readonly error: WeinaoError }[];
}

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
  readonly channel: ChannelModel;
  turn<T>(priority: Priority, signal: AbortSignal, work: (turn: Turn) => Promise<T>): Promise<T>;
}

export interface Memory {
  get(key: string): string | undefined;
  /** persisted with the next commit; null deletes */
  set(key: string, body: string | null): void;
}

export interface DriverContext {
  readonly device: DeviceModel;
  readonly line: LineDoor;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly memory: Memory;
  /** which points rules wait for: their reads go first */
  readonly priority: (point: string) => Priority;
}

export interface Identity {
  readonly present: boolean;
  /** what the device says it is, where the protocol can tell */
  readonly says?: string;
}

export interface WriteResult {
  readonly done: boolean;
  readonly readBack?: Value;
}

export interface Driver {
  /** Is the device there and the one the configuration says? */
  probe(signal: AbortSignal): Promise<Identity>;
  poll(points: readonly string[], signal: AbortSignal): Promise<PollResult>;
  /** verified by read-back where the device can */
  write?(point: string, value: Value, signal: AbortSignal): Promise<WriteResult>;
  /** idempotent; allowed after a failed probe */
  close(): Promise<void>;
}

/** A decoded frame for people and for `decode --ndjson`: plain JSON in the shape of test/fixtures/frames. */
export type Decoded = { readonly outcome: string } & { readonly [key: string]: unknown };

export interface DecodeAsk {
  readonly protocol: string;
  /** what the master asked when the bytes came */
  readonly request?: Uint8Array;
  readonly response: Uint8Array;
  /** free form of the protocol: addresses, profile names */
  readonly asked?: unknown;
}

export interface DriverModule extends DriverFace {
  /** must not do I/O */
  create(context: DriverContext): Driver;
  /** protocols `weinao decode` knows through this driver */
  readonly protocols: readonly string[];
  decode(ask: DecodeAsk): Decoded;
}
