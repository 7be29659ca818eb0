/** Device profiles: those shipped with the drivers, and the site's own. */
import { join } from 'node:path';
import { driverFaces, drivers } from '../../drivers/index.ts';
import type { DriverFace } from '../base/driver.ts';
import { WeinaoError } from '../base/errors/index.ts';
import { flowYaml } from '../base/flow-yaml.ts';
import type { FileReader } from '../base/ports.ts';
import type { LocatedProblem } from '../base/problem.ts';
import { systemFiles } from '../io/files.ts';
import { shippedConfig, shippedProfiles } from './shipped.ts';

const MOST = 256 * 1024;
const SUFFIX = '.yaml';
/** `source: ` and at least a word */
const SHORTEST_SOURCE = 12;

export interface ProfileEntry {
  readonly name: string;
  /** undefined for the site's own, which say no driver */
  readonly driver?: string;
  readonly path: string;
}

/** The site's own come first, as they do when a device names one. */
export async function listProfiles(
  configFolder: string,
  files: FileReader = systemFiles(),
): Promise<readonly ProfileEntry[]> {
  const out: ProfileEntry[] = [];
  const add = async (folder: string, driver?: string): Promise<void> => {
    for (const file of await files.list(folder))
      if (file.endsWith(SUFFIX))
        out.push({
          name: file.slice(0, -SUFFIX.length),
          path: join(folder, file),
          ...(driver === undefined ? {} : { driver }),
        });
  };
  await add(join(configFolder, 'profiles'));
  for (const { name } of drivers) await add(shippedProfiles(name), name);
  return out;
}

export async function showProfile(
  name: string,
  configFolder: string,
  files: FileReader = systemFiles(),
): Promise<string> {
  const known = await listProfiles(configFolder, files);
  const entry = known.find((p) => p.name === name);
  const text = entry === undefined ? undefined : await files.read(entry.path, MOST);
  if (text === undefined)
    throw new WeinaoError('cli.unknown_profile', { name, known: known.map((p) => p.name).join(' ') });
  return text;
}

/**
 * A profile as a device of the driver would be built from it: schema, identifiers, units, and the source every profile must name. The configuration it is
 * tried in is made up here, with the file in the place of the site's own profile.
 */
export async function checkProfile(path: string, driver: string): Promise<readonly LocatedProblem[]> {
  const { loadConfig } = await import('../config/index.ts');
  const faces = await driverFaces();
  const face = faces.find((f) => f.name === driver);
  if (face === undefined)
    throw new WeinaoError('cli.unknown_driver', { driver, known: faces.map((f) => f.name).join(' ') });
  const text = await systemFiles().read(path, MOST);
  if (text === undefined) throw new WeinaoError('cli.unreadable', { path, detail: 'ENOENT' });
  if (!text.split('\n').some((line) => line.startsWith('source: ') && line.length > SHORTEST_SOURCE))
    throw new WeinaoError('cli.no_source', { path });
  const site = trialSite(face, 'tried');
  const inFolder: Readonly<Record<string, string>> = { 'weinao.yaml': site, 'profiles/tried.yaml': text };
  const files: FileReader = {
    list: () => Promise.resolve([]),
    read: (asked, most) => {
      const own = Object.keys(inFolder).find((name) => asked === join('/profile', name));
      return own === undefined ? systemFiles().read(asked, most) : Promise.resolve(inFolder[own]);
    },
  };
  const { problems } = await loadConfig('/profile', {
    files,
    drivers: faces,
    readSecret: () => Promise.resolve({ value: 'tried' }),
    shipped: shippedConfig(),
    profiles: shippedProfiles,
  });
  return problems;
}

/** The smallest configuration with one device `d` of a profile. */
export function trialSite(face: DriverFace, profile: string): string {
  const [carries = 'tcp'] = face.carries;
  const carrier = { serial: '/dev/null', mqtt: 'mqtt://127.0.0.1:1' }[String(carries)] ?? '127.0.0.1:1';
  const keys = face.trial ?? (face.station({ address: 1, points: {} }) === undefined ? {} : { address: 1 });
  // One that stands on no line needs none.
  const channel = face.carries.length === 0 ? {} : { channel: 'c' };
  const device = flowYaml({ driver: face.name, ...channel, ...keys, profile });
  return `site: {id: x, name: x}\nchannels: {c: ${flowYaml({ [carries]: carrier })}}\ndevices:\n  d: ${device}\n`;
}
