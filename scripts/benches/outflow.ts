/** A feed that drains, and mqtt.js alone beside it: what the benches of the way out measure, and against what. All of it in this process, but the broker. */
import type { FeedModel } from '../../src/base/model.ts';
import { systemClock } from '../../src/io/clock.ts';
import type { openGatewayKey } from '../../src/io/keys.ts';
import { connectBroker, openClient } from '../../src/io/mqtt.ts';
import { systemRandom } from '../../src/io/random.ts';
import type { JournalFace } from '../../src/journal/index.ts';
import { createUplink } from '../../src/uplink/index.ts';
import { SEES_ALL } from '../../test/fakes/entitlement.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { pause, until } from './kit.ts';

/** how often it is asked whether all is there */
const LOOK_MS = 2;

/** CPU microseconds: of the whole process, and of its main thread. */
export interface Cpu {
  readonly whole: number;
  readonly main: number;
}

function cpuSince(from: Cpu): Cpu {
  const [whole, main] = [process.cpuUsage(), process.threadCpuUsage()];
  return { whole: whole.user + whole.system - from.whole, main: main.user + main.system - from.main };
}
const each = ({ whole, main }: Cpu, count: number): Cpu => ({ whole: whole / count, main: main / count });
const NONE: Cpu = { whole: 0, main: 0 };

const PAYLOAD = Buffer.alloc(700, 120);

/** mqtt.js and nothing of ours, windowed without polling: the next goes out when one comes back. */
export async function rawRateOf(url: string, count: number): Promise<{ readonly rate: number; readonly cpu: Cpu }> {
  const { client } = await openClient({ url, protocol: 5, clientId: 'raw', clean: true });
  const [before, start] = [cpuSince(NONE), performance.now()];
  let sent = 0;
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (sent++ < count) await new Promise((resolve) => client.publish('raw/x', PAYLOAD, { qos: 1 }, resolve));
    }),
  );
  const [used, seconds] = [cpuSince(before), (performance.now() - start) / 1000];
  await client.endAsync();
  return { rate: count / seconds, cpu: each(used, count) };
}

export const DEMAND = { source: 'urn:weinao:b:g1', ...SEES_ALL, keepMs: 30 * 86_400_000, priority: 5 } as const;

export interface Outflow {
  readonly journal: JournalFace;
  readonly signer: Awaited<ReturnType<typeof openGatewayKey>>;
  readonly url: string;
}

/**
 * A feed of its own over what the journal gets: what waits for it when its broker comes, and what comes while it drains. Measured from its first members
 * until its broker has so many.
 */
export async function drain(
  { journal, signer, url }: Outflow,
  name: string,
  encoding: FeedModel['encoding'],
  members: number,
  backlog: () => Promise<unknown>,
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<{ readonly members: number; readonly cpu: Cpu }> {
  const { keepMs, priority } = DEMAND;
  const feed: FeedModel = {
    ...{ id: name, to: url, mqtt: 5, ack: 'broker', encoding, rate: 10_000 },
    ...{ priority, keepMs, view: 'everything', hash: name },
  };
  await journal.ledger.open({ ...DEMAND, feed: name, encoding });
  await backlog();
  const uplink = createUplink({
    clock: systemClock(),
    random: systemRandom(),
    log: memoryLog(),
    ledger: journal.ledger,
    signer,
    connect: () => connectBroker({ url, protocol: 5, clientId: name }),
    entitlement: () => SEES_ALL,
    catalog: () => new Map(),
    onRefused: () => {},
    onCaughtUp: () => {},
    onSilent: () => {},
  });
  const unheard = journal.onHead(() => uplink.poke());
  const delivered = (): number => {
    const { a, t } = uplink.status()[0]?.acked ?? { a: 0, t: 0 };
    return a + t;
  };
  await uplink.apply('b', 'g1', new Map([[name, feed]]));
  await until('first members', () => delivered() > 2);
  const [before, start, from] = [cpuSince(NONE), performance.now(), delivered()];
  await meanwhile();
  while (delivered() < members) await pause(LOOK_MS);
  const [used, seconds, count] = [cpuSince(before), (performance.now() - start) / 1000, delivered() - from];
  unheard();
  await uplink.stop();
  return { members: count / seconds, cpu: each(used, count) };
}
