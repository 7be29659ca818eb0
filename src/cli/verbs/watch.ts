import { findClient } from '../../app/client.ts';
import { demoLine } from '../../app/demo/view.ts';
import type { WatchLine } from '../../app/watch.ts';
import { EXIT } from '../../base/exit.ts';
import type { Call } from '../world.ts';
import { printable } from './heard.ts';

export interface WatchOptions {
  readonly wire?: string;
  readonly alarms?: boolean;
  readonly device?: string;
}

interface WireLine {
  readonly at: string;
  readonly direction: string;
  readonly hex?: string;
  /** a message or the body of a request */
  readonly text?: string;
  readonly note?: string;
}

/** `weinao watch`: readings and alarms as they come; `--wire CHANNEL` the bytes. Ends with Ctrl-C. */
export async function watch(call: Call, options: WatchOptions): Promise<number> {
  const { world, lang, config, json } = call;
  const client = await findClient(config, world.env);
  const query = new URLSearchParams();
  if (options.wire !== undefined) query.set('channel', options.wire);
  if (options.alarms === true) query.set('readings', '0');
  if (options.device !== undefined) query.set('device', options.device);
  const path = `${options.wire === undefined ? '/v1/watch' : '/v1/wire'}?${query.toString()}`;
  const colour = world.isTty && world.env.NO_COLOR === undefined;
  const show = (line: unknown): void => {
    if (json) world.out(`${JSON.stringify(line)}\n`);
    else if (options.wire !== undefined) world.out(wireText(line as WireLine));
    else {
      const text = demoLine(line as WatchLine, lang, colour);
      if (text !== undefined) world.out(`${text}\n`);
    }
  };
  await client.follow(path, show, world.stop);
  return world.stop.aborted ? EXIT.interrupted : EXIT.ok;
}

function wireText({ at, direction, hex = '', text, note }: WireLine): string {
  if (text !== undefined)
    return `${at.slice(11, 23)}  ${direction === 'tx' ? '->' : '<-'}  ${printable(note ?? '')}  ${printable(text)}\n`;
  return `${at.slice(11, 23)}  ${direction === 'tx' ? '->' : '<-'}  ${hex}${note === undefined ? '' : `  (${note})`}\n`;
}
