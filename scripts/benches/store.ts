/**
 * The store against the raw disk and the raw client of the same run: commit rate and latency, bytes written per event, drain of a backlog, and
 * whether any of it depends on the backlog's size. One journal, one broker, all in this process but the store's own thread.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { EventDraft } from '../../src/base/event.ts';
import type { FeedModel } from '../../src/base/model.ts';
import { systemClock } from '../../src/io/clock.ts';
import { openGatewayKey } from '../../src/io/keys.ts';
import { connectBroker, openClient } from '../../src/io/mqtt.ts';
import { systemRandom } from '../../src/io/random.ts';
import { startWorker } from '../../src/io/worker.ts';
import { createJournal, type JournalFace } from '../../src/journal/index.ts';
import { createUplink } from '../../src/uplink/index.ts';
import { SECRET, SEES_ALL } from '../../test/fakes/entitlement.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { tracing } from '../../test/kit/disktrace.ts';
import { broker, fixed, folder, pause, quantile, ROOT, row, syncTimes, until } from './kit.ts';
import { alarmOf, fill } from './rows.ts';

const clock = systemClock();
const random = systemRandom();
const log = memoryLog();
const BACKLOG = Number(process.env.BACKLOG ?? 1_000_000);

function open(place: string, windowMs = 60_000): JournalFace {
  const entry = new URL('../../src/app/store-worker.ts', import.meta.url);
  return createJournal({
    clock,
    random,
    log,
    path: join(place, 'journal.db'),
    windowMs,
    secret: SECRET,
    onStalled: () => {},
    startWorker: () => startWorker(entry, undefined),
  });
}
const work = (...events: EventDraft[]) => ({ events, alarms: [], states: [], memory: [] });
function report(journal: JournalFace, count: number, n: number): void {
  const at = clock.now();
  for (let i = 0; i < count; i++)
    journal.report([{ device: `d${i % 50}`, point: `p${i % 20}`, value: n + i / 8, quality: 'good', ts: at.wall, at }]);
}
const demand = {
  source: 'urn:weinao:b:g',
  ...SEES_ALL,
  keepMs: 30 * 86_400_000,
  priority: 5,
} as const;

// --- commits ---------------------------------------------------------------------------------------------------------------------------------
const place = folder();
const raw = syncTimes(join(place, 'page'), 1500);
const rawRate = 1000 / (raw.reduce((a, b) => a + b, 0) / raw.length);
const syncP99 = quantile(raw, 0.99);
row(
  'raw 4 KiB overwrite and sync',
  `${fixed(rawRate, 0)}/s, p99 ${fixed(syncP99)} ms`,
  '(the limit of this run)',
  undefined,
);

const journal = open(place);
await journal.start();
const began = performance.now();
const COMMITS = 1500;
for (let n = 0; n < COMMITS; n++) await journal.commit(alarmOf(clock, n));
const rate = (COMMITS * 1000) / (performance.now() - began);
row(
  'durable single commits',
  `${fixed(rate, 0)}/s = ${fixed(rate / rawRate)} x raw`,
  '>= 0.9 x raw',
  rate >= 0.9 * rawRate,
);

const loaded: number[] = [];
for (let n = 0; n < 600; n++) {
  report(journal, 500, n);
  if (n % 3 === 0) void journal.flush();
  const at = performance.now();
  await journal.commit(alarmOf(clock, n));
  loaded.push(performance.now() - at);
}
const acceptGoal = 2 * syncP99 + 5;
row(
  'alarm accepted while telemetry commits, p99 ms',
  fixed(quantile(loaded, 0.99)),
  `<= ${fixed(acceptGoal, 1)} (2 x sync + 5)`,
  quantile(loaded, 0.99) <= acceptGoal,
);

// --- bytes -----------------------------------------------------------------------------------------------------------------------------------
/** Bytes written to the journal's files, and syncs, by a process that makes so many commits. */
function cost(commits: number, telemetry: number, events: number): { bytes: number; syncs: number } {
  const home = folder();
  const { env, read } = tracing(home);
  const args = [join(ROOT, 'test/crash/workload.ts'), home, 'FULL', String(commits), String(telemetry), String(events)];
  execFileSync(process.execPath, args, { env: { ...process.env, ...env } });
  const disk = read().filter((r) => r.file === 'db' || r.file === 'wal');
  const bytes = disk.filter((r) => r.kind === 'write').reduce((sum, r) => sum + r.bytes.length, 0);
  return { bytes, syncs: disk.filter((r) => r.kind === 'sync').length };
}
const few = cost(200, 1000, 0);
const many = cost(1200, 1000, 0);
const perSample = (many.bytes - few.bytes) / (1000 * 1000);
row('bytes written per telemetry sample, group 100', fixed(perSample, 0), '<= 300', perSample <= 300);
const one = cost(200, 0, 1);
const more = cost(2200, 0, 1);
const perAlarm = (more.bytes - one.bytes) / 2000;
row('bytes written per single alarm commit', fixed(perAlarm, 0), '<= 10240', perAlarm <= 10_240);
const syncs = (more.syncs - one.syncs) / 2000;
row('syncs per commit, checkpoints included', fixed(syncs, 3), '<= 1.05', syncs <= 1.05);

// --- wear: 50 samples a second, by commit window -----------------------------------------------------------------------------------------------
const PER_SECOND = 50;
const SECONDS_A_YEAR = 365.25 * 86_400;
for (const window of [0.2, 1, 5]) {
  const samples = PER_SECOND * window;
  // The difference of a long and a short life leaves out what opening costs.
  const [short, long] = [200, 1400];
  const [less, more] = [cost(short, samples, 0), cost(long, samples, 0)];
  const bytes = (more.bytes - less.bytes) / ((long - short) * samples);
  const perMinute = ((more.syncs - less.syncs) / (long - short)) * (60 / window);
  const terabytes = (bytes * PER_SECOND * SECONDS_A_YEAR) / 1e12;
  const goal = window === 1 ? 520 : undefined;
  row(
    `wear at ${PER_SECOND} samples/s, commit window ${window} s`,
    `${fixed(bytes, 0)} B a sample, ${fixed(perMinute, 0)} syncs/min, ${fixed(terabytes)} TB/year`,
    goal === undefined ? '' : `<= ${goal} B`,
    goal === undefined ? undefined : bytes <= goal,
  );
}

// --- drain -----------------------------------------------------------------------------------------------------------------------------------
const { url } = await broker();
const signer = await openGatewayKey(place);
const payload = Buffer.alloc(700, 120);
/** mqtt.js and nothing of ours, windowed without polling: the next goes out when one comes back. */
async function rawRateOf(count: number): Promise<{ rate: number; cpu: number }> {
  const { client } = await openClient({ url, protocol: 5, clientId: 'raw', clean: true });
  const cpu = process.cpuUsage();
  const start = performance.now();
  let sent = 0;
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (sent++ < count) await new Promise((resolve) => client.publish('raw/x', payload, { qos: 1 }, resolve));
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  await client.endAsync();
  return { rate: count / seconds, cpu: (used.user + used.system) / count };
}
/** A feed of its own over what the journal gets now, so many members at least; until its broker has all of it. */
async function drain(name: string, encoding: FeedModel['encoding'], members: number, fill: () => Promise<void>) {
  const feed: FeedModel = {
    id: name,
    to: url,
    mqtt: 5,
    ack: 'broker',
    encoding,
    rate: 10_000,
    priority: 5,
    keepMs: demand.keepMs,
    view: 'everything',
    hash: name,
  };
  await journal.ledger.open({ ...demand, source: 'urn:weinao:b:g1', feed: name, encoding });
  await fill();
  const uplink = createUplink({
    clock,
    random,
    log,
    ledger: journal.ledger,
    signer,
    connect: () => connectBroker({ url, protocol: 5, clientId: name }),
    entitlement: () => SEES_ALL,
    catalog: () => new Map(),
    onRefused: () => {},
    onCaughtUp: () => {},
    onSilent: () => {},
  });
  const cpu = process.cpuUsage();
  await uplink.apply('b', 'g1', new Map([[name, feed]]));
  const done = async (): Promise<boolean> => {
    // Depth reads rows: it is asked for at the end, and does not stand in the way of what is measured.
    const { acked } = uplink.status()[0] ?? {};
    if (acked === undefined || acked.a + acked.t < members) return false;
    const { a, t } = await journal.ledger.depth(name);
    return uplink.status()[0]?.state === 'connected' && a.rows === 0 && t.rows === 0;
  };
  await until('first members', () => (uplink.status()[0]?.acked.t ?? 0) + (uplink.status()[0]?.acked.a ?? 0) > 2);
  const start = performance.now();
  const from = { ...(uplink.status()[0]?.acked ?? { a: 0, t: 0 }) };
  await until('drained', done, 600_000);
  const seconds = (performance.now() - start) / 1000;
  const to = { ...(uplink.status()[0]?.acked ?? { a: 0, t: 0 }) };
  const used = process.cpuUsage(cpu);
  await uplink.stop();
  const count = to.a - from.a + to.t - from.t;
  return { members: count / seconds, cpu: (used.user + used.system) / count };
}
const singles = (name: string, events: number) =>
  drain(name, 'json', events, async () => {
    for (let n = 0; n < events / 50; n++)
      await journal.commit(work(...Array.from({ length: 50 }, (_, i) => alarmOf(clock, n * 50 + i).events).flat()));
  });
// A backlog drains for hours: neither side is measured while its code is being compiled.
await rawRateOf(5000);
await singles('warm', 5000);
const before = await rawRateOf(10_000);
const alarms = await singles('alarms', 20_000);
const after = await rawRateOf(10_000);
const client = { rate: (before.rate + after.rate) / 2, cpu: (before.cpu + after.cpu) / 2 };
row(
  'mqtt.js alone, QoS 1, window 50, 700 bytes',
  `${fixed(client.rate, 0)}/s, ${fixed(client.cpu, 0)} us CPU each`,
  '(the limit of this run)',
  undefined,
);
row(
  'drain, one event a message',
  `${fixed(alarms.members, 0)}/s = ${fixed(alarms.members / client.rate)} x raw, ${fixed(alarms.cpu, 0)} us CPU each`,
  '>= 0.85 x raw',
  alarms.members >= 0.85 * client.rate,
);
const GROUPS = 2000;
const packed = await drain('packed', 'json+zstd', GROUPS, async () => {
  await fill(journal, clock, GROUPS, 50);
});
row(
  'drain, groups of 50, json+zstd, samples',
  `${fixed(packed.members * 50, 0)}/s = ${fixed((packed.members * 50) / client.rate)} x raw`,
  '>= 2 x raw single sends',
  packed.members * 50 >= 2 * client.rate,
);

// --- backlog ---------------------------------------------------------------------------------------------------------------------------------
const small = await drain('small', 'json', 500, async () => {
  await fill(journal, clock, 500, 100);
});
await journal.ledger.open({ ...demand, feed: 'absent', encoding: 'json' });
await fill(journal, clock, BACKLOG / 5000, 5000);
const asked = performance.now();
const depth = await journal.ledger.depth('absent');
const depthMs = performance.now() - asked;
const behind = await drain('behind', 'json', 500, async () => {
  await fill(journal, clock, 500, 100);
});
row(
  `drain with ${BACKLOG} samples waiting for another feed`,
  `${fixed(behind.members / small.members)} x without`,
  '>= 0.9',
  behind.members >= 0.9 * small.members,
);
row(
  'depth of that feed, ms',
  `${fixed(depthMs, 1)} (${depth.t.samples} samples)`,
  "<= 1 (and the thread's hop)",
  depthMs <= 2,
);
await journal.close();
const boot = performance.now();
const again = open(place);
await again.start();
await again.restore();
const bootMs = performance.now() - boot;
row('open and restore with that backlog, ms', fixed(bootMs, 0), '<= 1000', bootMs <= 1000);
await again.close();
await pause(10);
process.exit(0);
