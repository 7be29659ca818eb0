/**
 * 50 slaves of another making x 100 registers over Modbus TCP, each polled every second, every point changing every second, all of it through quality, journal
 * (FULL) and feed. Every value received is held against the slaves' function; CPU and memory are those of the whole gateway process.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { callLocal } from '../../src/io/local-api.ts';
import { createVerifier } from '../../src/uplink/index.ts';
import {
  broker,
  compile,
  fixed,
  folder,
  freePorts,
  gateway,
  pause,
  quantile,
  row,
  start,
  subscribe,
  until,
  usage,
} from './kit.ts';

const SLAVES = 50;
const REGISTERS = 100;
const SECONDS = Number(process.env.SECONDS ?? 60);
const WINDOW = 1000;
const POLL = 1000;

interface Status {
  readonly points_read: number;
  readonly devices: readonly { readonly online?: boolean; readonly missed: number; readonly failures: number }[];
}

const program = join(folder(), 'slaves');
compile('test/peer/slaves.c', program, '-lmodbus');
const first = await freePorts(SLAVES);
start(program, ['tcp', String(first), String(SLAVES), String(REGISTERS)]);
const { url } = await broker();

const numbers = Array.from({ length: SLAVES }, (_, i) => i + 1);
const registers = Array.from(
  { length: REGISTERS },
  (_, r) => `      r${r}: {register: holding ${r}, as: uint16, class: none}\n`,
);
const site = `site: {id: load, name: 负载}
gateway: {id: gw1, data: DATA, commit_window: ${WINDOW}ms}
channels:
${numbers.map((i) => `  c${i}: {modbus_tcp: "127.0.0.1:${first + i - 1}"}\n`).join('')}devices:
${numbers.map((i) => `  d${i}:\n    driver: modbus\n    channel: c${i}\n    address: 1\n    poll: ${POLL}ms\n    points:\n${registers.join('')}`).join('')}feeds: {street: {to: "${url}", view: everything}}
`;
const verifier = createVerifier();
const latencies: number[] = [];
let wrong = 0;
let values = 0;
let counting = false;
const last = new Map<string, number>();
await subscribe(url, 'wn/1/street/load/up/t', (topic, payload) => {
  const now = Date.now();
  const member = verifier.take(topic, payload);
  if (!counting) return;
  const samples = (member?.data.samples ?? []) as { d: string; p: string; t: string; v?: number }[];
  for (const { d, p, t, v } of samples) {
    values++;
    const base = Number(d.slice(1)) * 211 + Number(p.slice(1)) * 7;
    const read = Math.floor(Date.parse(t) / 1000);
    // The second the slave answered in: the one of the time stamp, or the one before when the second turned on the way.
    const second = [0, 1].map((ago) => read - ago).find((s) => (base + s) % 65_536 === v);
    if (second === undefined) wrong++;
    else {
      if (last.get(`${d}.${p}`) !== second) latencies.push(now - second * 1000);
      last.set(`${d}.${p}`, second);
    }
  }
});
const daemon = gateway({ 'weinao.yaml': site });
const status = async (): Promise<Status> => (await callLocal(daemon.socket, 'GET', '/v1/status')).json as Status;
await until('all slaves online', async () => {
  const s = await status().catch(() => undefined);
  return s?.devices?.every((d) => d.online === true) === true;
});
await pause(5000);

counting = true;
const before = { ...usage(daemon.pid), ...(await status()) };
await pause(SECONDS * 1000);
const after = { ...usage(daemon.pid), ...(await status()) };
counting = false;

const points = after.points_read - before.points_read;
const expected = SLAVES * REGISTERS * (SECONDS / (POLL / 1000));
const sum = (s: Status, key: 'missed' | 'failures'): number => s.devices.reduce((all, d) => all + d[key], 0);
const perMillion = ((after.cpu - before.cpu) / points) * 1e6;
const bare = Number(
  execFileSync(process.execPath, ['-e', 'console.log(process.memoryUsage.rss() / 1048576)']).toString(),
);
const { gaps, chain } = verifier.summary();
const p99 = quantile(latencies, 0.99);
row('points read / asked for', `${points} / ${expected}`, 'none missed', points >= expected * 0.995);
row(
  'missed and failed polls',
  `${sum(after, 'missed') - sum(before, 'missed')}, ${sum(after, 'failures') - sum(before, 'failures')}`,
  '0, 0',
  sum(after, 'missed') === sum(before, 'missed') && sum(after, 'failures') === sum(before, 'failures'),
);
row('values received, wrong', `${values}, ${wrong}`, '0 wrong', values > 0 && wrong === 0);
row('feed: gaps, chain', `${gaps}, ${chain}`, '0, ok', gaps === 0 && chain === 'ok');
row('CPU seconds per million points', fixed(perMillion), '<= 12', perMillion <= 12);
row(
  'memory, MB (anonymous)',
  `${fixed(after.rss, 0)} (${fixed(after.anonymous, 0)}); bare node ${fixed(bare, 0)}`,
  '<= 95',
  after.rss <= 95,
);
row(
  'changed register to MQTT receipt, p99 ms',
  fixed(p99, 0),
  `<= ${POLL + WINDOW + 100} (poll + window + 100)`,
  p99 <= POLL + WINDOW + 100,
);
process.exit(0);
