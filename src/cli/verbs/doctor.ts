import { findClient } from '../../app/client.ts';
import { type Examined, type Finding, findingsOf } from '../../app/doctor.ts';
import { EXIT } from '../../base/exit.ts';
import type { Lang } from '../../base/text.ts';
import type { Call } from '../world.ts';

/** `weinao doctor`: 7 when something is broken; hints alone are 0. */
export async function doctor({ world, lang, config, json }: Call): Promise<number> {
  const client = await findClient(config, world.env);
  const status = (await client.call('GET', '/v1/status')).json as Examined;
  const findings = findingsOf(status);
  const faults = findings.filter((f) => f.isFault).length;
  if (json) world.out(`${JSON.stringify({ schema: 1, faults, findings })}\n`);
  else if (findings.length === 0) world.out(lang === 'zh' ? '没有发现问题\n' : 'nothing found\n');
  else for (const finding of findings) world.out(line(finding, lang));
  return faults === 0 ? EXIT.ok : EXIT.faults;
}

function line({ about, isFault, says, next }: Finding, lang: Lang): string {
  const mark = lang === 'zh' ? (isFault ? '故障' : '提示') : isFault ? 'fault' : 'hint';
  return `${mark}  ${about}: ${says[lang]}${next[lang] === '' ? '' : `\n      ${next[lang]}`}\n`;
}
