import { simulate as run } from '../../app/simulate.ts';
import { EXIT } from '../../base/exit.ts';
import type { Call } from '../world.ts';

/** `weinao simulate FILE`: prints what to write into the configuration's channel; ends with Ctrl-C. */
export async function simulate({ world }: Call, path: string): Promise<number> {
  await run(path, (line) => world.out(`${line}\n`), world.stop);
  return EXIT.interrupted;
}
