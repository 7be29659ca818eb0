import { addDevices } from '../../app/add.ts';
import { findClient } from '../../app/client.ts';
import type { Guess } from '../../app/guess.ts';
import { savePicture } from '../../app/inspect.ts';
import { probeAlone } from '../../app/probe-alone.ts';
import { isWeinaoError, WeinaoError } from '../../base/errors/index.ts';
import { EXIT } from '../../base/exit.ts';
import { flowYaml } from '../../base/flow-yaml.ts';
import { table } from '../table.ts';
import type { Call } from '../world.ts';
import { heardText, isHeard } from './heard.ts';
import { inspectedText, isInspected, isSilent } from './inspected.ts';

export interface ProbeOptions {
  readonly channel?: string;
  readonly address?: string;
  /** what the device's display shows */
  readonly expect?: string;
  readonly add?: boolean;
  /** a file for a picture of the camera */
  readonly snapshot?: string;
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
  readonly expected?: number;
  readonly confirmed?: boolean;
  readonly guesses?: readonly Guess[];
  readonly decodings?: readonly { readonly as: string; readonly order: string; readonly value: number }[];
}

/** `weinao probe device.point`, `weinao probe device` of one that speaks by itself, or `weinao probe --channel C --address 5 holding 0 2`: through the daemon, or alone when it does not run. */
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
  if (options.snapshot !== undefined) return picture(reply, options.snapshot, call);
  if (json) world.out(`${JSON.stringify(reply)}\n`);
  else if (isInspected(reply)) world.out(inspectedText(reply, call.lang));
  else world.out(isHeard(reply) ? heardText(reply, call.lang) : shown(reply as Reply, call));
  if (options.add === true) await add(reply as Reply, options, call);
  return isInspected(reply) && isSilent(reply) ? EXIT.noAnswer : EXIT.ok;
}

async function picture(reply: unknown, path: string, { world, lang, json }: Call): Promise<number> {
  const { picture: base64 = '' } = reply as { readonly picture?: string };
  await savePicture(path, base64);
  const bytes = Buffer.from(base64, 'base64').length;
  if (json) world.out(`${JSON.stringify({ schema: 1, path, bytes })}\n`);
  else
    world.out(lang === 'zh' ? `图片已存为 ${path}（${bytes} 字节）\n` : `the picture is in ${path} (${bytes} bytes)\n`);
  return EXIT.ok;
}

/** The likeliest reading as a device of one point; what is there already is for a person to change. */
async function add(
  reply: Reply,
  { channel, address }: ProbeOptions,
  { world, lang, config, json }: Call,
): Promise<void> {
  const [best] = reply.guesses ?? [];
  if (best === undefined || reply.register === undefined || channel === undefined)
    throw new WeinaoError('cli.nothing_to_add');
  const section = {
    driver: 'modbus',
    channel,
    address: Number(address),
    points: { value: keysOf(best, reply.register) },
  };
  const [id = ''] = await addDevices(config, [{ id: `modbus_${address}`, section }], world.env);
  if (!json)
    world.out(
      lang === 'zh' ? `已写入配置：${id}；执行 weinao reload 生效\n` : `added: ${id}; weinao reload takes it\n`,
    );
}

function keysOf(
  { as, order, scale }: Guess,
  register: { readonly table: string; readonly pdu: number },
): Record<string, unknown> {
  return {
    register: `${register.table} ${register.pdu}`,
    as,
    ...(order === 'ABCD' ? {} : { order }),
    ...(scale === 1 ? {} : { scale }),
  };
}

function askOf(words: readonly string[], options: ProbeOptions): object {
  if (options.expect === undefined) return whatOf(words, options);
  const expect = Number(options.expect);
  if (options.expect.trim() === '' || !Number.isFinite(expect)) throw new WeinaoError('cli.bad_probe');
  return { ...whatOf(words, options), expect };
}

function whatOf(words: readonly string[], options: ProbeOptions): object {
  if (options.channel === undefined) {
    const [device, point, ...rest] = (words[0] ?? '').split('.');
    if (words.length === 1 && device !== undefined && device !== '' && point === undefined)
      return { device, ...(options.snapshot === undefined ? {} : { snapshot: true }) };
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
  if (r.expected !== undefined) point.push(verdict(r, zh));
  const { register } = r;
  if (register === undefined) return `${point.join('\n')}\n`;
  const head = [
    ...point,
    `${register.table}  PDU ${register.pdu}  ${zh ? '序号' : 'number'} ${register.number}  ${register.modicon}`,
    `->  ${r.request ?? ''}`,
    `<-  ${r.reply ?? ''}`,
    `${zh ? '原始' : 'raw'}  ${(r.words ?? []).join(' ')}`,
  ];
  const rows = (r.decodings ?? []).map((d) => [d.as, d.order, String(d.value)]);
  const title = zh ? ['类型', '字节序', '数值'] : ['as', 'order', 'value'];
  return `${head.join('\n')}\n${rows.length === 0 ? '' : table([title, ...rows])}${guessed(r, zh)}`;
}

function verdict({ expected, confirmed }: Reply, zh: boolean): string {
  if (confirmed === true)
    return zh ? `与显示值 ${expected} 相符，已确认` : `as the display says (${expected}): confirmed`;
  return zh
    ? `与显示值 ${expected} 不符：核对地址、类型、字节序和倍率`
    : `not what the display says (${expected}): check address, type, order and scale`;
}

/** The lines to paste: which type, order and scale make the display's value. */
function guessed({ guesses, register }: Reply, zh: boolean): string {
  if (guesses === undefined || register === undefined) return '';
  if (guesses.length === 0)
    return zh ? '没有读法符合显示值：地址可能不对\n' : 'no reading comes near the display: perhaps another address\n';
  const lines = guesses.map((guess) => `  ${flowYaml(keysOf(guess, register))}  # ${guess.value}\n`);
  return `${zh ? '符合显示值的读法' : 'readings that come near the display'}:\n${lines.join('')}`;
}
