/** What the rest of the house needs of the world, as interfaces. `src/io` implements them; tests implement them on virtual time. */
import type { Instant } from './time.ts';

export interface Timer {
  /** safe to call twice and after the timer fired */
  cancel(): void;
}

export interface Clock {
  now(): Instant;
  /** monotonic milliseconds; the same scale as `now().mono` */
  mono(): number;
  /** runs `fn` once, `delayMs` from now on monotonic time. The name shows in diagnostics. */
  timer(name: string, delayMs: number, fn: () => void): Timer;
  /** resolves after `ms` of monotonic time; rejects with link.cancelled when the signal aborts first */
  sleep(name: string, ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** 0 <= x < 1 */
  next(): number;
  bytes(n: number): Uint8Array;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** A log line is an event name in dotted form plus fields; secrets never reach it. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  child(fields: LogFields): Log;
}

/** A stream of bytes with one far end: a serial port or a socket. `src/io` opens them; tests bring simulated ones. */
export interface BytePort {
  /** resolves when the bytes left this process (a serial port: when they are on the wire) */
  write(bytes: Uint8Array): Promise<void>;
  /** at most one listener */
  onData(listener: (bytes: Uint8Array) => void): void;
  /** called once, when the far end or the hardware went away */
  onClose(listener: (why: string) => void): void;
  close(): Promise<void>;
}

/** A socket that listens. */
export interface Acceptor {
  /** called once, when it stopped by itself */
  onClose(listener: (why: string) => void): void;
  close(): Promise<void>;
}

/** Files as the configuration needs them. Paths are absolute. */
export interface FileReader {
  /** names in a folder, sorted; empty when there is no such folder */
  list(folder: string): Promise<readonly string[]>;
  /** undefined when there is no such file; rejects with RangeError when it is over `maxBytes`, with the system's error otherwise */
  read(path: string, maxBytes: number): Promise<string | undefined>;
}
