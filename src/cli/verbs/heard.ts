/** What a device said last and what was made of it, for a technician who wonders why there is no value. */
import type { Lang } from '../../base/text.ts';
import { table } from '../table.ts';

export interface Heard {
  readonly device: string;
  readonly heard?: {
    readonly at: string;
    readonly where: string;
    readonly text: string;
    readonly retained?: boolean;
    readonly refused?: string;
    readonly points: readonly {
      readonly point: string;
      readonly value?: unknown;
      readonly unit?: string;
      readonly quality?: string;
      readonly why?: string;
    }[];
  };
}

/** A reply about a device, and not about a register or a point. */
export const isHeard = (reply: unknown): reply is Heard =>
  typeof reply === 'object' && reply !== null && 'device' in reply && !('point' in reply);

/** What a message was refused for, and what became of a point. */
const WORDS: Readonly<Record<string, readonly [string, string]>> = {
  too_big: ['消息超过 64 KB', 'the message is over 64 KB'],
  not_utf8: ['不是 UTF-8 文本', 'it is no UTF-8'],
  too_deep: ['JSON 嵌套过深', 'the JSON is nested too deep'],
  not_json: ['不是 JSON：若是纯文本，写 payload: text', 'it is no JSON: for plain words write payload: text'],
  odd_presence: ['看不懂在线状态：应为 online 或 offline', 'no word of presence: online or offline is expected'],
  duplicate: ['重复的消息', 'it was there before'],
  event: ['服务器保留的旧消息，不算新事件', 'kept by the broker: no happening of now'],
  old: ['服务器保留的消息已过期', 'kept by the broker, and too old'],
  frame: ['不是所要的值：核对 value、as、words', 'no such value: check value, as, words'],
  nan: ['设备说没有值', 'the device says it has no value'],
  range: ['超出范围', 'out of range'],
  clock: ['消息里的时间不可信', 'the time in the message is not believable'],
  stale: ['服务器保留的消息，时间不明', 'kept by the broker, of unknown age'],
  device: ['设备自己说不可靠（doubt）', 'the device itself doubts it (doubt)'],
};

export function heardText({ device, heard }: Heard, lang: Lang): string {
  const zh = lang === 'zh';
  const word = (key: string | undefined): string => (key === undefined ? '' : (WORDS[key]?.[zh ? 0 : 1] ?? key));
  if (heard === undefined)
    return zh
      ? `${device}：还没有收到任何内容。核对主题、address、令牌；通道上实际收到什么：weinao watch --wire 通道\n`
      : `${device}: nothing was heard yet. Check topic, address, token; what comes on the channel: weinao watch --wire CHANNEL\n`;
  const kept = heard.retained === true ? (zh ? '（保留的消息）' : '  (retained)') : '';
  const head = [`${heard.at}  ${heard.where}${kept}`, ...(heard.text === '' ? [] : [printable(heard.text)])];
  if (heard.refused !== undefined) head.push(`${zh ? '未采用' : 'not taken'}: ${word(heard.refused)}`);
  const rows = heard.points.map(({ point, value, unit = '', quality = '', why }) => [
    point,
    value === undefined ? '-' : value === null ? '' : `${printable(String(value))} ${unit}`.trim(),
    quality,
    value === undefined && why === undefined ? (zh ? '消息里没有' : 'not in the message') : word(why),
  ]);
  return `${head.join('\n')}\n${rows.length === 0 ? '' : table([zh ? ['测点', '数值', '质量', ''] : ['point', 'value', 'quality', ''], ...rows])}`;
}

/** A device's text must not drive a terminal. */
export const printable = (text: string): string =>
  [...text].map((c) => (c < ' ' || (c >= '\u007f' && c < '\u00a0') ? '·' : c)).join('');
