/**
 * A window at work. Samples come in the order they are received, with their own (event) time on the monotonic clock; the value is read at a
 * moment. An operator knows no clock: what it holds is data, saved as JSON with wall times and loaded again after a restart.
 */
import type { Json } from '../../base/json.ts';
import type { Value } from '../../base/reading.ts';
import type { Instant } from '../../base/time.ts';

export interface Sample {
  /** which of the window's sources */
  readonly source: number;
  /** monotonic ms of the event */
  readonly t: number;
  /** undefined: the source is unknown from here on */
  readonly value: Value | undefined;
  /** a newer one was seen already: it changes nothing that holds now */
  readonly isOld?: boolean;
  /** who said it, where that matters (forms) */
  readonly by?: string;
}

/** From monotonic to wall time and back, as of one moment; saved times are wall times. */
export interface Mapping {
  toWall(mono: number): number;
  toMono(wall: number): number;
}

export interface Operator {
  take(sample: Sample, now: Instant): void;
  /** undefined = unknown */
  read(now: Instant): Value | undefined;
  /** monotonic ms at which the value may change though nothing comes */
  next(now: Instant): number | undefined;
  /** what a period that ended gave, for windows over this one; taken once */
  ended(): { readonly t: number; readonly value: Value | undefined } | undefined;
  /** grows when something worth keeping was closed */
  readonly closed: number;
  save(mapping: Mapping): Json;
  load(saved: Json, mapping: Mapping): void;
  /** what was seen before a moment (monotonic ms) is older by `ms` than it was thought */
  shift(ms: number, before: number): void;
}

/** What an operator must know of its sources. */
export interface SourceFacts {
  /** silence longer than this is not known time */
  readonly staleMs: number;
  /** told only when it happens */
  readonly isEvent: boolean;
  /** every sample is a happening of its own: entries of a form */
  readonly isEach?: boolean;
  readonly rollover?: number;
  /** each sample stands for a whole period of another window */
  readonly periodMs?: number;
}

export const mappingAt = (now: Instant): Mapping => ({
  toWall: (mono) => Math.round(now.wall - (now.mono - mono)),
  toMono: (wall) => now.mono - (now.wall - wall),
});

export const numberOf = (value: Value): number =>
  typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : Number.NaN;
