/**
 * Who is on a line? Each driver that can, asks around, at each line setting in turn: the configured one first, then the usual ones. Nothing is written to
 * any device. The first setting at which somebody answered ends the search, unless all are wanted: a line has one.
 *
 * The line is the scan's own while it lasts; the engine lends it (index.ts). An aborted scan closes it and ends; what was found has been told.
 */
import type { LineChannel, SerialSettings } from '../base/model.ts';
import type { BytePort, Clock, Log, Random } from '../base/ports.ts';
import type { Text } from '../base/text.ts';
import type { DriverModule, Found } from '../kit/driver.ts';
import { createLine, type Line } from '../link/line.ts';

export interface ScanDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly drivers: readonly DriverModule[];
  readonly openPort: (channel: LineChannel) => Promise<BytePort>;
}

export interface ScanOptions {
  /** station numbers to ask, both ends included */
  readonly ids: readonly [number, number];
  /** every line setting, also after somebody answered */
  readonly all: boolean;
}

export type ScanLine =
  | { readonly kind: 'setting'; readonly setting: string }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number; readonly left_s: number }
  | ({ readonly kind: 'found'; readonly setting: string } & Found)
  | { readonly kind: 'note'; readonly says: Text };

const OPENING_MS = 6000;
const REPLY_MS = 200;
const USUAL: readonly SerialSettings[] = [
  { baud: 9600, parity: 'none', dataBits: 8, stopBits: 1 },
  { baud: 2400, parity: 'even', dataBits: 8, stopBits: 1 },
  { baud: 4800, parity: 'none', dataBits: 8, stopBits: 1 },
  { baud: 9600, parity: 'even', dataBits: 8, stopBits: 1 },
  { baud: 1200, parity: 'even', dataBits: 8, stopBits: 1 },
  { baud: 19200, parity: 'none', dataBits: 8, stopBits: 1 },
  { baud: 4800, parity: 'even', dataBits: 8, stopBits: 1 },
  { baud: 2400, parity: 'none', dataBits: 8, stopBits: 1 },
];

export async function scanLine(
  channel: LineChannel,
  deps: ScanDeps,
  options: ScanOptions,
  signal: AbortSignal,
  tell: (line: ScanLine) => void,
): Promise<number> {
  const seekers = deps.drivers.filter((d) => d.seek !== undefined && d.carries.includes(channel.carries));
  const settings = settingsOf(channel);
  const steps = seekers.reduce((sum, d) => sum + (d.seek?.steps(options.ids) ?? 0), 0);
  const began = deps.clock.mono();
  let done = 0;
  let count = 0;
  const step = (): void => {
    done++;
    const total = steps * settings.length;
    const left = ((deps.clock.mono() - began) / done) * (total - done);
    tell({ kind: 'progress', done, total, left_s: Math.round(left / 1000) });
  };
  for (const [n, trial] of settings.entries()) {
    const setting = settingText(trial);
    tell({ kind: 'setting', setting });
    const found = (one: Found): void => {
      count++;
      tell({ kind: 'found', setting, ...one });
    };
    const note = (says: Text): void => tell({ kind: 'note', says });
    await onLine(trial, deps, signal, async (line) => {
      for (const { seek } of seekers) await seek?.run({ line, ids: options.ids, signal, found, note, step });
    });
    done = (n + 1) * steps;
    if (count > 0 && !options.all) break;
  }
  return count;
}

async function onLine(
  channel: LineChannel,
  deps: ScanDeps,
  signal: AbortSignal,
  work: (line: Line) => Promise<void>,
): Promise<void> {
  const { clock, log, random, openPort } = deps;
  const line = createLine({ channel, clock, log, random, open: () => openPort(channel) });
  line.start();
  try {
    for (let waited = 0; line.state() !== 'open' && waited < OPENING_MS; waited += 50)
      await clock.sleep('opening', 50, signal);
    await work(line);
  } finally {
    await line.close();
  }
}

function settingsOf(channel: LineChannel): LineChannel[] {
  const patient = { ...channel, timeoutMs: REPLY_MS };
  if (channel.carries !== 'serial') return [patient];
  const own = JSON.stringify(channel.line);
  const others = USUAL.filter((line) => JSON.stringify(line) !== own);
  return [channel.line, ...others].map((line) => ({ ...channel, timeoutMs: REPLY_MS, line }));
}

function settingText(channel: LineChannel): string {
  if (channel.carries === 'modbus_tcp') return `${channel.host}:${channel.port}`;
  const { baud, dataBits, parity, stopBits } = channel.line;
  return `${baud} ${dataBits}${{ none: 'N', even: 'E', odd: 'O' }[parity]}${stopBits}`;
}
