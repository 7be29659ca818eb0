/** Devices written into the site's weinao.yaml, if the configuration is as good afterwards as it was before. */
import { join } from 'node:path';
import { WeinaoError } from '../base/errors/index.ts';
import type { NewDevice } from '../config/index.ts';
import { systemFiles, writeAtomic } from '../io/files.ts';
import { checkConfig, type Env } from './check.ts';

const MOST = 1024 * 1024;

/** @returns the ids they got; throws config.not_added, with the file as it was, when it could not be done */
export async function addDevices(folder: string, devices: readonly NewDevice[], env: Env): Promise<readonly string[]> {
  const { withDevices } = await import('../config/index.ts');
  const path = join(folder, 'weinao.yaml');
  const before = await systemFiles().read(path, MOST);
  const added = before === undefined ? undefined : withDevices(before, devices);
  if (before === undefined || added === undefined) throw new WeinaoError('config.not_added', { path });
  const had = errorsOf(await checkConfig(folder, env));
  await writeAtomic(path, added.text);
  if (errorsOf(await checkConfig(folder, env)) <= had) return added.ids;
  await writeAtomic(path, before);
  throw new WeinaoError('config.not_added', { path });
}

const errorsOf = ({ problems }: Awaited<ReturnType<typeof checkConfig>>): number =>
  problems.filter((p) => p.severity === 'error').length;
