import { addDevices } from '../../app/add.ts';
import { type FindLine, findAlone } from '../../app/find.ts';
import { EXIT } from '../../base/exit.ts';
import { flowYaml } from '../../base/flow-yaml.ts';
import type { Lang } from '../../base/text.ts';
import type { NewDevice } from '../../config/index.ts';
import type { Call } from '../world.ts';

export interface ScanCamerasOptions {
  readonly range?: string;
  readonly add?: boolean;
}

type Found = Extract<FindLine, { kind: 'found' }>;

/** `weinao scan cameras`: sends no password; Ctrl-C keeps what was found. Prints the YAML to paste. */
export async function scanCameras(call: Call, options: ScanCamerasOptions): Promise<number> {
  const { world, lang, config, json } = call;
  const found: Found[] = [];
  const show = (line: FindLine): void => {
    if (line.kind === 'found') found.push(line);
    if (json) world.out(`${JSON.stringify(line)}\n`);
    else shown(line, call);
  };
  await findAlone(options.range, config, world.env, world.stop, show);
  const devices = found
    .filter((one) => one.known === undefined)
    .map(({ address, section }) => ({ id: `cam_${String(address).replaceAll('.', '_')}`, section }));
  if (!json) world.out(summary(found, devices, options.range, lang));
  if (options.add === true && devices.length > 0) {
    const ids = await addDevices(config, devices, world.env);
    if (!json) world.out(added(ids, lang));
  }
  if (world.stop.aborted) return EXIT.interrupted;
  return found.length > 0 ? EXIT.ok : EXIT.noAnswer;
}

function shown(line: FindLine, { world, lang }: Call): void {
  if (line.kind === 'progress' && world.isTty) world.err(`\r${Math.round((100 * line.done) / line.total)}%   `);
  if (line.kind !== 'found') return;
  if (world.isTty) world.err('\r');
  const { address, section, says, known } = line;
  const where = section.port === undefined ? String(address) : `${address}:${String(section.port)}`;
  const already = lang === 'zh' ? `已配置为 ${known}` : `configured as ${known}`;
  world.out(`  ${where}  ${known === undefined ? says[lang] : already}\n`);
}

function summary(found: readonly Found[], devices: readonly NewDevice[], range: string | undefined, lang: Lang) {
  const zh = lang === 'zh';
  if (found.length === 0) {
    const hint = zh
      ? '没有找到摄像机。海康等机型默认关闭 ONVIF：在摄像机网页的 网络-高级-集成协议 中启用'
      : 'no camera found. Many have ONVIF switched off: enable it in the web page (Hikvision: Network, Advanced, Integration Protocol)';
    const wider = zh
      ? '；按地址逐个询问：--range 192.168.1.0/24'
      : '; ask the addresses one by one with --range 192.168.1.0/24';
    return `${hint}${range === undefined ? wider : ''}\n`;
  }
  if (devices.length === 0) return '';
  const note = zh
    ? '# 先在摄像机里新建 ONVIF 用户，密码写入 secrets/ 下同名文件（0600）；把下面几行放进配置的 devices'
    : '# make an ONVIF user in the camera, put its password into the file under secrets/ (0600); put these under devices';
  return `\n${note}\ndevices:\n${devices.map(({ id, section }) => `  ${id}: ${flowYaml(section)}\n`).join('')}`;
}

const added = (ids: readonly string[], lang: Lang): string =>
  lang === 'zh'
    ? `已写入配置：${ids.join(' ')}；执行 weinao reload 生效\n`
    : `added: ${ids.join(' ')}; weinao reload takes them\n`;
