/** What the benches share: a folder, processes that end with the bench, a broker, a gateway from the release bundle, quantiles, the table. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrokerConnection, connectBroker } from '../../src/io/mqtt.ts';
import { freePort, freePorts, until } from '../../test/kit/wait.ts';

export { freePort, freePorts, until };

export const ROOT = join(import.meta.dirname, '../..');
/** the unit's own flags and environment */
const unit = readFileSync(join(ROOT, 'systemd/weinao.service'), 'utf8');
export const FLAGS = (/^ExecStart=\S+ (.*) \S+main\.js run$/m.exec(unit)?.[1] ?? '').split(' ').filter((f) => f !== '');
const UNIT_ENV = Object.fromEntries(
  [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map((m) => [m[1] ?? '', m[2] ?? '']),
);

const ends: (() => void)[] = [];
process.on('exit', () => {
  for (const end of ends.reverse()) end();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'weinao-bench-'));
  ends.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function start(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  ends.push(() => void child.kill('SIGKILL'));
  child.stdout?.resume();
  return child;
}

export const compile = (source: string, target: string, ...libraries: string[]): void =>
  void execFileSync('gcc', ['-O2', '-o', target, join(ROOT, source), ...libraries]);

export async function broker(): Promise<{ readonly port: number; readonly url: string }> {
  const port = await freePort();
  const config = join(folder(), 'mosquitto.conf');
  const root = process.getuid?.() === 0 ? 'user root\n' : '';
  writeFileSync(
    config,
    `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n${root}`,
  );
  const quiet = spawn('/usr/sbin/mosquitto', ['-c', config], { stdio: 'ignore' });
  ends.push(() => void quiet.kill('SIGKILL'));
  const url = `mqtt://127.0.0.1:${port}`;
  await until('the broker listens', async () => {
    const probe = await connectBroker({ url, protocol: 5, clientId: 'probe', clean: true }).catch(() => undefined);
    await probe?.close();
    return probe !== undefined;
  });
  return { port, url };
}

export async function subscribe(
  url: string,
  topic: string,
  take: (topic: string, payload: Uint8Array) => void,
): Promise<BrokerConnection> {
  const connection = await connectBroker({ url, protocol: 5, clientId: `bench-${process.pid}`, clean: true });
  connection.onMessage(take);
  await connection.subscribe([topic]);
  return connection;
}

/** The gateway as the unit runs it. */
export function gateway(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const root = folder();
  const config = join(root, 'etc');
  const data = join(root, 'data');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(config, name, '..'), { recursive: true });
    writeFileSync(join(config, name), text.replaceAll('DATA', data));
  }
  const socket = join(root, 'weinao.sock');
  const child = start(process.execPath, [...FLAGS, join(ROOT, 'dist/main.js'), 'run', '--config', config], {
    ...UNIT_ENV,
    WEINAO_SOCKET: socket,
    ...env,
  });
  return { child, socket, data, pid: child.pid ?? 0 };
}

/** CPU seconds of all threads so far, and memory in MB. */
export function usage(pid: number): { readonly cpu: number; readonly rss: number; readonly anonymous: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (key: string): number => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return { cpu: (Number(stat[11]) + Number(stat[12])) / 100, rss: mb('VmRSS'), anonymous: mb('RssAnon') };
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** What the disk can do here and now: 4 KiB overwritten and synced, again and again. */
export function syncTimes(path: string, count: number): number[] {
  const fd = openSync(path, 'w');
  const page = Buffer.alloc(4096, 7);
  writeSync(fd, page, 0, page.length, 0);
  fdatasyncSync(fd);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    writeSync(fd, page, 0, page.length, 0);
    fdatasyncSync(fd);
    times.push(performance.now() - began);
  }
  closeSync(fd);
  return times;
}

/** One line of the report: what, how much, against which goal. */
export function row(what: string, measured: string, goal: string, reached: boolean | undefined): void {
  const mark = reached === undefined ? ' ' : reached ? '+' : '-';
  process.stdout.write(`${mark} ${what.padEnd(46)} ${measured.padEnd(44)} ${goal}\n`);
}

export const fixed = (n: number, digits = 2): string => n.toFixed(digits);
