import { checkProfile, listProfiles, showProfile } from '../../app/profiles.ts';
import { EXIT } from '../../base/exit.ts';
import { showProblem } from '../../config/index.ts';
import { table } from '../table.ts';
import type { Call } from '../world.ts';

/** `weinao profiles list`: the site's own before those shipped. */
export async function profilesList({ world, lang, config, json }: Call): Promise<number> {
  const known = await listProfiles(config);
  if (json) world.out(`${JSON.stringify({ schema: 1, profiles: known })}\n`);
  else {
    const own = lang === 'zh' ? '（现场自有）' : '(the site’s own)';
    world.out(table(known.map((p) => [p.name, p.driver ?? own, p.path])));
  }
  return EXIT.ok;
}

export async function profilesShow({ world, config }: Call, name: string): Promise<number> {
  world.out(await showProfile(name, config));
  return EXIT.ok;
}

/** `weinao profiles check FILE --driver NAME`: as a device would be built from it; 4 when something is wrong. */
export async function profilesCheck({ world, lang, json }: Call, path: string, driver: string): Promise<number> {
  const problems = await checkProfile(path, driver);
  const told = problems.map((p) => showProblem(p, lang));
  if (json) world.out(`${JSON.stringify({ schema: 1, ok: told.length === 0, problems: told })}\n`);
  else if (told.length > 0) world.err(`${told.join('\n')}\n`);
  else world.out(lang === 'zh' ? '模板可用\n' : 'the profile is good\n');
  return told.length === 0 ? EXIT.ok : EXIT.invalidConfig;
}
