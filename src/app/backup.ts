/** A copy of the journal while the gateway runs, and the way back. What is put back is checked first; what it replaces is kept under another name. */
import { WeinaoError } from '../base/errors/index.ts';
import { isoTime } from '../base/time.ts';
import { exists } from '../io/process.ts';
import { renameDatabase } from '../io/store-files.ts';
import { checkJournal, copyJournal } from '../journal/copy.ts';
import { restoreFrom } from '../journal/restored.ts';
import type { Env } from './check.ts';
import { findClient } from './client.ts';
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
  const client = await findClient(configFolder, env);
  const isRunning = await client.call('GET', '/v1/health').then(
    () => true,
    () => false,
  );
  if (isRunning) throw new WeinaoError('cli.already_running', { socket: client.socket });
  checkJournal(file);
  const path = await journalOf(configFolder, env);
  const kept = `${path}.before-restore-${isoTime(wall).replaceAll(':', '').slice(0, 17)}`;
  const isThere = exists(path);
  if (isThere) renameDatabase(path, kept);
  await restoreFrom(file, path);
  return isThere ? { kept } : {};
}
