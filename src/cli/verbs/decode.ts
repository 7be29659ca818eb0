import { decodeHex, decodeLine, protocols } from '../../app/decode.ts';
import { WeinaoError } from '../../base/errors/index.ts';
import { EXIT } from '../../base/exit.ts';
import type { Lang } from '../../base/text.ts';
import type { Call } from '../world.ts';

export interface DecodeOptions {
  readonly ndjson?: boolean;
  readonly request?: string;
}

const LABELS: Readonly<Record<string, readonly [string, string]>> = {
  outcome: ['结果', 'outcome'],
  slave: ['站号', 'station'],
  function: ['功能码', 'function'],
  registers: ['寄存器', 'registers'],
  bits: ['位', 'bits'],
  register: ['寄存器', 'register'],
  coil: ['线圈', 'coil'],
  address: ['地址', 'address'],
  count: ['数量', 'count'],
  value: ['数值', 'value'],
  exception: ['异常码', 'exception'],
  meaning: ['含义', 'meaning'],
  reason: ['原因', 'reason'],
  computed: ['计算的校验', 'checksum computed'],
  on_wire: ['报文中的校验', 'checksum on the wire'],
  bytes_outside_frame: ['帧外字节', 'bytes outside the frame'],
  have: ['已有字节', 'bytes here'],
  need: ['需要字节', 'bytes needed'],
  frames: ['帧', 'frames'],
  start: ['起始字节', 'from byte'],
  end: ['结束字节', 'to byte'],
  control: ['控制码', 'control'],
  from_meter: ['来自表计', 'from the meter'],
  ok: ['正常应答', 'no refusal'],
  more_frames: ['有后续帧', 'more frames follow'],
  di: ['数据标识', 'identifier'],
  di_order: ['标识字节序', 'order of the identifier'],
  ser: ['序号', 'serial'],
  meter_type: ['表计类型', 'type of meter'],
  error: ['拒绝原因', 'refused because'],
  error_byte: ['错误字', 'error byte'],
  before: ['之前', 'before'],
  after: ['之后', 'after'],
  values: ['数值', 'values'],
  header: ['表头', 'header'],
  records: ['记录', 'records'],
  rejected: ['未通过', 'rejected'],
  looks_like: ['像是', 'looks like'],
  recognised: ['能否识别', 'recognised'],
  protocol: ['规约', 'protocol'],
};

/** `weinao decode PROTOCOL HEX…` explains bytes; `--ndjson` reads lines from standard input. */
export async function decode(call: Call, words: readonly string[], options: DecodeOptions): Promise<number> {
  const { world, lang, json } = call;
  if (options.ndjson === true) {
    for await (const line of world.stdin()) if (line.trim() !== '') world.out(`${JSON.stringify(decodeLine(line))}\n`);
    return EXIT.ok;
  }
  const [protocol, ...hex] = words;
  if (protocol === undefined || hex.length === 0)
    throw new WeinaoError('cli.unknown_protocol', { given: protocol ?? '', known: protocols().join(' ') });
  const decoded = decodeHex(protocol, hex.join(' '), options.request);
  if (json) world.out(`${JSON.stringify({ schema: 1, ...decoded })}\n`);
  else world.out(`${explained(decoded, lang, '').join('\n')}\n`);
  return EXIT.ok;
}

/** One line for each plain member; frames and records as blocks below their name, values as `name: value unit`. */
function explained(object: object, lang: Lang, indent: string): string[] {
  return Object.entries(object).flatMap(([key, value]): string[] => {
    const label = LABELS[key]?.[lang === 'zh' ? 0 : 1] ?? key;
    if (!Array.isArray(value)) {
      if (typeof value !== 'object' || value === null) return [`${indent}${label}: ${value ?? '—'}`];
      return [`${indent}${label}:`, ...explained(value, lang, `${indent}  `)];
    }
    if (value.length === 0) return [];
    if (value.every((v) => typeof v !== 'object')) return [`${indent}${label}: ${value.join(' ')}`];
    const items = (value as object[]).flatMap((item, n) =>
      'name' in item && 'value' in item
        ? [valueLine(item as { name: string; value: unknown; unit?: string }, indent)]
        : [`${indent}  [${n + 1}]`, ...explained(item, lang, `${indent}    `)],
    );
    return [`${indent}${label}:`, ...items];
  });
}

const valueLine = ({ name, value, unit }: { name: string; value: unknown; unit?: string }, indent: string): string =>
  `${indent}  ${name}: ${value ?? '—'}${unit === undefined || unit === '' ? '' : ` ${unit}`}`;
