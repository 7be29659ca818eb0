import { runDaemon } from '../../app/run.ts';
import { EXIT } from '../../base/exit.ts';
import { showProblem } from '../../config/show.ts';
import type { Call } from '../world.ts';

/** `weinao run`: the daemon in the foreground. 4 when the configuration is invalid and none ran before. */
export async function run({ world, lang, config }: Call): Promise<number> {
  const end = await runDaemon(config, world.env, world.isTty);
  if (end.kind === 'stopped') return EXIT.ok;
  for (const problem of end.problems) world.err(`${showProblem(problem, lang)}\n`);
  return EXIT.invalidConfig;
}
