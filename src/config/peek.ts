/** The data folder a configuration names, read as leniently as can be: for the day the rest of it is broken. */
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { systemFiles } from '../io/files.ts';
import { MAX_BYTES } from './document.ts';

const DEFAULT = '/var/lib/weinao';

export async function peekData(folder: string, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  try {
    const text = (await systemFiles().read(join(folder, 'weinao.yaml'), MAX_BYTES)) ?? '';
    const data = parseDocument(text, { strict: false }).getIn(['gateway', 'data']);
    if (typeof data === 'string' && data.startsWith('/')) return data;
  } catch {
    // whatever is wrong with the file is told by the loader
  }
  return env.WEINAO_DATA ?? env.STATE_DIRECTORY ?? DEFAULT;
}
