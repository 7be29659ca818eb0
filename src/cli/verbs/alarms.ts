/** `weinao alarms …` and `weinao maint …`: what the duty room sees and does. */
import { findClient } from '../../app/client.ts';
import { pastAlarms } from '../../app/past.ts';
import { WeinaoError } from '../../base/errors/index.ts';
import { EXIT } from '../../base/exit.ts';
import type { Operation } from '../../base/rules.ts';
import type { Lang } from '../../base/text.ts';
import { parseDuration } from '../../base/time.ts';
import { count } from '../moment.ts';
import { table } from '../table.ts';
import type { Call } from '../world.ts';

/** An alarm as the API shows it. */
export interface Shown {
  readonly aid: string;
  readonly key: string;
  readonly level: string;
  readonly condition: string;
  readonly ack: string;
  readonly mute: string;
  readonly count: number;
  readonly name: string;
  readonly text: string;
  readonly raised: string;
  readonly act?: string;
  readonly by?: string;
  readonly mute_reason?: string;
  readonly mute_until?: string;
  readonly quality: string;
  readonly observed: number;
  readonly why?: {
    readonly since: number;
    readonly inputs: readonly {
      readonly name: string;
      readonly value: unknown;
      readonly quality: string;
      readonly ts: number;
    }[];
  };
}

const MOST_PAST = 10_000;

const WORDS: Readonly<Record<string, string>> = {
  red: '红',
  orange: '橙',
  yellow: '黄',
  blue: '蓝',
  active: '报警中',
  cleared: '已恢复',
  unacked: '未确认',
  acked: '已确认',
  none: '',
  shelved: '已搁置',
  suppressed: '已抑制',
  maintenance: '检修',
};
export const word = (text: string, lang: Lang): string =>
  lang === 'zh' ? (WORDS[text] ?? text) : text === 'none' ? '' : text;
/** the end of an id: enough to name an alarm, short enough to type */
const short = (aid: string): string => aid.slice(-6);

export interface ByOption {
  readonly by?: string;
}

export async function alarmsList(call: Call): Promise<number> {
  const alarms = await openAlarms(call);
  const { world, lang, json } = call;
  if (json) {
    world.out(`${JSON.stringify({ schema: 1, alarms })}\n`);
    return EXIT.ok;
  }
  const rank = ['red', 'orange', 'yellow', 'blue'];
  const sorted = [...alarms].sort(
    (a, b) => rank.indexOf(a.level) - rank.indexOf(b.level) || (a.raised < b.raised ? 1 : -1),
  );
  const head =
    lang === 'zh'
      ? ['编号', '级别', '状态', '确认', '', '时间', '报警', '']
      : ['id', 'level', 'condition', 'ack', '', 'since', 'alarm', ''];
  const rows = sorted.map((a) => [
    short(a.aid),
    word(a.level, lang),
    word(a.condition, lang),
    word(a.ack, lang),
    word(a.mute, lang),
    local(a.raised),
    a.name,
    a.text,
  ]);
  if (rows.length === 0) world.out(lang === 'zh' ? '没有未关闭的报警\n' : 'no open alarms\n');
  else world.out(table([head, ...rows]));
  return EXIT.ok;
}

export async function alarmsShow(call: Call, aid: string): Promise<number> {
  const { world, lang, json } = call;
  const alarm = await oneAlarm(call, aid);
  if (json) world.out(`${JSON.stringify({ schema: 1, alarm })}\n`);
  else world.out(table(describe(alarm, lang)));
  return EXIT.ok;
}

export async function alarmsHistory(call: Call, options: { last: string; rule?: string }): Promise<number> {
  const { world, lang, config, json } = call;
  const last = count('--last', options.last, MOST_PAST);
  const past = await pastAlarms(config, world.env, last, options.rule);
  if (json) for (const one of past) world.out(`${JSON.stringify(one)}\n`);
  else if (past.length === 0) world.out(lang === 'zh' ? '没有报警历史\n' : 'no alarms yet\n');
  else
    world.out(
      table(
        past.map((p) => [
          local(p.at),
          short(p.aid),
          word(p.level, lang),
          transition(p.transition, lang),
          p.name,
          p.text,
        ]),
      ),
    );
  return EXIT.ok;
}

/** ack, reset, unshelve: one alarm and who does it. */
export async function alarmsDo(
  call: Call,
  kind: 'ack' | 'reset' | 'unshelve',
  aid: string,
  options: ByOption,
): Promise<number> {
  return operate(call, { kind, aid, by: who(call, options) });
}

export async function alarmsShelve(
  call: Call,
  aid: string,
  words: readonly string[],
  options: ByOption,
): Promise<number> {
  const [time = '', ...reason] = words;
  return operate(call, { kind: 'shelve', aid, by: who(call, options), forMs: span(time), reason: reason.join(' ') });
}

export async function maintOn(call: Call, what: string, words: readonly string[], options: ByOption): Promise<number> {
  const [time = '', ...reason] = words;
  return operate(call, { kind: 'maintain', what, by: who(call, options), forMs: span(time), reason: reason.join(' ') });
}

export async function maintOff(call: Call, what: string, options: ByOption): Promise<number> {
  return operate(call, { kind: 'maintained', what, by: who(call, options) });
}

export async function maintList(call: Call): Promise<number> {
  const { world, lang, config, json } = call;
  const client = await findClient(config, world.env);
  const reply = (await client.call('GET', '/v1/maint')).json as {
    maintenance: readonly { what: string; by: string; reason: string; until: string }[];
  };
  if (json) world.out(`${JSON.stringify(reply)}\n`);
  else if (reply.maintenance.length === 0) world.out(lang === 'zh' ? '没有检修\n' : 'no maintenance\n');
  else {
    const head = lang === 'zh' ? ['对象', '到', '经手人', '原因'] : ['what', 'until', 'by', 'reason'];
    world.out(table([head, ...reply.maintenance.map((m) => [m.what, local(m.until), m.by, m.reason])]));
  }
  return EXIT.ok;
}

export async function operate(call: Call, ask: Operation): Promise<number> {
  const { world, lang, config, json } = call;
  const client = await findClient(config, world.env);
  const reply = (await client.call('POST', '/v1/operate', ask)).json as { alarm?: Shown; id?: string };
  if (json) world.out(`${JSON.stringify(reply)}\n`);
  else if (reply.alarm === undefined)
    world.out(`${lang === 'zh' ? '完成' : 'done'}${reply.id === undefined ? '' : ` ${reply.id}`}\n`);
  else {
    const { name, condition, ack, mute } = reply.alarm;
    const state = [condition, ack, mute].map((w) => word(w, lang)).filter((w) => w !== '');
    world.out(`${name}: ${state.join(lang === 'zh' ? '，' : ', ')}\n`);
  }
  return EXIT.ok;
}

export async function openAlarms({ world, config }: Call): Promise<readonly Shown[]> {
  const client = await findClient(config, world.env);
  return ((await client.call('GET', '/v1/alarms')).json as { alarms: readonly Shown[] }).alarms;
}

export async function oneAlarm(call: Call, aid: string): Promise<Shown> {
  const found = (await openAlarms(call)).filter((a) => a.aid === aid || a.key === aid || a.aid.endsWith(aid));
  const [alarm] = found;
  if (alarm === undefined || found.length > 1) throw new WeinaoError('alarms.unknown', { aid });
  return alarm;
}

export function describe(alarm: Shown, lang: Lang): [string, string][] {
  const say = (zh: string, en: string): string => (lang === 'zh' ? zh : en);
  const rows: [string, string | undefined][] = [
    [say('报警', 'alarm'), `${alarm.name}  ${alarm.text}`],
    [say('级别', 'level'), word(alarm.level, lang)],
    [say('状态', 'state'), [alarm.condition, alarm.ack, alarm.mute].map((w) => word(w, lang)).join(' ')],
    [say('开始', 'raised'), `${local(alarm.raised)}${alarm.count > 1 ? ` (×${alarm.count})` : ''}`],
    [say('处置', 'do'), alarm.act],
    [say('经手人', 'by'), alarm.by],
    [say('原因', 'reason'), alarm.mute_reason],
    [say('到', 'until'), alarm.mute_until === undefined ? undefined : local(alarm.mute_until)],
    [
      say('数据', 'data'),
      alarm.quality === 'good' ? undefined : `${alarm.quality}, ${Math.round(alarm.observed * 100)} %`,
    ],
    [say('规则', 'rule'), alarm.key],
    [say('编号', 'id'), alarm.aid],
  ];
  return rows.flatMap(([label, value]) => (value === undefined || value === '' ? [] : [[label, value]]));
}

const TRANSITIONS: Readonly<Record<string, string>> = {
  raised: '报警',
  updated: '更新',
  acked: '确认',
  escalated: '升级',
  cleared: '恢复',
  closed: '关闭',
  shelved: '搁置',
};
const transition = (text: string, lang: Lang): string => (lang === 'zh' ? (TRANSITIONS[text] ?? text) : text);

/** The time of the reader's own clock. */
export function local(iso: string): string {
  const date = new Date(iso);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function who({ world }: Call, { by }: ByOption): string {
  return by ?? world.env.SUDO_USER ?? world.env.USER ?? 'console';
}

function span(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new WeinaoError('cli.bad_duration', { given: text });
  return ms;
}
