/**
 * One process of gateways. Each is the whole house on its own journal; only its devices are missing: readings are handed to the journal where the
 * engine would, and alarms are the gateway's own. When told to finish, nothing new is made; what the platform has not acknowledged is awaited.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkConfig } from '../../src/app/check.ts';
import { type House, openHouse } from '../../src/app/house.ts';
import { systemDoors } from '../../src/app/ports.ts';
import { systemClock } from '../../src/io/clock.ts';
import { pinoLog } from '../../src/io/log.ts';
import { systemRandom } from '../../src/io/random.ts';
import { withHistory } from '../../src/journal/history.ts';
import { journalFile } from '../../src/journal/path.ts';
import { type FleetAsk, type FromGateways, type Held, siteOf, type ToGateways } from './protocol.ts';

const clock = systemClock();
const random = systemRandom();
const TICK = 250;
/** one alarm begins or ends in so many ticks, on average */
const ALARM_TICKS = 12;
const DELIVERY = 300_000;

interface Gateway {
  readonly site: string;
  readonly data: string;
  readonly house: House;
  isAlarm: boolean;
  made: number;
}

const configuration = (site: string, data: string, broker: string): string => `site: {id: ${site}, name: 第${site}小区}
gateway: {id: gw1, data: ${data}}
feeds:
  city: {to: "${broker}", ack: app, encoding: json+zstd, view: everything}
`;

async function open(site: string, { broker, folder }: FleetAsk): Promise<Gateway> {
  const config = join(folder, site, 'etc');
  const data = join(folder, site, 'data');
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'weinao.yaml'), configuration(site, data, broker));
  const { site: checked, problems } = await checkConfig(config, {});
  if (checked === undefined) throw new Error(JSON.stringify(problems));
  const log = pinoLog({ level: 'error', descriptor: 2, time: false });
  const house = await openHouse({ clock, random, log, doors: systemDoors(config, {}) }, checked);
  await house.start();
  return { site, data, house, isAlarm: false, made: 0 };
}

function live(gateway: Gateway, readings: number): void {
  const at = clock.now();
  const batch = Array.from({ length: readings }, (_, i) => ({
    device: `meter_${i % 20}`,
    point: 'power',
    value: gateway.made + i / 8,
    quality: 'good' as const,
    ts: at.wall,
    at,
  }));
  gateway.made += readings;
  gateway.house.journal.report(batch);
  if (random.next() * ALARM_TICKS > 1) return;
  gateway.isAlarm = !gateway.isAlarm;
  if (!gateway.isAlarm) return gateway.house.clear('fleet', gateway.site);
  const text = `第 ${gateway.made} 个读数`;
  gateway.house.raise({ topic: 'fleet', instance: gateway.site, level: 'red', name: '演练', text, act: '无' });
}

async function delivered({ house, site }: Gateway): Promise<void> {
  const end = clock.mono() + DELIVERY;
  for (;;) {
    const { a, t } = await house.journal.ledger.depth('city');
    if (a.rows === 0 && t.rows === 0 && house.uplink.status()[0]?.state === 'connected') return;
    if (clock.mono() > end) throw new Error(`${site}: ${a.rows} events and ${t.rows} groups are not acknowledged`);
    await clock.sleep('delivery', 100);
  }
}

function held({ site, data }: Gateway): Held {
  return withHistory(journalFile(data), (history) => {
    const ids: string[] = [];
    let samples = 0;
    let alarms = 0;
    for (const row of history.rows(0, Number.MAX_SAFE_INTEGER)) {
      ids.push(row.id);
      if (row.kind === 'samples') samples += row.samples.length;
      else if (row.event.kind.startsWith('alarm.')) alarms++;
    }
    return { site, ids, samples, alarms };
  });
}

const say = (message: FromGateways): void => void process.send?.(message);
let finish: () => void = () => {};
const finished = new Promise<void>((resolve) => {
  finish = resolve;
});

async function run(ask: FleetAsk): Promise<void> {
  const gateways: Gateway[] = [];
  for (let n = ask.first; n <= ask.last; n++) gateways.push(await open(siteOf(n), ask));
  say({ kind: 'running' });
  let running = true;
  const tick = (): void => {
    if (!running) return;
    for (const gateway of gateways) live(gateway, Math.round((ask.readingsPerSecond * TICK) / 1000));
    clock.timer('tick', TICK, tick);
  };
  tick();
  await finished;
  running = false;
  for (const { house } of gateways) await house.quiesce();
  await Promise.all(gateways.map(delivered));
  const rss = process.memoryUsage().rss / 1024 ** 2;
  for (const { house } of gateways) await house.stop();
  say({ kind: 'held', held: gateways.map(held), rss });
}

process.on('message', (message: ToGateways) => {
  if (message.kind === 'finish') return finish();
  run(message.ask).then(
    () => process.disconnect(),
    (error: unknown) => {
      say({ kind: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      process.exit(1);
    },
  );
});
