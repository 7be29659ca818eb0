/** `weinao scan`: who is on a line, through the running gateway, which lends it, or without one. */
import { drivers } from '../../drivers/index.ts';
import { isWeinaoError, WeinaoError } from '../base/errors/index.ts';
import { isLine, type LineChannel, type SiteModel } from '../base/model.ts';
import type { Engine } from '../engine/index.ts';
import { type ScanLine, type ScanOptions, scanLine } from '../engine/scan.ts';
import { systemClock } from '../io/clock.ts';
import { pinoLog } from '../io/log.ts';
import { systemRandom } from '../io/random.ts';
import { type Env, needSite } from './check.ts';
import { openChannel } from './ports.ts';

export type { ScanLine, ScanOptions };

/** The last line of a scan: how many were found, or what ended it. */
export type ScanStream =
  | (ScanLine & { /** the device that is already configured so */ readonly known?: string })
  | { readonly kind: 'end'; readonly found: number }
  | { readonly error: unknown };

export function readScanOptions(query: { get(key: string): string | null }): ScanOptions {
  const [from, to] = (query.get('ids') ?? '1-32').split('-').map(Number);
  const ids = [from ?? Number.NaN, to ?? from ?? Number.NaN] as const;
  if (!ids.every((n) => Number.isInteger(n) && n >= 0 && n <= 255) || ids[0] > ids[1])
    throw new WeinaoError('cli.bad_ids', { given: query.get('ids') ?? '' });
  return { ids, all: query.get('all') === '1' };
}

/** Throws cli.unknown_channel before anything is told. */
export function scanLive(channel: string, options: ScanOptions, engine: Engine, site: SiteModel) {
  let tell: (line: ScanStream) => void = () => {};
  let gone = new AbortController().signal;
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const lent = engine.lend(channel, async (line) => {
    await begun;
    return run(line, options, gone, (said) => tell(withKnown(said, channel, site)));
  });
  if (lent === undefined)
    throw new WeinaoError('cli.unknown_channel', { channel, known: [...site.channels.keys()].join(' ') });
  lent.catch((error: unknown) => {
    if (isWeinaoError(error)) tell({ error: { code: error.code, params: error.params } });
    else tell({ error: { detail: String(error) } });
  });
  return (push: (line: ScanStream) => void, signal: AbortSignal): void => {
    tell = push;
    gone = signal;
    begin();
  };
}

export async function scanAlone(
  channel: string,
  options: ScanOptions,
  configFolder: string,
  env: Env,
  signal: AbortSignal,
  tell: (line: ScanStream) => void,
): Promise<void> {
  const site = await needSite(configFolder, env);
  const line = site.model.channels.get(channel);
  if (line === undefined || !isLine(line))
    throw new WeinaoError('cli.unknown_channel', { channel, known: [...site.model.channels.keys()].join(' ') });
  await run(line, options, signal, (said) => tell(withKnown(said, channel, site.model)));
}

/** Who was found may be configured already. */
function withKnown(line: ScanStream, channel: string, site: SiteModel): ScanStream {
  if (!('kind' in line) || line.kind !== 'found') return line;
  const { driver, address } = line;
  const known = [...site.devices.values()].find(
    (d) =>
      d.channel === channel &&
      d.driver === driver &&
      String((d.config as { address?: unknown }).address) === String(address),
  );
  return known === undefined ? line : { ...line, known: known.id };
}

async function run(
  line: LineChannel,
  options: ScanOptions,
  signal: AbortSignal,
  tell: (line: ScanStream) => void,
): Promise<void> {
  const deps = {
    clock: systemClock(),
    log: pinoLog({ level: 'silent', descriptor: 2, time: false }),
    random: systemRandom(),
    drivers,
    openPort: openChannel,
  };
  try {
    tell({ kind: 'end', found: await scanLine(line, deps, options, signal, tell) });
  } catch (error) {
    if (!isWeinaoError(error, 'link.cancelled')) throw error;
  }
}
