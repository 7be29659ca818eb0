/**
 * One process, many journals: in each the n-th write, sync or truncation fails, for every n the life has. It prints a line of JSON for each: what was
 * promised while the disk failed, and what a later life on a good disk finds. Arguments: folder, code (`ENOSPC`, `EIO`, `EROFS`), `once` or `on`,
 * how many to leave out between two. Meant to run under disktrace.c, which reads DISKNTH at each call.
 */
import { join } from 'node:path';
import type { JournalFace } from '../../src/journal/index.ts';
import { createOutward } from '../../src/uplink/outward.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { SEES_ALL } from '../fakes/entitlement.ts';
import { loopbackStore } from '../fakes/store.ts';
import { virtualJournal } from '../kit/virtual-journal.ts';
import { BUDGET, FREE, STREET } from './promises.ts';

const [folder = '', code = 'EIO', how = 'once', every = '1'] = process.argv.slice(2);
const ROUNDS = 6;
/** writes, syncs and truncations of a life on a good disk, about */
const LAST = 110;

function open(path: string, clock: VirtualClock): JournalFace {
  return virtualJournal(path, clock, {
    budget: BUDGET,
    startWorker: () => loopbackStore(createOutward(), () => FREE),
  });
}

/** @returns ids promised to be on the disk, whether each commit was, and what the feed was not given */
async function live(path: string, clock: VirtualClock): Promise<{ ids: string[]; durable: boolean[]; told: string[] }> {
  const journal = open(path, clock);
  await journal.start();
  await journal.ledger.open({ ...STREET, ...SEES_ALL });
  const [ids, durable, all]: [string[], boolean[], string[]] = [[], [], []];
  for (let n = 1; n <= ROUNDS; n++) {
    const at = clock.now();
    journal.report([{ device: 'd', point: 'p', value: n, quality: 'good', ts: at.wall, at }]);
    const event = { kind: n % 2 === 1 ? 'alarm.raised' : 'alarm.cleared', at, level: 'red', data: { n } } as const;
    const done = await journal.commit({
      events: [event],
      alarms: [],
      states: [{ key: 'r', body: `${n}` }],
      memory: [],
    });
    durable.push(done.durable);
    all.push(...done.events.map((e) => e.id));
    if (done.durable) ids.push(...done.events.map((e) => e.id));
    await clock.advance(5100);
  }
  const { contract, acked } = await journal.ledger.open({ ...STREET, ...SEES_ALL });
  const some = await journal.ledger.next(
    'street',
    'a',
    { epoch: contract.epoch, seq: acked.a.seq },
    { max: 99, bytes: 1e9 },
  );
  const given = new Set(some.map((m) => m.id));
  await journal.close();
  return { ids, durable, told: all.filter((id) => !given.has(id)) };
}

async function found(path: string): Promise<{ setAside: boolean; ids: string[] }> {
  const journal = open(path, new VirtualClock(Date.UTC(2030, 0, 1)));
  const { setAside } = await journal.start();
  const { contract } = await journal.ledger.open({ ...STREET, ...SEES_ALL });
  const some = await journal.ledger.next('street', 'a', { epoch: contract.epoch, seq: 0 }, { max: 99, bytes: 1e9 });
  await journal.close();
  return { setAside: setAside !== undefined, ids: some.map((m) => m.id) };
}

for (let n = 1; ; n += Number(every)) {
  const path = join(folder, `${n}.db`);
  process.env.DISKNTH = `${n}${how === 'on' ? '+' : ''} ${code}`;
  const { ids, durable, told: untold } = await live(path, new VirtualClock(Date.UTC(2026, 10, 24)));
  process.env.DISKNTH = '0 EIO';
  const later = await found(path);
  const lost = ids.filter((id) => !later.ids.includes(id));
  process.stdout.write(`${JSON.stringify({ n, durable, untold, lost, setAside: later.setAside })}\n`);
  if (n > LAST) break;
}
