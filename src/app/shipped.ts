/** Where the things shipped beside the code are: in a checkout beside `src/app`, in a release beside the bundle's folder. */
import { fileURLToPath } from 'node:url';

const isSource = import.meta.url.endsWith('.ts');
const root = new URL(isSource ? '../../' : '../', import.meta.url);

export const shippedConfig = (): string => fileURLToPath(new URL('config', root));
export const shippedProfiles = (driver: string): string => fileURLToPath(new URL(`drivers/${driver}/profiles`, root));
/** the file a thread or a child process starts with */
export const entryOf = (name: 'store-worker' | 'config-child'): URL =>
  new URL(`./${name}.${isSource ? 'ts' : 'js'}`, import.meta.url);
