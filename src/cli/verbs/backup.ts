import { resolve } from 'node:path';
import { backupJournal, restoreJournal } from '../../app/backup.ts';
import { EXIT } from '../../base/exit.ts';
import type { Call } from '../world.ts';

/** `weinao backup FILE`: a copy of the journal as of now. */
export async function backup({ world, lang, config, json }: Call, file: string): Promise<number> {
  const { bytes } = await backupJournal(config, world.env, resolve(file));
  if (json) world.out(`${JSON.stringify({ schema: 1, file: resolve(file), bytes })}\n`);
  else world.out(lang === 'zh' ? `已备份到 ${file}，${bytes} 字节\n` : `copied to ${file}, ${bytes} bytes\n`);
  return EXIT.ok;
}

/** `weinao restore FILE`: with the gateway stopped. Its feeds begin new epochs when their brokers know later members. */
export async function restore({ world, lang, config, json }: Call, file: string): Promise<number> {
  const { kept } = await restoreJournal(config, world.env, resolve(file), Date.parse(world.now()));
  if (json)
    world.out(`${JSON.stringify({ schema: 1, file: resolve(file), ...(kept === undefined ? {} : { kept }) })}\n`);
  else {
    const before = kept === undefined ? '' : lang === 'zh' ? `，原文件保留为 ${kept}` : `; the file before is ${kept}`;
    world.out(lang === 'zh' ? `已恢复${before}\n` : `restored${before}\n`);
  }
  return EXIT.ok;
}
