import { viewFeed } from '../../app/feed-view.ts';
import { EXIT } from '../../base/exit.ts';
import { count } from '../moment.ts';
import type { Call } from '../world.ts';

const MOST = 10_000;

interface Member {
  readonly type: string;
  readonly time: string;
  readonly subject?: string;
  readonly severitytext?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** `weinao feed view NAME --last 100`: what the feed's view lets out of the newest happenings. With --json one CloudEvent a line. */
export async function feedView(call: Call, name: string, options: { readonly last: string }): Promise<number> {
  const { world, lang, config, json } = call;
  const last = count('--last', options.last, MOST);
  const { view, members, rows } = await viewFeed(config, world.env, name, last);
  for (const text of members) world.out(json ? `${text}\n` : line(JSON.parse(text) as Member));
  world.err(
    lang === 'zh'
      ? `视图 ${view}：最近 ${rows} 行中有 ${members.length} 条会发送\n`
      : `view ${view}: ${members.length} messages out of the last ${rows} rows\n`,
  );
  return EXIT.ok;
}

function line({ type, time, subject, severitytext, data }: Member): string {
  const kind = type.slice('weinao.'.length, -'.v1'.length);
  const { text, samples } = data;
  const said =
    typeof text === 'string' ? text : Array.isArray(samples) ? samples.map(sampled).join('  ') : JSON.stringify(data);
  return `${[time, kind, severitytext, subject, said].filter((word) => word !== undefined).join('  ')}\n`;
}

function sampled(sample: unknown): string {
  const { d, p, v, q } = sample as Record<string, unknown>;
  return `${d}.${p}=${v === undefined ? q : String(v)}`;
}
