/** `weinao erase`: takes a person, a device, a form or an asset out of what the gateway keeps. Asks for a word first. */
import { findClient } from '../../app/client.ts';
import type { Erased } from '../../app/erase.ts';
import { EXIT } from '../../base/exit.ts';
import { moment } from '../moment.ts';
import type { Call } from '../world.ts';

export interface EraseOptions {
  readonly device?: readonly string[];
  readonly point?: readonly string[];
  readonly form?: readonly string[];
  readonly asset?: readonly string[];
  readonly person?: string;
  readonly from?: string;
  readonly to?: string;
  readonly by?: string;
  readonly reason: string;
  readonly yes?: boolean;
}

const WORD = { zh: '删除', en: 'erase' } as const;

export async function erase({ world, lang, config, json }: Call, options: EraseOptions): Promise<number> {
  const { device = [], point = [], form = [], asset = [], person, from, to, reason, yes } = options;
  if (device.length + point.length + form.length + asset.length === 0 && person === undefined) {
    world.err(
      lang === 'zh'
        ? '要删除什么？--device --point --form --asset --person\n'
        : 'erase what? --device --point --form --asset --person\n',
    );
    return EXIT.usage;
  }
  if (yes !== true && !(await isConfirmed(world, lang))) {
    world.err(lang === 'zh' ? '没有删除任何内容\n' : 'nothing was erased\n');
    return EXIT.refused;
  }
  const now = Date.parse(world.now());
  const client = await findClient(config, world.env);
  const { json: reply } = await client.call('POST', '/v1/erase', {
    devices: device,
    points: point,
    forms: form,
    assets: asset,
    ...(person === undefined ? {} : { person }),
    ...(from === undefined ? {} : { from: moment(from, now) }),
    ...(to === undefined ? {} : { to: moment(to, now) }),
    by: options.by ?? world.env.SUDO_USER ?? world.env.USER ?? 'local',
    reason,
  });
  const done = reply as Erased;
  const { events, samples, pictures, alarms, states } = done;
  if (json) world.out(`${JSON.stringify(reply)}\n`);
  else if (events + samples + pictures + alarms + states === 0)
    world.out(
      lang === 'zh' ? '没有找到要删除的内容：名称写对了吗？\n' : 'nothing was found to erase: is the name right?\n',
    );
  else {
    world.out(
      lang === 'zh'
        ? `已删除：事件 ${done.events}，样本 ${done.samples}，图片 ${done.pictures}，报警 ${done.alarms}，规则状态 ${done.states}\n`
        : `erased: ${done.events} events, ${done.samples} samples, ${done.pictures} pictures, ${done.alarms} alarms, ${done.states} rule states\n`,
    );
    for (const file of done.left)
      world.err(
        lang === 'zh' ? `仍可能含有，请自行处理：${file}\n` : `may still hold it, see to it yourself: ${file}\n`,
      );
  }
  return EXIT.ok;
}

async function isConfirmed(world: Call['world'], lang: Call['lang']): Promise<boolean> {
  world.err(lang === 'zh' ? `无法恢复。输入“${WORD.zh}”继续：` : `This cannot be undone. Type "${WORD.en}" to go on: `);
  for await (const line of world.stdin()) return line.trim() === WORD[lang];
  return false;
}
