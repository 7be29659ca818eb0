/** What the rest of the house needs of the world, as interfaces. `src/io` implements them; tests implement them on virtual time. */
import type { WeinaoError } from './errors/index.ts';
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

export interface MediaFile {
  /** `folder/name` */
  readonly path: string;
  readonly bytes: number;
}

/** Pictures on the disk. Paths are `folder/name`. */
export interface MediaFiles {
  /** everything that was written whole; the rest is thrown away */
  list(): Promise<readonly MediaFile[]>;
  /** on the disk when it resolves, or not there; rejects with the system's error */
  write(path: string, bytes: Uint8Array): Promise<void>;
  read(path: string): Promise<Uint8Array>;
  remove(path: string): Promise<void>;
  /** bytes of the disk that hold them */
  room(): Promise<{ readonly free: number; readonly total: number }>;
}

export interface HttpAsk {
  /** http or https, without user and password */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpLimits {
  /** for the whole answer, from the call on */
  readonly deadlineMs: number;
  /** of the body */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** of a certificate: `system` is checked against the system's authorities, `any` is not checked */
  readonly trust?: 'system' | 'any';
}

export interface HttpAnswer {
  readonly status: number;
  /** lower-case names; a header that came twice has two values */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Uint8Array;
  /** why the body may not be whole; what came of it is there, since a camera says nothing twice */
  readonly cut?: WeinaoError;
}

/**
 * Devices asked over HTTP. Rejects with http.* while there is no header yet, and with link.cancelled; from the header on it resolves, with `cut` where the
 * body did not come whole. Redirects are answers. A connection is used again for 4 s at most; what was lost on one that had been idle is asked again once.
 */
export interface HttpDoor {
  ask(ask: HttpAsk, limits: HttpLimits): Promise<HttpAnswer>;
}

export interface UdpAddress {
  readonly host: string;
  readonly port: number;
}

/** Datagrams: one goes out, on every interface where the target is a group, and for a while what comes back is heard. */
export interface UdpDoor {
  ask(
    to: UdpAddress,
    bytes: Uint8Array,
    limits: { readonly forMs: number; readonly signal: AbortSignal },
    heard: (bytes: Uint8Array, from: UdpAddress) => void,
  ): Promise<void>;
}
