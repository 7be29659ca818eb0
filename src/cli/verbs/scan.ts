import { addDevices } from '../../app/add.ts';
import { findClient } from '../../app/client.ts';
import { readScanOptions, type ScanStream, scanAlone } from '../../app/scan.ts';
import { isWeinaoError } from '../../base/errors/index.ts';
import { EXIT } from '../../base/exit.ts';
import { flowYaml } from '../../base/flow-yaml.ts';
import type { NewDevice } from '../../config/index.ts';
import type { Call } from '../world.ts';

export interface ScanCliOptions {
  readonly ids?: string;
  readonly all?: boolean;
  readonly add?: boolean;
}

type Found = Extract<ScanStream, { kind: 'found' }>;

/** `weinao scan CHANNEL`: only reads; Ctrl-C keeps what was found. Prints the YAML to paste. */
export async function scan(call: Call, channel: string, options: ScanCliOptions): Promise<number> {
  const { world, lang, config, json } = call;
  const query = new URLSearchParams({ channel, ids: options.ids ?? '1-32', all: options.all === true ? '1' : '0' });
  const asked = readScanOptions(query);
  const found: Found[] = [];
  const over = new AbortController();
  const show = (line: unknown): void => {
    const said = line as ScanStream;
    if ('kind' in said && said.kind === 'found') found.push(said);
    if (json) world.out(`${JSON.stringify(line)}\n`);
    else if ('kind' in said) shown(said, call);
    if ('kind' in said && said.kind === 'end') over.abort();
  };
  const client = await findClient(config, world.env);
  await client.follow(`/v1/scan?${query}`, show, AbortSignal.any([world.stop, over.signal])).catch((error: unknown) => {
    if (!isWeinaoError(error, 'cli.not_running')) throw error;
    return scanAlone(channel, asked, config, world.env, world.stop, show);
  });
  const fresh = found.filter((f) => f.known === undefined);
  const devices = fresh.map((f) => ({ id: `${f.driver}_${f.address}`, section: { ...f.section, channel } }));
  if (!json) world.out(summary(found, devices, lang));
  if (options.add === true && devices.length > 0) {
    const ids = await addDevices(config, devices, world.env);
    if (!json)
      world.out(
        lang === 'zh'
          ? `已写入配置：${ids.join(' ')}；执行 weinao reload 生效\n`
          : `added: ${ids.join(' ')}; weinao reload takes them\n`,
      );
  }
  if (world.stop.aborted) return EXIT.interrupted;
  return found.length > 0 ? EXIT.ok : EXIT.noAnswer;
}

function shown(line: ScanStream, { world, lang }: Call): void {
  if ('error' in line) return;
  const zh = lang === 'zh';
  if (line.kind === 'progress') {
    if (world.isTty)
      world.err(
        `\r${Math.round((100 * line.done) / line.total)}%  ${zh ? '约剩' : 'about'} ${line.left_s} s ${zh ? '' : 'left '}   `,
      );
    return;
  }
  if (world.isTty && line.kind !== 'end') world.err('\r');
  if (line.kind === 'setting') world.out(`${zh ? '线路参数' : 'line'} ${line.setting}\n`);
  else if (line.kind === 'note') world.out(`  ${line.says[lang]}\n`);
  else if (line.kind === 'found')
    world.out(
      `  ${line.driver} ${line.address}: ${line.known === undefined ? line.says[lang] : configured(line.known, zh)}\n`,
    );
}

const configured = (id: string, zh: boolean): string => (zh ? `已配置为 ${id}` : `configured as ${id}`);

function summary(found: readonly Found[], devices: readonly NewDevice[], lang: 'zh' | 'en'): string {
  const zh = lang === 'zh';
  const [first] = found;
  if (first === undefined)
    return zh
      ? '没有找到设备。对调 A、B 再试；确认设备有电、终端电阻和地址；扩大范围 --ids 1-247\n'
      : 'nobody found. Exchange A and B and try again; check power and addresses; ask more stations with --ids 1-247\n';
  if (devices.length === 0) return '';
  const lines = devices.map(({ id, section }) => `  ${id}: ${flowYaml(section)}\n`);
  const note = zh
    ? `# 线路参数 ${first.setting}；把下面几行放进配置的 devices`
    : `# line ${first.setting}; put these under devices`;
  return `\n${note}\ndevices:\n${lines.join('')}`;
}
