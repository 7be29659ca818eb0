/**
 * A backlog on its way out, against mqtt.js alone in the same run: events one by one, packed telemetry, both while more comes in, and bytes on the wire.
 * Each ratio is the median of ROUNDS, each of which measures the client alone before and after.
 */
import { connect, createServer } from 'node:net';
import { systemClock } from '../../src/io/clock.ts';
import { openGatewayKey } from '../../src/io/keys.ts';
import { broker, fixed, folder, quantile, row } from './kit.ts';
import { type Cpu, DEMAND, drain, rawRateOf } from './outflow.ts';
import { alarmOf, fill, journalIn } from './rows.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 3);
const EVENTS = 20_000;
const GROUPS = 4000;
const BATCH = 50;
const AT_ONCE = 50;

const clock = systemClock();
const place = folder();
const journal = journalIn(place, clock);
await journal.start();
const { url, port } = await broker();
const way = { journal, signer: await openGatewayKey(place), url };

async function events(count: number): Promise<void> {
  for (let n = 0; n < count; n += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, i) => alarmOf(clock, n + i).events);
    await journal.commit({ events: some.flat(), alarms: [], states: [], memory: [] });
  }
}
const groups = (count: number): Promise<void> => fill(journal, clock, count, BATCH);
const nothing = async (): Promise<void> => {};

/** What passed once the client alone was measured, by the unit: events or samples. */
interface Pass {
  readonly rate: number;
  readonly cpu: Cpu;
  readonly ratio: number;
  readonly cpuRatio: number;
}
let names = 0;
/** @param units in a member */
async function measured(
  units: number,
  run: (name: string) => Promise<{ readonly members: number; readonly cpu: Cpu }>,
): Promise<Pass> {
  const passes: Pass[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = await rawRateOf(url, 10_000);
    const { members, cpu } = await run(`feed${names++}`);
    const after = await rawRateOf(url, 10_000);
    const raw = { rate: (before.rate + after.rate) / 2, cpu: (before.cpu.whole + after.cpu.whole) / 2 };
    const own = { rate: members * units, cpu: { whole: cpu.whole / units, main: cpu.main / units } };
    passes.push({ ...own, ratio: own.rate / raw.rate, cpuRatio: own.cpu.whole / raw.cpu });
  }
  const median = (of: (pass: Pass) => number): number => quantile(passes.map(of), 0.5);
  return {
    rate: median((p) => p.rate),
    cpu: { whole: median((p) => p.cpu.whole), main: median((p) => p.cpu.main) },
    ratio: median((p) => p.ratio),
    cpuRatio: median((p) => p.cpuRatio),
  };
}
const rateOf = ({ rate, ratio }: Pass): string => `${fixed(rate, 0)}/s = ${fixed(ratio)} x raw`;
const cpuOf = ({ cpu }: Pass): string => `${fixed(cpu.whole, 1)} us (main thread ${fixed(cpu.main, 1)})`;

// A backlog drains for hours: neither side is measured while its code is being compiled.
await rawRateOf(url, 5000);
await drain(way, 'warm', 'json', 5000, () => events(5000));
await drain(way, 'warm_packed', 'json+zstd', 1000, () => groups(1000));
const raw = await rawRateOf(url, 20_000);
row(
  'mqtt.js alone, QoS 1, window 50, 700 bytes',
  `${fixed(raw.rate, 0)}/s, ${fixed(raw.cpu.whole, 1)} us CPU each`,
  '(the limit of this run)',
  undefined,
);

const single = await measured(1, (name) => drain(way, name, 'json', EVENTS, () => events(EVENTS)));
row('drain, one event a message', rateOf(single), '>= 0.85 x raw', single.ratio >= 0.85);
row(
  '  CPU an event, whole process',
  `${cpuOf(single)} = ${fixed(single.cpuRatio)} x raw`,
  '<= 1.1 x raw',
  single.cpuRatio <= 1.1,
);

const packed = await measured(BATCH, (name) => drain(way, name, 'json+zstd', GROUPS, () => groups(GROUPS)));
row('drain, groups of 50, json+zstd, samples', rateOf(packed), '>= 2 x raw single sends', packed.ratio >= 2);
row('  CPU a sample, whole process', cpuOf(packed), '<= 6 us', packed.cpu.whole <= 6);

const both = await measured(BATCH, (name) =>
  drain(
    way,
    name,
    'json+zstd',
    GROUPS,
    () => groups(20),
    () => groups(GROUPS),
  ),
);
row('ingest and drain together, groups of 50, samples', rateOf(both), '>= 0.7 x raw', both.ratio >= 0.7);
const eventsToo = await measured(1, (name) =>
  drain(
    way,
    name,
    'json',
    EVENTS,
    () => events(200),
    () => events(EVENTS),
  ),
);
row('ingest and drain together, one event a message', rateOf(eventsToo), '(50 events a commit)', undefined);

// --- wire ------------------------------------------------------------------------------------------------------------------------------------
/** Between a feed and its broker: counts what passes, both ways. */
let wire = 0;
const relay = createServer((near) => {
  const far = connect(port, '127.0.0.1');
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.on('data', (bytes: Buffer) => {
      wire += bytes.length;
    });
    from.pipe(to);
    from.on('error', () => to.destroy());
  }
});
await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
const address = relay.address();
if (address === null || typeof address === 'string') throw new Error('no port');
const counted = { ...way, url: `mqtt://127.0.0.1:${address.port}` };
await drain(counted, 'wire', 'json+zstd', 500, () => groups(500), nothing);
const perSample = wire / (500 * BATCH);
const { epoch } = (await journal.ledger.open({ ...DEMAND, feed: 'alone', encoding: 'json' })).contract;
await fill(journal, clock, 20, 1);
const alone = (await journal.ledger.next('alone', 't', { epoch, seq: 1 }, { max: 20, bytes: 1e6 })).map(
  (m) => m.payload,
);
const ofOne = alone.reduce((sum, { length }) => sum + length, 0) / alone.length;
const sample =
  Buffer.from(alone[0] ?? [])
    .toString()
    .match(/\{"d":[^}]*\}/)?.[0].length ?? Number.NaN;
row(
  'wire bytes a sample, groups of 50, both ways',
  `${fixed(perSample, 1)} = ${fixed(perSample / ofOne, 3)} x its event's JSON (${fixed(ofOne, 0)})`,
  '<= 0.15 x',
  perSample <= 0.15 * ofOne,
);
row('  against the sample alone, without an event', `${fixed(perSample / sample)} x ${sample} bytes`, '', undefined);
relay.close();
await journal.close();
process.exit(0);
