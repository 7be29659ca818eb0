import { decodeHex, decodeLine, protocols } from '../../app/decode.ts';
import { WeinaoError } from '../../base/errors/index.ts';
import { EXIT } from '../../base/exit.ts';
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
  address: ['起始地址', 'address'],
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
  else
    for (const [key, value] of Object.entries(decoded)) {
      const label = LABELS[key]?.[lang === 'zh' ? 0 : 1] ?? key;
      world.out(`${label}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}\n`);
    }
  return EXIT.ok;
}
