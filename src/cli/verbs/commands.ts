/** `weinao commands` and `weinao confirm`: what platforms ask for, and the duty room's yes or no. */
import { findClient } from '../../app/client.ts';
import { EXIT } from '../../base/exit.ts';
import type { Lang } from '../../base/text.ts';
import { reasonText } from '../reasons.ts';
import { table } from '../table.ts';
import type { Call } from '../world.ts';
import { type ByOption, local, who } from './alarms.ts';

interface Shown {
  readonly id: string;
  readonly feed: string;
  readonly do: string;
  readonly outcome: string;
  readonly by: string;
  readonly at: string;
  readonly expires: string;
  readonly device?: string;
  readonly point?: string;
  readonly value?: unknown;
  readonly aid?: string;
  readonly form?: string;
  readonly what?: string;
  readonly why?: string;
  readonly reason?: string;
  readonly read_back?: unknown;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  accepted: '执行中',
  confirming: '等待确认',
  done: '完成',
  failed: '失败',
  denied: '拒绝',
  expired: '过期',
};
const word = (outcome: string, lang: Lang): string => (lang === 'zh' ? (OUTCOMES[outcome] ?? outcome) : outcome);

const about = ({ do: verb, device, point, value, aid, form, what }: Shown): string =>
  verb === 'write'
    ? `${device}.${point} = ${String(value)}`
    : `${verb} ${device ?? form ?? what ?? aid?.slice(-6) ?? ''}`.trim();

export async function commandsList({ world, lang, config, json }: Call): Promise<number> {
  const client = await findClient(config, world.env);
  const reply = (await client.call('GET', '/v1/commands')).json as {
    pending: readonly Shown[];
    recent: readonly Shown[];
  };
  if (json) world.out(`${JSON.stringify(reply)}\n`);
  else {
    const all = [...reply.pending, ...reply.recent];
    const head =
      lang === 'zh'
        ? ['编号', '通道', '状态', '时间', '到', '请求', '经手人', '说明']
        : ['id', 'feed', 'state', 'at', 'until', 'asks', 'by', 'note'];
    const rows = all.map((c) => [
      c.id,
      c.feed,
      word(c.outcome, lang),
      local(c.at),
      local(c.expires),
      about(c),
      c.by,
      c.reason === undefined ? (c.why ?? '') : reasonText(c.reason, lang),
    ]);
    if (rows.length === 0) world.out(lang === 'zh' ? '没有平台命令\n' : 'no commands\n');
    else world.out(table([head, ...rows]));
  }
  return EXIT.ok;
}

/** 3 when a yes did not lead to it being done. */
export async function confirm(
  call: Call,
  id: string,
  options: ByOption & { readonly deny?: boolean },
): Promise<number> {
  const { world, lang, config, json } = call;
  const client = await findClient(config, world.env);
  const deny = options.deny === true;
  const reply = (await client.call('POST', '/v1/confirm', { id, by: who(call, options), deny })).json as Shown;
  if (json) world.out(`${JSON.stringify(reply)}\n`);
  else {
    const { reason, read_back } = reply;
    const note = reason === undefined ? String(read_back ?? '') : reasonText(reason, lang);
    world.out(`${about(reply)}: ${word(reply.outcome, lang)}${note === '' ? '' : ` (${note})`}\n`);
  }
  return deny || reply.outcome === 'done' ? EXIT.ok : EXIT.noAnswer;
}
