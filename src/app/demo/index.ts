/**
 * The demo: an ordinary house over a simulated estate and a broker in this process. Nothing of it is special but the far ends: devices answer
 * over real sockets, events go through SQLite and MQTT, and a consumer of its own proves that nothing is missing, repeated or altered. Half
 * way the uplink is cut for two seconds.
 */
import { join } from 'node:path';
import type { Clock } from '../../base/ports.ts';
import type { Lang } from '../../base/text.ts';
import { systemClock } from '../../io/clock.ts';
import { writeAtomic } from '../../io/files.ts';
import { startLocalBroker } from '../../io/local-broker.ts';
import { pinoLog } from '../../io/log.ts';
import { type BrokerConnection, connectBroker } from '../../io/mqtt.ts';
import { ensureFolder, temporaryFolder } from '../../io/process.ts';
import { systemRandom } from '../../io/random.ts';
import { createVerifier, type Verifier } from '../../uplink/index.ts';
import { checkConfig } from '../check.ts';
import { type House, openHouse } from '../house.ts';
import { systemDoors } from '../ports.ts';
import { demoFiles } from './config.ts';
import { startSimulators } from './simulators.ts';
import { type DemoSummary, demoLine, demoSummary } from './view.ts';

const CUT_AFTER = 9000;
const DELIVERY_WAIT = 10_000;

export interface DemoOptions {
  /** how long; until `stop` when absent */
  readonly forMs?: number;
  readonly json: boolean;
  readonly lang: Lang;
  readonly colour: boolean;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly stop: AbortSignal;
}

export async function runDemo(options: DemoOptions): Promise<number> {
  const clock = systemClock();
  const folder = temporaryFolder('weinao-demo-');
  const endings: (() => Promise<void>)[] = [async () => folder.remove()];
  try {
    const { house, verifier, consumer, cut } = await build(clock, folder.path, endings);
    if (!options.json) show(house, options);
    await house.start();
    const cutting = clock.timer('demo cut', CUT_AFTER, cut);
    endings.unshift(async () => cutting.cancel());
    await waitFor(clock, options);
    await house.quiesce();
    const summary = await settle(clock, house, verifier);
    await consumer.close();
    options.out(options.json ? `${JSON.stringify({ schema: 1, ...summary })}\n` : demoSummary(summary, options.lang));
    return summary.gaps === 0 && summary.chain === 'ok' && summary.delivered === summary.events ? 0 : 7;
  } finally {
    for (const end of endings) await end().catch(() => {});
  }
}

interface Built {
  readonly house: House;
  readonly verifier: Verifier;
  readonly consumer: BrokerConnection;
  readonly cut: () => void;
}

async function build(
  clock: ReturnType<typeof systemClock>,
  folder: string,
  endings: (() => Promise<void>)[],
): Promise<Built> {
  const simulators = await startSimulators(clock);
  endings.unshift(() => simulators.close());
  const broker = await startLocalBroker();
  endings.unshift(() => broker.close());
  const config = join(folder, 'config');
  ensureFolder(join(config, 'rules'));
  const files = demoFiles(join(folder, 'data'), { plc: simulators.plc, dtu: simulators.dtu, broker: broker.port });
  for (const [name, text] of files) await writeAtomic(join(config, name), text);
  const { site, problems } = await checkConfig(config, {});
  if (site === undefined) throw new Error(`the demo's configuration is wrong: ${JSON.stringify(problems)}`);
  const verifier = createVerifier();
  const consumer = await watchFeed(broker.port, verifier);
  const log = pinoLog({ level: 'error', descriptor: 2, time: false });
  const house = await openHouse({ clock, random: systemRandom(), log, doors: systemDoors(config, {}) }, site);
  endings.unshift(() => house.stop());
  return { house, verifier, consumer, cut: broker.cut };
}

/** A consumer that comes back after the cut, as platforms do; its session keeps what it missed. */
async function watchFeed(port: number, verifier: Verifier): Promise<BrokerConnection> {
  const options = { url: `mqtt://127.0.0.1:${port}`, protocol: 3, clientId: 'demo-consumer' } as const;
  let current: BrokerConnection;
  let closing = false;
  const open = async (): Promise<void> => {
    current = await connectBroker(options);
    current.onMessage((topic, payload) => void verifier.take(topic, payload));
    await current.subscribe(['wn/1/property/+/up/#']);
    current.onClose(() => {
      if (!closing) void open().catch(() => {});
    });
  };
  await open();
  return {
    get limits() {
      return current.limits;
    },
    publish: (topic, payload, opts) => current.publish(topic, payload, opts),
    subscribe: (topics) => current.subscribe(topics),
    onMessage: () => {},
    onClose: () => {},
    close: async () => {
      closing = true;
      await current.close();
    },
  };
}

function show(house: House, options: DemoOptions): void {
  const print = (line: Parameters<typeof demoLine>[0]): void => {
    const text = demoLine(line, options.lang, options.colour);
    if (text !== undefined) options.out(`${text}\n`);
  };
  house.hub.listen({ readings: true, alarms: true }, print, options.stop);
}

async function waitFor(clock: Clock, { forMs, stop }: DemoOptions): Promise<void> {
  if (stop.aborted) return;
  if (forMs !== undefined) return clock.sleep('demo', forMs, stop).catch(() => {});
  await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
}

/** Waits until the consumer has everything the journal keeps, and counts. */
async function settle(clock: Clock, house: House, verifier: Verifier): Promise<DemoSummary> {
  const facts = await house.journal.facts();
  const events = facts.head - 1;
  const end = clock.mono() + DELIVERY_WAIT;
  while (verifier.summary().events < events && clock.mono() < end) await clock.sleep('demo delivery', 50);
  const { events: delivered, duplicates, gaps, chain, alarms } = verifier.summary();
  return { points_read: house.pointsRead(), events, delivered, duplicates_dropped: duplicates, gaps, chain, alarms };
}
