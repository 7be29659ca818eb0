import { findClient } from '../../app/client.ts';
import { probeAlone } from '../../app/probe-alone.ts';
import { isWeinaoError, WeinaoError } from '../../base/errors/index.ts';
import { EXIT } from '../../base/exit.ts';
import { table } from '../table.ts';
import type { Call } from '../world.ts';

export interface ProbeOptions {
  readonly channel?: string;
  readonly address?: string;
}

interface Reply {
  readonly value?: unknown;
  readonly unit?: string;
  readonly quality?: string;
  readonly why?: string;
  readonly register?: {
    readonly table: string;
    readonly pdu: number;
    readonly number: number;
    readonly modicon: string;
  };
  readonly request?: string;
  readonly reply?: string;
  readonly words?: readonly string[];
  readonly decodings?: readonly { readonly as: string; readonly order: string; readonly value: number }[];
}

/** `weinao probe device.point`, or `weinao probe --channel C --address 5 holding 0 2`: through the daemon, or alone when it does not run. */
export async function probe(call: Call, words: readonly string[], options: ProbeOptions): Promise<number> {
  const { world, config, json } = call;
  const ask = askOf(words, options);
  const client = await findClient(config, world.env);
  let reply: unknown;
  try {
    reply = (await client.call('POST', '/v1/probe', ask)).json;
  } catch (error) {
    if (!isWeinaoError(error, 'cli.not_running')) throw error;
    reply = await probeAlone(ask, config, world.env, world.stop);
  }
  world.out(json ? `${JSON.stringify(reply)}\n` : shown(reply as Reply, call));
  return EXIT.ok;
}

function askOf(words: readonly string[], options: ProbeOptions): unknown {
  if (options.channel === undefined) {
    const [device, point, ...rest] = (words[0] ?? '').split('.');
    if (device === undefined || point === undefined || rest.length > 0 || words.length !== 1)
      throw new WeinaoError('cli.bad_probe');
    return { device, point };
  }
  const [table, address, count = '1'] = words;
  const numbers = [options.address, address, count].map(Number);
  if (table === undefined || numbers.some((n) => !Number.isInteger(n))) throw new WeinaoError('cli.bad_probe');
  return { channel: options.channel, station: numbers[0], table, address: numbers[1], count: numbers[2] };
}

function shown(r: Reply, { lang }: Call): string {
  const zh = lang === 'zh';
  const point =
    r.value === undefined
      ? []
      : [
          `${String(r.value)}${r.unit === undefined ? '' : ` ${r.unit}`}  ${r.quality ?? ''}${r.why === undefined ? '' : ` (${r.why})`}`,
        ];
  const { register } = r;
  if (register === undefined) return `${point.join('')}\n`;
  const head = [
    ...point,
    `${register.table}  PDU ${register.pdu}  ${zh ? '序号' : 'number'} ${register.number}  ${register.modicon}`,
    `->  ${r.request ?? ''}`,
    `<-  ${r.reply ?? ''}`,
    `${zh ? '原始' : 'raw'}  ${(r.words ?? []).join(' ')}`,
  ];
  const rows = (r.decodings ?? []).map((d) => [d.as, d.order, String(d.value)]);
  const title = zh ? ['类型', '字节序', '数值'] : ['as', 'order', 'value'];
  return `${head.join('\n')}\n${rows.length === 0 ? '' : table([title, ...rows])}`;
}
