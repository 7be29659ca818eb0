/**
 * The one door a driver sees.
 *
 * A driver knows bytes and meaning; the runner (src/engine) owns everything common: schedule, time and quality stamps, retries, back-off.
 * Promises of the runner: one call at a time per driver; always a signal; nothing is called after close().
 * Promises of the driver: only declared points; no timers and no retries of its own; throws only WeinaoError; no module-level state.
 */
import type { DriverFace } from '../base/driver.ts';
import type { LineDoor } from '../base/frame.ts';
import type { JsonObject } from '../base/json.ts';
import type { Priority } from '../base/line.ts';
import type { DeviceModel, LineChannel, SecretRef } from '../base/model.ts';
import type { Clock, HttpDoor, Log, Random, UdpDoor } from '../base/ports.ts';
import type { Value } from '../base/reading.ts';
import type { Text } from '../base/text.ts';
import type { Intake, IntakeContext } from './intake.ts';
import type { Simulation } from './simulation.ts';
import type { ListenContext, Memory, PollResult, RawReading, WriteResult } from './told.ts';

export type { Framer, FrameVerdict, LineDoor, Turn } from '../base/frame.ts';
export type { HttpAnswer, HttpAsk, HttpDoor, HttpLimits, UdpAddress, UdpDoor } from '../base/ports.ts';
export type { ListenContext, Memory, PollResult, RawReading, WriteResult } from './told.ts';

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

/** For a device that stands on no line. */
export interface DoorContext extends Omit<DriverContext, 'line'> {
  readonly doors: { readonly http: HttpDoor; readonly udp: UdpDoor };
  /** Read at each use and kept nowhere. Rejects with config.no_secret. */
  secret(ref: SecretRef): Promise<string>;
}

/** A picture, checked to be what it says. */
export interface Snapshot {
  readonly type: 'image/jpeg';
  readonly bytes: Uint8Array;
}

export interface Identity {
  readonly present: boolean;
  /** what the device says it is, where the protocol can tell */
  readonly says?: string;
}

export interface Driver {
  /** Is the device there and the one the configuration says? */
  probe(signal: AbortSignal): Promise<Identity>;
  poll(points: readonly string[], signal: AbortSignal): Promise<PollResult>;
  /**
   * Hears what the device says by itself; started once, beside poll. It ends with its signal and never throws. A device that is lost is told as faults of
   * all points.
   */
  listen?(emit: (result: PollResult) => void, signal: AbortSignal): Promise<void>;
  /** what the device shows now; rejects with WeinaoError */
  snapshot?(signal: AbortSignal): Promise<Snapshot>;
  /** what it is and what it offers, for `weinao probe DEVICE`; no secrets */
  inspect?(signal: AbortSignal): Promise<JsonObject>;
  /** how it is, for `weinao status`; no secrets */
  health?(): JsonObject;
  /** verified by read-back where the device can */
  write?(point: string, value: Value, signal: AbortSignal): Promise<WriteResult>;
  /** idempotent; allowed after a failed probe */
  close(): Promise<void>;
}

/** A decoded frame for people and for `decode --ndjson`: plain JSON in the shape of test/fixtures/frames. */
export type Decoded = { readonly outcome: string } & { readonly [key: string]: unknown };

export interface DecodeAsk {
  readonly protocol: string;
  /** of HTTP, where the protocol has one */
  readonly status?: number;
  /** what the master asked when the bytes came */
  readonly request?: Uint8Array;
  /** absent: only the request is at hand, and what a slave would make of it is asked */
  readonly response?: Uint8Array;
  /** free form of the protocol: addresses, profile names */
  readonly asked?: unknown;
}

/** A read of something nobody configured. */
export interface ScanAsk {
  readonly station: number;
  readonly table: string;
  readonly address: number;
  readonly count: number;
}

export interface ScanResult {
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
  /** registers, or bits as 0 and 1 */
  readonly words: readonly number[];
  /** every plausible reading of the words: type, byte order, value */
  readonly decodings: readonly { readonly as: string; readonly order: string; readonly value: number }[];
}

/** Somebody who answered on a line. */
export interface Found {
  readonly driver: string;
  readonly address: string | number;
  /** what is known of it, or what to do next */
  readonly says: Text;
  /** keys of its section in the configuration */
  readonly section: Readonly<Record<string, unknown>>;
  /** what stays when its address changes, where there is such */
  readonly uuid?: string;
}

export interface FindContext {
  readonly doors: DoorContext['doors'];
  readonly random: Random;
  readonly signal: AbortSignal;
  /** addresses to ask one by one, besides everybody who hears a call to all */
  readonly range: readonly string[];
  found(one: Found): void;
  /** one question is over: one for the call to all, one for each address */
  step(): void;
}

export interface SeekContext {
  readonly line: LineDoor;
  /** station numbers to ask, both ends included */
  readonly ids: readonly [number, number];
  readonly signal: AbortSignal;
  found(one: Found): void;
  /** something on the line that is worth knowing */
  note(says: Text): void;
  /** one question is over */
  step(): void;
}

/** Asks around on a line whose devices nobody knows. Only reads. */
export interface Seeker {
  /** how many questions that takes */
  steps(ids: readonly [number, number]): number;
  run(context: SeekContext): Promise<void>;
}

export interface PlanContext {
  readonly device: DeviceModel;
  readonly channel: LineChannel;
  readonly memory: Memory;
  /** of these points; all when left out */
  readonly points?: readonly string[];
}

/** What one poll of a device costs its line. */
export interface DevicePlan {
  readonly reads: readonly {
    readonly what: string;
    readonly points: number;
    readonly registers: number;
    readonly ms: number;
  }[];
  /** bus time of all reads, and of the best plan if the device took everything */
  readonly ms: number;
  readonly leastMs: number;
  /** what the device taught, and what follows from it */
  readonly learned: readonly Text[];
}

/** One connection of a device to us. What it holds of an unfinished frame is bounded by the driver. */
export interface Conversation {
  /** bytes received -> bytes to answer */
  receive(bytes: Uint8Array): readonly Uint8Array[];
}

export interface DriverModule {
  /** = folder name, = `driver:` in the configuration */
  readonly name: string;
  readonly carries: DriverFace['carries'];
  /** what the configuration sees, loaded when a configuration is read: schemas are heavy, and a running gateway has no use for them */
  face(): Promise<DriverFace>;
  /** must not do I/O; absent where devices speak to us, or stand on no line */
  create?(context: DriverContext): Driver;
  /** the same for devices that stand on no line (`carries` is empty) */
  attach?(context: DoorContext): Driver;
  /** a connection of a device to us; absent where devices are asked */
  converse?(context: ListenContext): Conversation;
  /** messages or requests of other systems, for all devices of a channel; absent where devices are asked or connect themselves */
  intake?(context: IntakeContext): Intake;
  /** one read for `weinao probe`; absent where the protocol has no registers */
  scan?(door: LineDoor, ask: ScanAsk, signal: AbortSignal): Promise<ScanResult>;
  /** where a configured point stands, for a look at its raw words; absent where the protocol has no registers */
  place?(device: DeviceModel, point: string): ScanAsk | undefined;
  /** absent where nobody can be found by asking */
  readonly seek?: Seeker;
  /** asks around on the network; absent where nobody can be found so */
  find?(context: FindContext): Promise<void>;
  /** what a poll costs; absent where each item is asked for by itself */
  plan?(context: PlanContext): DevicePlan;
  /** what a configured point reads out of registers or bits as `scan` gave them; present wherever `place` is */
  readOut?(device: DeviceModel, point: string, words: readonly number[]): RawReading;
  /** devices for `weinao simulate`; absent where none are simulated */
  simulation?(): Promise<Simulation>;
  /** protocols `weinao decode` knows through this driver */
  readonly protocols: readonly string[];
  decode(ask: DecodeAsk): Decoded;
}
