import { findClient } from '../../app/client.ts';
import { EXIT } from '../../base/exit.ts';
import type { Lang } from '../../base/text.ts';
import { stateWord } from '../reasons.ts';
import { table } from '../table.ts';
import type { Call } from '../world.ts';

interface Status {
  readonly site: { readonly id: string; readonly name: string };
  readonly version: string;
  readonly ready: boolean;
  readonly uptime_ms: number;
  readonly health: { readonly ok: boolean; readonly causes: readonly Record<Lang, string>[] };
  readonly config: { readonly last_good: boolean; readonly problems: readonly Record<Lang, string>[] };
  readonly channels: readonly Record<string, string | number>[];
  readonly devices: readonly {
    readonly id: string;
    readonly name?: string;
    readonly online?: boolean;
    readonly polls: number;
    readonly failures: number;
    readonly missed: number;
    readonly says?: Readonly<Record<Lang, string>>;
    readonly health?: { readonly level?: string };
  }[];
  readonly journal: { readonly durable: boolean; readonly head: number };
  readonly feeds: readonly {
    readonly id: string;
    readonly state: string;
    readonly says?: Readonly<Record<Lang, string>>;
    readonly waiting: { readonly a: number; readonly t: number };
  }[];
  readonly alarms: { readonly open: number; readonly active: number; readonly red: number };
  readonly memory: { readonly rss: number };
}

/** `weinao status`: how the gateway is, on one screen. */
export async function status({ world, lang, config, json }: Call): Promise<number> {
  const client = await findClient(config, world.env);
  const reply = (await client.call('GET', '/v1/status')).json;
  world.out(json ? `${JSON.stringify(reply)}\n` : screen(reply as Status, lang));
  return EXIT.ok;
}

function screen(s: Status, lang: Lang): string {
  const say = (zh: string, en: string): string => (lang === 'zh' ? zh : en);
  const lines = [
    `${s.site.name} (${s.site.id})  weinao ${s.version}  ${s.ready ? say('就绪', 'ready') : say('未就绪', 'not ready')}  ${say('健康', 'health')}: ${s.health.ok ? say('正常', 'ok') : s.health.causes.map((c) => c[lang]).join('; ')}`,
    `${say('运行', 'up')} ${Math.round(s.uptime_ms / 1000)} s  ${say('内存', 'memory')} ${Math.round(s.memory.rss / 1048576)} MB  ${say('存储', 'store')}: ${s.journal.durable ? say('正常', 'ok') : say('失效（仅内存）', 'FAILED (memory only)')}`,
    `${say('报警', 'alarms')}: ${say('活动', 'active')} ${s.alarms.active}, ${say('红色', 'red')} ${s.alarms.red}, ${say('未关闭', 'open')} ${s.alarms.open}`,
  ];
  if (s.config.last_good)
    lines.push(
      say('配置有误，正在运行上一份配置：', 'configuration invalid, the last good one runs:'),
      ...s.config.problems.map((p) => `  ${p[lang]}`),
    );
  const channels = table([
    [
      say('通道', 'channel'),
      say('状态', 'state'),
      say('应答', 'replies'),
      say('超时', 'timeouts'),
      say('坏帧', 'bad'),
      say('浪费', 'wasted'),
    ],
    ...s.channels.map((c) => [
      c.id ?? '',
      stateWord(String(c.state ?? ''), lang),
      c.replies ?? 0,
      c.timeouts ?? 0,
      c.bad_frames ?? 0,
      `${Math.round(Number(c.wasted_share) * 100)}%`,
    ]),
  ]);
  const devices = table([
    [
      say('设备', 'device'),
      say('名称', 'name'),
      say('状态', 'state'),
      say('轮询', 'polls'),
      say('失败', 'failed'),
      say('错过', 'missed'),
      '',
    ],
    ...s.devices.map((d) => [
      d.id,
      d.name ?? '',
      d.online === true ? say('在线', 'online') : d.online === false ? say('离线', 'OFFLINE') : '...',
      d.polls,
      d.failures,
      d.missed,
      [d.says?.[lang], d.health?.level].filter((word) => word !== undefined && word !== 'up_auth').join(' '),
    ]),
  ]);
  const feeds = table([
    [say('上报', 'feed'), say('状态', 'state'), say('待发报警', 'alarms waiting'), say('待发数据', 'data waiting'), ''],
    ...s.feeds.map((f) => [f.id, stateWord(f.state, lang), f.waiting.a, f.waiting.t, f.says?.[lang] ?? '']),
  ]);
  return `${lines.join('\n')}\n\n${channels}\n${devices}${s.feeds.length === 0 ? '' : `\n${feeds}`}`;
}
