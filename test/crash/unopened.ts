/**
 * One process, many journals, of which each cannot open its file: at its first start, at a later one, or when a file that fails is to be read once more.
 * It prints a line of JSON for each: what the feed was given then, and in a later life on a good disk. Argument: folder. Meant to run under disktrace.c.
 */
import { join } from 'node:path';
import { createOutward } from '../../src/uplink/outward.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { SEES_ALL } from '../fakes/entitlement.ts';
import { seededRandom } from '../fakes/random.ts';
import { type LoopbackStore, loopbackStore } from '../fakes/store.ts';
import { virtualJournal } from '../kit/virtual-journal.ts';
import { FREE, STREET } from './promises.ts';

const [folder = ''] = process.argv.slice(2);
const OLD = 3;

/** What the feed is given, by id. */
type Given = Record<string, string>;

let seeds = 0;
async function live(
  path: string,
  alarms: number,
  fails: (store: LoopbackStore) => void = () => {},
): Promise<{ ids: string[]; durable: boolean; epoch: string; given: Given }> {
  const clock = new VirtualClock(Date.UTC(2026, 10, 24));
  const store = loopbackStore(createOutward(), () => FREE);
  const journal = virtualJournal(path, clock, { random: seededRandom(++seeds), startWorker: () => store });
  await journal.start();
  await journal.ledger.open({ ...STREET, ...SEES_ALL });
  const ids: string[] = [];
  for (let n = 0; n < alarms; n++) {
    const event = { kind: 'alarm.raised', at: clock.now(), level: 'red', data: { n, seeds } } as const;
    const { events } = await journal.commit({ events: [event], alarms: [], states: [], memory: [] });
    ids.push(...events.map((e) => e.id));
    fails(store);
  }
  const { contract, acked } = await journal.ledger.open({ ...STREET, ...SEES_ALL });
  const from = { epoch: contract.epoch, seq: acked.a.seq };
  const members = await journal.ledger.next('street', 'a', from, { max: 99, bytes: 1e9 });
  const { durable } = await journal.facts();
  await journal.close();
  const given = Object.fromEntries(
    members.map(({ id, payload }) => [id, JSON.stringify(JSON.parse(Buffer.from(payload).toString()).data)]),
  );
  return { ids, durable, epoch: contract.epoch, given };
}

for (const code of ['EIO', 'EACCES', 'EROFS', 'ENOSPC']) {
  for (const how of ['first start', 'start', 'while it runs']) {
    const path = join(folder, `${code}-${how}.db`);
    const before = how === 'first start' ? undefined : await live(path, OLD);
    const fails = (): void => {
      process.env.DISKOPEN = code;
    };
    if (how !== 'while it runs') fails();
    const failing = await live(path, 2, (store) => {
      fails();
      // The first of the two is on the disk.
      if (how === 'while it runs') store.readOnly();
    });
    process.env.DISKOPEN = '';
    const later = await live(path, 1);
    process.stdout.write(`${JSON.stringify({ code, how, before, failing, later })}\n`);
  }
}
