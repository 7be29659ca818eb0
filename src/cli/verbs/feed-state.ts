/** `weinao feed show | forget | replay`: how far each platform is, and what a person may do about it. */
import { findClient } from '../../app/client.ts';
import { isCount } from '../../app/feeds.ts';
import { WeinaoError } from '../../base/errors/index.ts';
import { EXIT } from '../../base/exit.ts';
import type { Lang } from '../../base/text.ts';
import { reasonText, stateWord } from '../reasons.ts';
import type { Call } from '../world.ts';

interface StreamShown {
  readonly acked: number;
  readonly first: number;
  readonly last: number;
  readonly waiting: {
    readonly rows: number;
    readonly samples: number;
    readonly bytes: number;
    readonly oldest?: string;
    readonly age_ms?: number;
  };
}

interface FeedShown {
  readonly id: string;
  readonly state: string;
  readonly says?: Readonly<Record<Lang, string>>;
  readonly epoch: string;
  readonly reason: string;
  readonly view: string;
  readonly a: StreamShown;
  readonly t: StreamShown;
  readonly dropped: Readonly<Record<string, number>>;
  readonly gaps: readonly {
    readonly stream: string;
    readonly reason: string;
    readonly lost?: number;
    readonly from?: string;
    readonly to?: string;
    readonly asked?: { readonly stream: string; readonly first: number; readonly last: number };
  }[];
}

export async function feedShow({ world, lang, config, json }: Call, name: string | undefined): Promise<number> {
  const client = await findClient(config, world.env);
  const { feeds } = (await client.call('GET', '/v1/feeds')).json as { feeds: readonly FeedShown[] };
  const shown = name === undefined ? feeds : feeds.filter((f) => f.id === name);
  if (name !== undefined && shown.length === 0) throw new WeinaoError('journal.no_feed', { feed: name });
  world.out(json ? `${JSON.stringify({ schema: 1, feeds: shown })}\n` : shown.map((f) => screen(f, lang)).join('\n'));
  return EXIT.ok;
}

export async function feedForget({ world, lang, config, json }: Call, name: string): Promise<number> {
  const client = await findClient(config, world.env);
  const { json: reply } = await client.call('POST', '/v1/feeds/forget', { feed: name });
  world.out(json ? `${JSON.stringify(reply)}\n` : lang === 'zh' ? `已忘记 ${name}\n` : `${name} is forgotten\n`);
  return EXIT.ok;
}

export interface ReplayOptions {
  readonly stream: string;
  readonly from: string;
  readonly to: string;
}

export async function feedReplay(
  { world, lang, config, json }: Call,
  name: string,
  ask: ReplayOptions,
): Promise<number> {
  const [from, to] = [Number(ask.from), Number(ask.to)];
  if (!isCount(from) || !isCount(to) || to < from)
    throw new WeinaoError('cli.bad_members', { from: ask.from, to: ask.to });
  const client = await findClient(config, world.env);
  const body = { feed: name, stream: ask.stream, from, to };
  const { json: reply } = await client.call('POST', '/v1/feeds/replay', body);
  const { sent } = reply as { sent: number };
  world.out(
    json
      ? `${JSON.stringify(reply)}\n`
      : lang === 'zh'
        ? `已重发 ${sent} 个成员\n`
        : `${sent} members sent once more\n`,
  );
  return EXIT.ok;
}

function screen(feed: FeedShown, lang: Lang): string {
  const say = (zh: string, en: string): string => (lang === 'zh' ? zh : en);
  const stream = (name: string, kind: string, { acked, first, last, waiting }: StreamShown): string =>
    `  ${name} ${kind}  ${say('已确认', 'acked')} ${acked}  ${first > last ? say('不可重发', 'nothing to replay') : `${say('可重发', 'replay')} ${first}..${last}`}  ` +
    `${say('待发', 'waiting')} ${waiting.rows} ${say('条', 'rows')}${waiting.samples > 0 ? ` ${waiting.samples} ${say('个样本', 'samples')}` : ''} ${sizeText(waiting.bytes)}` +
    `${waiting.age_ms === undefined ? '' : `  ${say('最早', 'oldest')} ${waiting.oldest} (${ageText(waiting.age_ms)})`}`;
  const dropped = Object.entries(feed.dropped).map(([why, n]) => `${reasonText(why, lang)} ${n}`);
  return `${[
    `${feed.id}  ${stateWord(feed.state, lang)}  ${say('纪元', 'epoch')} ${feed.epoch} (${reasonText(feed.reason, lang)})  ${say('视图', 'view')} ${feed.view}`,
    stream('a', say('报警', 'alarms'), feed.a),
    stream('t', say('数据', 'telemetry'), feed.t),
    ...(dropped.length === 0 ? [] : [`  ${say('已丢弃', 'dropped')}: ${dropped.join(', ')}`]),
    ...feed.gaps.map((g) => `  ${say('缺口', 'gap')} ${g.stream} ${reasonText(g.reason, lang)} ${gapText(g)}`),
    ...(feed.says === undefined ? [] : [`  ${say('错误', 'error')}: ${feed.says[lang]}`]),
  ].join('\n')}\n`;
}

function gapText({ lost, from, to, asked }: FeedShown['gaps'][number]): string {
  if (asked !== undefined) return `${asked.stream} ${asked.first}..${asked.last}`;
  return `${lost ?? ''} ${from ?? ''} .. ${to ?? ''}`;
}

const sizeText = (bytes: number): string =>
  bytes < 1024
    ? `${bytes} B`
    : bytes < 1024 ** 2
      ? `${Math.round(bytes / 1024)} KB`
      : `${(bytes / 1024 ** 2).toFixed(1)} MB`;

function ageText(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1000)}s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)}m`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)}h` : `${Math.round(ms / 86_400_000)}d`;
}
