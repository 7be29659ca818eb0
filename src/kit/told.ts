/** What a device said, as its driver hands it over: by poll, by word of its own, after a write. */
import type { WeinaoError } from '../base/errors/index.ts';
import type { DeviceModel } from '../base/model.ts';
import type { Clock, Log } from '../base/ports.ts';
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

/**
 * Partial success is normal: each asked point stands in `readings` or in `faults`, never in both. Only a driver that listens may leave out points: those of
 * which nothing has been said yet.
 */
export interface PollResult {
  readonly readings: readonly RawReading[];
  readonly faults: readonly { readonly point: string; readonly error: WeinaoError }[];
}

export interface WriteResult {
  readonly done: boolean;
  readonly readBack?: Value;
}

export interface Memory {
  get(key: string): string | undefined;
  /** persisted with the next commit; null deletes */
  set(key: string, body: string | null): void;
}

/** What a driver that only listens is given, for all devices of its channel. */
export interface ListenContext {
  readonly devices: readonly DeviceModel[];
  readonly clock: Clock;
  readonly log: Log;
  memory(device: string): Memory;
  /** The device spoke, and said this; without readings it only showed that it is there. */
  hear(device: string, result: PollResult): void;
}
