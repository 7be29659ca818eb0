/**
 * A reading: one value of one point of one device at one moment, with its quality.
 *
 * A value is a boolean, a finite number in the point's unit, or a string. A missing or doubtful reply never becomes "the old value":
 * it makes a reading without value (`value: null`), quality `bad` and a reason.
 */
import type { Instant } from './time.ts';

export type Value = boolean | number | string;

export type Quality = 'good' | 'uncertain' | 'bad';

/**
 * Why a reading is not good. Part of the feed's contract: extend, never rename.
 * timeout: no reply. closed: port or socket not open. frame: bytes but no valid frame. refused: the device answered with an exception.
 * nan: the device said "no value". range: outside min/max or not representable. clock: the device's time was not believable.
 * device: the device itself says that it measured this during an error.
 * auth: the device does not accept our user or password.
 * flaky: many replies of the device get lost. offline: the device does not answer and is left alone for now. unverified: never confirmed on site. stale: no fresh value for stale_after.
 */
export type Reason =
  | 'timeout'
  | 'closed'
  | 'frame'
  | 'refused'
  | 'nan'
  | 'range'
  | 'clock'
  | 'device'
  | 'auth'
  | 'flaky'
  | 'offline'
  | 'unverified'
  | 'stale'
  | 'driver';

export interface Reading {
  readonly device: string;
  readonly point: string;
  /** null if and only if quality is bad */
  readonly value: Value | null;
  readonly quality: Quality;
  readonly why?: Reason;
  /** event time: the device's own where trusted, else the receipt (UTC ms) */
  readonly ts: number;
  /** the receipt: wall clock, monotonic, synchronised or not */
  readonly at: Instant;
}

export function sameState(a: Reading, b: Reading): boolean {
  return a.quality === b.quality && a.why === b.why && a.value === b.value;
}
