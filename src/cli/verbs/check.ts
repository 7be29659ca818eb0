import { checkConfig } from '../../app/check.ts';
import { EXIT } from '../../base/exit.ts';
import { showProblem } from '../../config/index.ts';
import type { Call } from '../world.ts';

/** `weinao check`: every problem at once; 4 when one is an error. */
export async function check({ world, lang, config, json }: Call): Promise<number> {
  const { site, problems } = await checkConfig(config, world.env);
  const errors = problems.filter((p) => p.severity === 'error').length;
  if (json) {
    const told = problems.map((p) => ({
      file: p.file,
      line: p.line,
      column: p.column,
      severity: p.severity,
      code: p.code,
      zh: showProblem(p, 'zh'),
      en: showProblem(p, 'en'),
    }));
    world.out(`${JSON.stringify({ schema: 1, ok: site !== undefined, problems: told })}\n`);
  } else {
    for (const problem of problems) world.out(`${showProblem(problem, lang)}\n`);
    if (site === undefined) world.err(lang === 'zh' ? `${errors} 个错误\n` : `${errors} errors\n`);
    else {
      const { devices, channels, feeds, rules } = site.model;
      const counts = [channels.size, devices.size, rules.length, feeds.size];
      world.out(
        lang === 'zh'
          ? `配置正确：通道 ${counts[0]}，设备 ${counts[1]}，规则 ${counts[2]}，上报 ${counts[3]}\n`
          : `ok: ${counts[0]} channels, ${counts[1]} devices, ${counts[2]} rules, ${counts[3]} feeds\n`,
      );
    }
  }
  return site === undefined ? EXIT.invalidConfig : EXIT.ok;
}
