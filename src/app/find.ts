/** `weinao scan cameras`: who is on the network. Needs no daemon, since it uses no line. */
import { drivers } from '../../drivers/index.ts';
import { WeinaoError } from '../base/errors/index.ts';
import { addressOf, rangeOf } from '../base/ipv4.ts';
import type { SiteModel } from '../base/model.ts';
import type { HttpDoor, Random, UdpDoor } from '../base/ports.ts';
import { createHttpDoor } from '../io/http-client.ts';
import { systemRandom } from '../io/random.ts';
import { createUdpDoor } from '../io/udp.ts';
import type { DriverModule, Found } from '../kit/driver.ts';
import { checkConfig, type Env } from './check.ts';

const MOST_ADDRESSES = 1024;

export type FindLine =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | (Found & { readonly kind: 'found' /** the device that is already configured so */; readonly known?: string })
  | { readonly kind: 'end'; readonly found: number };

export interface FindDeps {
  readonly modules: readonly DriverModule[];
  readonly doors: { readonly http: HttpDoor; readonly udp: UdpDoor };
  readonly random: Random;
}

/** Throws cli.bad_range. */
export function readRange(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const range = rangeOf(text);
  const count = range === undefined ? 0 : range.last - range.first + 1;
  if (range === undefined || count > MOST_ADDRESSES)
    throw new WeinaoError('cli.bad_range', { given: text, most: MOST_ADDRESSES });
  const all = Array.from({ length: count }, (_, i) => addressOf(range.first + i));
  // Its first and last address are the network's and everybody's.
  return count > 2 ? all.slice(1, -1) : all;
}

export async function findAlone(
  range: string | undefined,
  folder: string,
  env: Env,
  signal: AbortSignal,
  tell: (line: FindLine) => void,
): Promise<void> {
  const asked = readRange(range);
  // Without a configuration, or with one in work, there is simply nobody known.
  const site = await checkConfig(folder, env).catch(() => undefined);
  const doors = { http: createHttpDoor(), udp: createUdpDoor() };
  await find(asked, { modules: drivers, doors, random: systemRandom() }, site?.site?.model, signal, tell);
}

export async function find(
  range: readonly string[],
  { modules, doors, random }: FindDeps,
  site: SiteModel | undefined,
  signal: AbortSignal,
  tell: (line: FindLine) => void,
): Promise<void> {
  const finders = modules.filter((module) => module.find !== undefined);
  const total = finders.length * (range.length + 1);
  let done = 0;
  let count = 0;
  const found = (one: Found): void => {
    count++;
    const known = knownAs(one, site);
    tell({ kind: 'found', ...one, ...(known === undefined ? {} : { known }) });
  };
  const step = (): void => tell({ kind: 'progress', done: ++done, total });
  for (const module of finders) await module.find?.({ doors, random, signal, range, found, step });
  tell({ kind: 'end', found: count });
}

function knownAs({ driver, address }: Found, site: SiteModel | undefined): string | undefined {
  const devices = [...(site?.devices.values() ?? [])];
  return devices.find((d) => d.driver === driver && (d.config as { host?: unknown }).host === address)?.id;
}
