import { needSite } from '../../app/check.ts';
import { findClient } from '../../app/client.ts';
import { type PlannedChannel, type PlannedDevice, type Plans, plansOf } from '../../app/plan.ts';
import { isWeinaoError, WeinaoError } from '../../base/errors/index.ts';
import { EXIT } from '../../base/exit.ts';
import type { Lang } from '../../base/text.ts';
import { table } from '../table.ts';
import type { Call } from '../world.ts';

export interface PlanOptions {
  readonly relearn?: string;
}

/** `weinao plan`: with what the running gateway learned, or of the configuration alone when none runs. */
export async function plan(call: Call, channel: string | undefined, options: PlanOptions): Promise<number> {
  const { world, lang, config, json } = call;
  const client = await findClient(config, world.env);
  if (options.relearn !== undefined) {
    await client.call('POST', '/v1/relearn', { device: options.relearn });
    world.out(lang === 'zh' ? `${options.relearn} 学到的限制已清除，重新试探\n` : `${options.relearn} learns anew\n`);
    return EXIT.ok;
  }
  const plans = await client
    .call('GET', '/v1/plan')
    .then((reply) => reply.json as Plans)
    .catch((error: unknown) => {
      if (isWeinaoError(error, 'cli.not_running')) return ofConfiguration(call);
      throw error;
    });
  const wanted = plans.channels.filter((c) => channel === undefined || c.id === channel);
  if (wanted.length === 0 && channel !== undefined)
    throw new WeinaoError('cli.unknown_channel', { channel, known: plans.channels.map((c) => c.id).join(' ') });
  if (json) world.out(`${JSON.stringify({ ...plans, channels: wanted })}\n`);
  else world.out(`${wanted.map((c) => screen(c, plans.live, lang)).join('\n')}`);
  return EXIT.ok;
}

async function ofConfiguration({ world, config }: Call): Promise<Plans> {
  return plansOf((await needSite(config, world.env)).model, undefined);
}

function screen(channel: PlannedChannel, live: boolean, lang: Lang): string {
  const say = (zh: string, en: string): string => (lang === 'zh' ? zh : en);
  const { id, cycle_s, least_s, load, devices, unplanned } = channel;
  const percent = `${(load * 100).toFixed(1)}%`;
  const over = load > 1 ? say('  超载：轮询间隔无法保证', '  OVERLOADED: the polling cannot be kept') : '';
  const state = live ? say('运行中', 'live') : say('未运行，按配置估算', 'not running, by the configuration');
  const head = say(
    `${id}（${state}）：每轮 ${cycle_s} 秒，理论最少 ${least_s} 秒，总线占用 ${percent}${over}`,
    `${id} (${state}): ${cycle_s} s a cycle, ${least_s} s at the least, bus load ${percent}${over}`,
  );
  const rows = table([
    [
      say('设备', 'device'),
      say('读取', 'reads'),
      say('寄存器', 'registers'),
      say('毫秒', 'ms'),
      say('最少', 'least'),
      '',
    ],
    ...devices.map((d) => [
      d.id,
      d.reads.length,
      d.reads.reduce((sum, r) => sum + r.registers, 0),
      d.ms.toFixed(0),
      d.leastMs.toFixed(0),
      d.reads.map((r) => r.what).join('; '),
    ]),
  ]);
  const rest =
    unplanned.length === 0 ? '' : `${say('按数据项逐个读取', 'read item by item')}: ${unplanned.join(' ')}\n`;
  return `${head}\n${devices.length === 0 ? '' : rows}${rest}${devices.flatMap((d) => learned(d, lang)).join('')}`;
}

const learned = ({ id, learned: reasons }: PlannedDevice, lang: Lang): string[] =>
  reasons.map((reason) => `  ${id}: ${reason[lang]}\n`);
