/** What the configuration must know of a driver, without importing any. */
import type { ZodType } from 'zod';
import type { ChannelModel, PointModel, SecretRef } from './model.ts';
import type { Problem } from './problem.ts';

export interface DriverFace {
  /** = folder name, = `driver:` in the configuration */
  readonly name: string;
  /** channels it can work on; empty = needs none */
  readonly carries: readonly ChannelModel['carries'][];
  /** checks the device section (its own keys only: address, points, profile ...) and gives it defaults */
  readonly schema: ZodType;
  /** how often its devices are polled where nobody says; a usual default when left out */
  readonly pollMs?: number;
  /** two devices on one channel with the same station are an error; undefined when the notion does not apply */
  station(config: unknown): string | undefined;
  /** points known before any I/O, with units and kinds; standard fields the technician wrote are already in `config` */
  points(config: unknown, defaults: PointDefaults): readonly PointModel[];
  /** what a schema cannot say: overlapping points, addresses out of range; paths are relative to the device section */
  problems(config: unknown): readonly Problem[];
  /** secrets its section names, by the key they stand under; each must be readable */
  secrets?(config: unknown): Readonly<Record<string, SecretRef>>;
  /** keys a profile leaves to every device, filled in to try a profile out */
  readonly trial?: Readonly<Record<string, unknown>>;
}

export interface PointDefaults {
  readonly heartbeatMs: number;
  readonly staleAfterMs: number;
  /** class of a point nobody classified: `personal` in a home, else `none` */
  readonly class: PointModel['class'];
}
