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

const KINDS: Readonly<Record<string, string>> = {
  gateway: '网关',
  store: '存储',
  config: '配置',
  clock: '时钟',
  channel: '通道',
  device: '设备',
  feed: '上报通道',
};

/** `device tank_1` */
function named(about: string, lang: Lang): string {
  const [kind = '', ...name] = about.split(' ');
  return lang === 'zh' ? [KINDS[kind] ?? kind, ...name].join(' ') : about;
}

function line({ about, isFault, says, next }: Finding, lang: Lang): string {
  const mark = lang === 'zh' ? (isFault ? '故障' : '提示') : isFault ? 'fault' : 'hint';
  return `${mark}  ${named(about, lang)}: ${says[lang]}${next[lang] === '' ? '' : `\n      ${next[lang]}`}\n`;
}
