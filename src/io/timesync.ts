/**
 * Whether the wall clock follows a time source: the flag file of systemd-timesyncd. Where timesyncd does not run (chrony, a container) the
 * file tells nothing and the clock counts as synchronised.
 */
import { existsSync } from 'node:fs';

const FOLDER = '/run/systemd/timesync';

export function timeSynchronised(folder: string = FOLDER): boolean {
  return !existsSync(folder) || existsSync(`${folder}/synchronized`);
}
