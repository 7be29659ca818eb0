/** `weinao report`: how good the alarms are. */
import type { AlarmReport } from '../../app/kpi.ts';
import { alarmReport } from '../../app/past.ts';
import { EXIT } from '../../base/exit.ts';
import type { Lang } from '../../base/text.ts';
import { period } from '../moment.ts';
import { table } from '../table.ts';
import type { Call } from '../world.ts';
import { local, word } from './alarms.ts';

export interface ReportOptions {
  readonly from: string;
  readonly to?: string;
}

export async function report({ world, lang, config, json }: Call, options: ReportOptions): Promise<number> {
  const now = Date.parse(world.now());
  const { from, to } = period(options, now);
  const result = await alarmReport(config, world.env, from, to);
  world.out(json ? `${JSON.stringify({ schema: 1, ...result })}\n` : screen(result, lang));
  return EXIT.ok;
}

function screen(r: AlarmReport, lang: Lang): string {
  const say = (zh: string, en: string): string => (lang === 'zh' ? zh : en);
  const levels = Object.entries(r.by_level).map(([level, n]) => `${word(level, lang)} ${n}`);
  const rows: [string, string][] = [
    [say('时段', 'time'), `${local(r.from)} .. ${local(r.to)}`],
    [say('报警', 'alarms'), `${r.raised}  ${levels.join(say('，', ', '))}`],
    [
      say('每 10 分钟', 'in 10 minutes'),
      say(
        `平均 ${r.per_10min.mean}，最多 ${r.per_10min.worst}，集中出现 ${r.per_10min.floods} 次`,
        `mean ${r.per_10min.mean}, worst ${r.per_10min.worst}, floods ${r.per_10min.floods}`,
      ),
    ],
    [say('确认用时（中位）', 'time to ack (median)'), r.median_ack_s === undefined ? '—' : `${r.median_ack_s} s`],
    [say('反复', 'chattering'), r.chattering.join(' ') || '—'],
    [say('超过一天', 'over a day'), r.standing.map((s) => `${s.key} ${s.hours}h`).join(' ') || '—'],
  ];
  const worst = r.worst.map((w) => ['  ', w.count, w.key, w.name] as const);
  const disclosed = r.disclosed.map((d) => {
    const of = d.class === 'sensitive' ? say('敏感', 'sensitive') : say('个人', 'personal');
    const what = say(
      `${d.members} 条消息，${d.values} 个值，每小时最多 ${d.subjects} 个对象，${d.hours} 小时`,
      `${d.members} messages, ${d.values} values, of at most ${d.subjects} in an hour, ${d.hours} hours`,
    );
    return ['  ', d.feed, of, what] as const;
  });
  const told = disclosed.length === 0 ? '' : `${say('送出的个人信息', 'personal data sent')}:\n${table(disclosed)}`;
  return `${table(rows)}${say('最多的', 'most from')}:\n${table(worst)}${told}`;
}
