/**
 * A simulated line as somebody describes it in a file: devices with values, and faults that come and go by a script. For trying a configuration before
 * going on site, and for seeing what a fault looks like.
 */

import { parseDocument } from 'yaml';
import type { ZodType } from 'zod';
import type { Clock, Random } from '../base/ports.ts';
import type { WebHandler } from '../base/web.ts';
import { duration, z } from './schema.ts';
import { type Faults, type Simulator, withFaults } from './simulator.ts';

/** A number, or two between which it swings once a minute. */
export const simulatedValue = z.union([z.number(), z.tuple([z.number(), z.number()])]);
export type SimulatedValue = z.output<typeof simulatedValue>;

export function valueAt(value: SimulatedValue, clock: Clock): number {
  if (typeof value === 'number') return value;
  const [low, high] = value;
  const phase = (clock.mono() % SWING_MS) / SWING_MS;
  return low + ((high - low) * (1 - Math.cos(2 * Math.PI * phase))) / 2;
}

const SWING_MS = 60_000;

/** Something a device says, and when: ms after it connected. */
export interface Word {
  readonly at: number;
  bytes(): Uint8Array;
}

/** A message of a device behind a broker, and when: ms after the beginning, and again every so often. */
export interface Said {
  readonly at: number;
  readonly every?: number | undefined;
  readonly topic: string;
  payload(): string;
  readonly retain: boolean;
}

/** A device that is asked over HTTP, on ports of its own. */
export interface Served {
  /** to listen on; 0 = a free one */
  readonly ports: readonly number[];
  readonly handle: WebHandler;
  /** told the ports it got; @returns how it is reached */
  opened(ports: readonly number[]): string;
  /** begins its script */
  play(tell: (line: string) => void): void;
}

/** How a driver's devices are described and simulated; loaded only for this. */
export interface Simulation {
  readonly schema: ZodType;
  /** a device that is asked */
  build?(section: never, clock: Clock): Simulator;
  /** a device that connects, and speaks by itself */
  speak?(section: never): readonly Word[];
  /** a device that speaks through a broker */
  publish?(section: never, clock: Clock): readonly Said[];
  /** a device with a web server of its own */
  serve?(section: never, clock: Clock, random: Random): Served;
}

const fault = z.strictObject({
  at: duration.optional(),
  for: duration.optional(),
  every: duration.optional(),
  late: duration.optional(),
  drop: z.int().min(1).optional(),
  echo: z.boolean().optional(),
  pieces: z.int().min(1).optional(),
  silent: z.boolean().optional(),
  garble: z.enum(['checksum', 'noise', 'address']).optional(),
});

const file = z.strictObject({
  tcp: z.int().min(0).max(65_535).default(0),
  pty: z.string().startsWith('/').optional(),
  connect: z.string().optional(),
  broker: z.string().startsWith('mqtt').optional(),
  devices: z.array(z.looseObject({ driver: z.string() })).min(1),
  faults: z.array(fault).default([]),
});

export interface SimulatedLine {
  /** port to listen on; 0 = a free one */
  readonly tcp: number;
  /** path of a serial port to make with socat */
  readonly pty?: string | undefined;
  /** where devices that speak by themselves connect to */
  readonly connect?: string | undefined;
  /** where devices behind a broker publish */
  readonly broker?: string | undefined;
  readonly said: readonly Said[];
  readonly far: Simulator;
  readonly words: readonly Word[];
  /** devices with web servers of their own */
  readonly served: readonly Served[];
  /** nobody stands on the line: it need not be opened */
  readonly isEmpty: boolean;
  /** faults now; changed by the script */
  readonly faults: Faults;
  /** begins the script */
  play(tell: (line: string) => void): void;
}

/** @returns problems as plain sentences when the file makes no sense */
export async function readSimulation(
  text: string,
  simulations: (driver: string) => Promise<Simulation | undefined>,
  clock: Clock,
  random: Random,
): Promise<{ readonly line: SimulatedLine } | { readonly problems: readonly string[] }> {
  const document = parseDocument(text);
  if (document.errors.length > 0) return { problems: document.errors.map((e) => e.message) };
  const parsed = file.safeParse(document.toJS());
  if (!parsed.success) return { problems: told(parsed.error, '') };
  const problems: string[] = [];
  const devices: Simulator[] = [];
  const words: Word[] = [];
  const said: Said[] = [];
  const served: Served[] = [];
  for (const [i, { driver, ...section }] of parsed.data.devices.entries()) {
    const simulation = await simulations(driver);
    const where = `devices[${i}] `;
    if (simulation === undefined) problems.push(`${where}driver: ${driver} ?`);
    else {
      const own = simulation.schema.safeParse(section);
      if (own.success) {
        const device = simulation.build?.(own.data as never, clock);
        if (device !== undefined) devices.push(device);
        words.push(...(simulation.speak?.(own.data as never) ?? []));
        said.push(...(simulation.publish?.(own.data as never, clock) ?? []));
        const web = simulation.serve?.(own.data as never, clock, random);
        if (web !== undefined) served.push(web);
      } else problems.push(...told(own.error, where));
    }
  }
  if (problems.length > 0) return { problems };
  const faults: Faults = {};
  const far = withFaults({ receive: (bytes) => devices.flatMap((d) => d.receive(bytes)) }, faults);
  const { tcp, pty, connect, broker, faults: script } = parsed.data;
  if (words.length > 0 && connect === undefined) return { problems: ['connect: "127.0.0.1:5200" ?'] };
  if (said.length > 0 && broker === undefined) return { problems: ['broker: "mqtt://127.0.0.1:1883" ?'] };
  const isEmpty = devices.length === 0 && words.length === 0;
  const begin = (tell: (line: string) => void): void => {
    play(script, faults, clock, tell);
    for (const web of served) web.play(tell);
  };
  return { line: { tcp, pty, connect, broker, words, said, served, isEmpty, far, faults, play: begin } };
}

const told = (
  error: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] },
  where: string,
): string[] => error.issues.map((issue) => `${where}${issue.path.map(String).join('.')}: ${issue.message}`);

function play(
  script: readonly z.output<typeof fault>[],
  faults: Faults,
  clock: Clock,
  tell: (line: string) => void,
): void {
  for (const step of script) {
    const { at = 0, for: length, every, ...what } = step;
    const set = settings(what);
    const begin = (): void => {
      Object.assign(faults, set);
      tell(`+ ${JSON.stringify(what)}`);
      if (length !== undefined) clock.timer('fault over', length, end);
      if (every !== undefined) clock.timer('fault', every, begin);
    };
    const end = (): void => {
      for (const key of Object.keys(set)) delete faults[key as keyof Faults];
      tell(`- ${JSON.stringify(what)}`);
    };
    clock.timer('fault', at, begin);
  }
}

const GARBLED = {
  checksum: (bytes: Uint8Array) => bytes.map((b, i) => (i === bytes.length - 2 ? b ^ 0x5a : b)),
  noise: (bytes: Uint8Array) => Uint8Array.of(0x00, 0xff, 0x68, 0x16, ...bytes, 0x7f),
  address: (bytes: Uint8Array) => bytes.map((b, i) => (i === 0 ? b ^ 0x01 : b)),
} as const;

function settings({
  late,
  drop,
  echo,
  pieces,
  silent,
  garble,
}: Omit<z.output<typeof fault>, 'at' | 'for' | 'every'>): Faults {
  return {
    ...(late === undefined ? {} : { lateMs: late }),
    ...(silent === true ? { drop: Number.POSITIVE_INFINITY } : drop === undefined ? {} : { drop }),
    ...(echo === undefined ? {} : { echo }),
    ...(pieces === undefined ? {} : { pieces }),
    ...(garble === undefined ? {} : { garble: GARBLED[garble] }),
  };
}
