/** The fleet's conductor: a broker that comes and goes, processes of gateways, one platform, and the verdict. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectBroker } from '../../src/io/mqtt.ts';
import { freePort, until } from '../../test/kit/wait.ts';
import { type Platform, startPlatform } from './platform.ts';
import type { FleetAsk, FromGateways, Held, ToGateways } from './protocol.ts';

const { values } = parseArgs({
  options: {
    gateways: { type: 'string', default: '100' },
    processes: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '60' },
    readings: { type: 'string', default: '20' },
    breaks: { type: 'string', default: '6' },
    json: { type: 'boolean', default: false },
  },
});
const count = (text: string, name: string): number => {
  const n = Number(text);
  if (Number.isInteger(n) && n >= 1 && n <= 1000) return n;
  process.stderr.write(`--${name}: a whole number from 1 to 1000\n`);
  process.exit(2);
};
const gateways = count(values.gateways, 'gateways');
const processes = Math.min(gateways, count(values.processes, 'processes'));
const seconds = count(values.seconds, 'seconds');
const readings = count(values.readings, 'readings');
const breaks = values.breaks === '0' ? 0 : count(values.breaks, 'breaks');

const folder = mkdtempSync(join(tmpdir(), 'weinao-fleet-'));
const children: ChildProcess[] = [];
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

// --- the broker ------------------------------------------------------------------------------------------------------------------------------
const port = await freePort();
const url = `mqtt://127.0.0.1:${port}`;
const brokerConfig = join(folder, 'mosquitto.conf');
mkdirSync(join(folder, 'store'));
const asRoot = process.getuid?.() === 0 ? 'user root\n' : '';
writeFileSync(
  brokerConfig,
  `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\npersistence true
persistence_location ${join(folder, 'store')}/\nautosave_interval 1\n${asRoot}`,
);
let broker: ChildProcess | undefined;

async function startBroker(): Promise<void> {
  broker = spawn('/usr/sbin/mosquitto', ['-c', brokerConfig], { stdio: 'ignore' });
  children.push(broker);
  await until('the broker listens', async () => {
    const probe = await connectBroker({ url, protocol: 5, clientId: 'probe', clean: true }).catch(() => undefined);
    await probe?.close();
    return probe !== undefined;
  });
}

async function stopBroker(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const gone = new Promise((resolve) => broker?.once('close', resolve));
  broker?.kill(signal);
  await gone;
}

// --- the gateways ----------------------------------------------------------------------------------------------------------------------------
interface Batch {
  readonly child: ChildProcess;
  readonly running: Promise<void>;
  readonly held: Promise<{ readonly held: readonly Held[]; readonly rss: number }>;
}

function launch(ask: FleetAsk): Batch {
  const child = fork(join(import.meta.dirname, 'gateways.ts'), { execArgv: ['--disable-warning=ExperimentalWarning'] });
  children.push(child);
  const heard = <T>(pick: (message: FromGateways) => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      child.on('message', (message: FromGateways) => {
        if (message.kind === 'failed') return reject(new Error(message.why));
        const picked = pick(message);
        if (picked !== undefined) resolve(picked);
      });
      child.once('exit', (code) => reject(new Error(`gateways ${ask.first}..${ask.last} ended with ${code}`)));
    });
  const running = heard((m) => (m.kind === 'running' ? true : undefined)).then(() => {});
  const held = heard((m) => (m.kind === 'held' ? m : undefined));
  held.catch(() => {});
  child.send({ kind: 'begin', ask } satisfies ToGateways);
  return { child, running, held };
}

function launchAll(): Batch[] {
  const each = Math.ceil(gateways / processes);
  return Array.from({ length: processes }, (_, i) => ({
    first: i * each + 1,
    last: Math.min(gateways, (i + 1) * each),
  }))
    .filter(({ first, last }) => first <= last)
    .map((range) => launch({ ...range, broker: url, readingsPerSecond: readings, folder }));
}

// --- the verdict -----------------------------------------------------------------------------------------------------------------------------
function verdict(held: readonly Held[], platform: Platform) {
  let missing = 0;
  let foreign = 0;
  let samplesMissing = 0;
  for (const { site, ids, samples } of held) {
    const arrived = platform.arrived.get(site);
    const own = new Set(ids);
    missing += ids.filter((id) => arrived?.ids.has(id) !== true).length;
    foreign += [...(arrived?.ids ?? [])].filter((id) => !own.has(id)).length;
    samplesMissing += samples - (arrived?.samples ?? 0);
  }
  const { duplicates, gaps, chain, proofs, faults } = platform.summary();
  return {
    gateways: held.length,
    rows: held.reduce((sum, h) => sum + h.ids.length, 0),
    samples: held.reduce((sum, h) => sum + h.samples, 0),
    alarms: held.reduce((sum, h) => sum + h.alarms, 0),
    missing,
    foreign,
    samples_missing: samplesMissing,
    duplicates_before_dedup: duplicates,
    gaps,
    chain,
    proofs,
    faults: faults.slice(0, 10),
  };
}

await startBroker();
const platform = startPlatform(url);
const batches = launchAll();
await Promise.all(batches.map((b) => b.running));
say(`${gateways} gateways in ${processes} processes, ${readings} readings a second each, ${seconds} s`);
const began = performance.now();
for (let i = 0; i < breaks; i++) {
  await pause((seconds * 1000) / (breaks + 1));
  const signal = i % 2 === 0 ? 'SIGTERM' : 'SIGKILL';
  say(`${Math.round((performance.now() - began) / 1000)} s: broker ${signal}`);
  await stopBroker(signal);
  await pause(1500);
  await startBroker();
}
await pause(Math.max(0, seconds * 1000 - (performance.now() - began)));
const ending = performance.now();
for (const { child } of batches) child.send({ kind: 'finish' } satisfies ToGateways);
const ends = await Promise.all(batches.map((b) => b.held));
const result = {
  schema: 1,
  ...verdict(
    ends.flatMap((e) => e.held),
    platform,
  ),
  breaks,
  drained_after_s: Math.round((performance.now() - ending) / 100) / 10,
  rss_mb_per_gateway: Math.round((ends.reduce((sum, e) => sum + e.rss, 0) / gateways) * 10) / 10,
};
await platform.stop();
process.stdout.write(
  values.json
    ? `${JSON.stringify(result)}\n`
    : Object.entries(result)
        .map(([k, v]) => `${k}: ${typeof v === 'object' ? JSON.stringify(v) : v}\n`)
        .join(''),
);
const isGood = result.missing + result.foreign + result.samples_missing + result.gaps === 0 && result.chain === 'ok';
process.exit(isGood ? 0 : 7);
