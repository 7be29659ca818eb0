import { needSite } from '../../app/check.ts';
import { type ExportAsk, exportRows } from '../../app/export.ts';
import { EXIT } from '../../base/exit.ts';
import { period } from '../moment.ts';
import type { Call } from '../world.ts';

export interface ExportOptions {
  readonly from: string;
  readonly to?: string;
  readonly what: ExportAsk['what'];
  readonly format: ExportAsk['format'];
  readonly device?: string;
  readonly personal?: boolean;
}

/** `weinao export`: stored readings or events on standard output. */
export async function exportData(call: Call, options: ExportOptions): Promise<number> {
  const { world, lang, config } = call;
  const site = await needSite(config, world.env);
  const now = Date.parse(world.now());
  const ask: ExportAsk = {
    what: options.what,
    format: options.format,
    ...period(options, now),
    isPersonalToo: options.personal === true,
    ...(options.device === undefined ? {} : { device: options.device }),
  };
  const { rows, withheld, isCut } = await exportRows(site, ask, (line) => world.out(line), world.stop);
  const kept =
    withheld === 0
      ? ''
      : lang === 'zh'
        ? `；另有 ${withheld} 行涉及个人，加 --personal 才导出`
        : `; ${withheld} personal rows left out, --personal includes them`;
  const cut = isCut ? (lang === 'zh' ? '已中断，不完整：' : 'interrupted, not complete: ') : '';
  world.err(lang === 'zh' ? `${cut}${rows} 行${kept}\n` : `${cut}${rows} rows${kept}\n`);
  return isCut ? EXIT.interrupted : EXIT.ok;
}
