/** The demo's terminal: readings and alarms as they come, then the summary, in the reader's language. */
import type { Lang, Text } from '../../base/text.ts';
import { say } from '../../base/text.ts';
import type { WatchLine } from '../watch.ts';

export interface DemoSummary {
  readonly points_read: number;
  readonly events: number;
  readonly delivered: number;
  readonly duplicates_dropped: number;
  readonly gaps: number;
  readonly chain: 'ok' | 'broken';
  readonly alarms: { readonly raised: number; readonly cleared: number };
}

const WORDS = {
  level: {
    red: { zh: '红色', en: 'RED' },
    orange: { zh: '橙色', en: 'ORANGE' },
    yellow: { zh: '黄色', en: 'YELLOW' },
    blue: { zh: '蓝色', en: 'BLUE' },
  },
  transition: {
    raised: { zh: '报警', en: 'raised' },
    updated: { zh: '更新', en: 'updated' },
    acked: { zh: '确认', en: 'acknowledged' },
    escalated: { zh: '升级', en: 'escalated' },
    cleared: { zh: '恢复', en: 'cleared' },
    closed: { zh: '关闭', en: 'closed' },
    shelved: { zh: '搁置', en: 'shelved' },
  },
  online: { zh: '上线', en: 'online' },
  offline: { zh: '离线', en: 'offline' },
  act: { zh: '处置', en: 'do' },
  shadow: { zh: '（试运行）', en: '(shadow)' },
} as const satisfies Record<string, unknown>;

/** One line of the demo's screen, or undefined for what it does not show. */
export function demoLine(line: WatchLine, lang: Lang, colour: boolean): string | undefined {
  if (line.kind === 'device')
    return `${clock(line.at)}  ${line.name ?? line.device}  ${say(line.online ? WORDS.online : WORDS.offline, lang)}`;
  if (line.kind === 'reading') {
    const shown =
      line.quality === 'good'
        ? `${show(line.value)}${line.unit === undefined ? '' : ` ${line.unit}`}`
        : `${line.quality} (${line.why ?? ''})`;
    return `${clock(line.at)}  ${line.name ?? `${line.device}.${line.point}`}  ${shown}`;
  }
  const { alarm } = line;
  const words = [
    ...(line.shadow === true ? [say(WORDS.shadow, lang)] : []),
    say(WORDS.level[alarm.level], lang),
    say(WORDS.transition[line.transition], lang),
    alarm.name,
    line.text,
  ];
  if (line.transition === 'raised' && alarm.act !== undefined) words.push(`${say(WORDS.act, lang)}: ${alarm.act}`);
  const text = `${clock(new Date(alarm.changed).toISOString())}  ${words.join('  ')}`;
  return colour ? `\u001b[${line.transition === 'cleared' ? 32 : 31}m${text}\u001b[0m` : text;
}

const clock = (iso: string): string => iso.slice(11, 19);
const show = (value: unknown): string =>
  typeof value === 'number' ? String(Math.round(value * 1000) / 1000) : String(value);

const SUMMARY: readonly { readonly key: keyof DemoSummary; readonly label: Text }[] = [
  { key: 'points_read', label: { zh: '读取点数', en: 'points read' } },
  { key: 'events', label: { zh: '保存事件', en: 'events kept' } },
  { key: 'delivered', label: { zh: '送达', en: 'delivered' } },
  { key: 'duplicates_dropped', label: { zh: '丢弃重复', en: 'duplicates dropped' } },
  { key: 'gaps', label: { zh: '缺口', en: 'gaps' } },
  { key: 'chain', label: { zh: '哈希链', en: 'hash chain' } },
];

export function demoSummary(summary: DemoSummary, lang: Lang): string {
  const lines = SUMMARY.map(({ key, label }) => `${say(label, lang)}: ${String(summary[key])}`);
  const alarms: Text = {
    zh: `报警: 触发 ${summary.alarms.raised}，恢复 ${summary.alarms.cleared}`,
    en: `alarms: ${summary.alarms.raised} raised, ${summary.alarms.cleared} cleared`,
  };
  return `${[...lines, say(alarms, lang)].join('\n')}\n`;
}
