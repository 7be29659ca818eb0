/** A copy of the journal while the gateway runs, and the way back. What is put back is checked first; what it replaces is kept under another name. */
import { isWeinaoError, WeinaoError } from '../base/errors/index.ts';
import { isoTime } from '../base/time.ts';
import { exists } from '../io/process.ts';
import { renameDatabase } from '../io/store-files.ts';
import { checkJournal, copyJournal } from '../journal/copy.ts';
import { restoreFrom } from '../journal/restored.ts';
import type { Env } from './check.ts';
import { type Client, findClient } from './client.ts';
import { journalOf } from './past.ts';

export async function backupJournal(configFolder: string, env: Env, file: string): Promise<{ readonly bytes: number }> {
  return { bytes: await copyJournal(await journalOf(configFolder, env), file) };
}

/** @returns where the file that stood there went */
export async function restoreJournal(
  configFolder: string,
  env: Env,
  file: string,
  wall: number,
): Promise<{ readonly kept?: string }> {
  await needStopped(await findClient(configFolder, env));
  checkJournal(file);
  const path = await journalOf(configFolder, env);
  const kept = `${path}.before-restore-${isoTime(wall).replaceAll(':', '').slice(0, 17)}`;
  const isThere = exists(path);
  await restoreFrom(file, path, () => {
    if (isThere) renameDatabase(path, kept);
  });
  return isThere ? { kept } : {};
}

/** Throws cli.already_running, also of one that is just starting, and whatever else keeps from knowing. */
async function needStopped({ socket, call }: Client): Promise<void> {
  try {
    await call('GET', '/v1/health');
  } catch (error) {
    if (isWeinaoError(error, 'cli.not_running')) return;
    if (!isWeinaoError(error, 'cli.starting')) throw error;
  }
  throw new WeinaoError('cli.already_running', { socket });
}
