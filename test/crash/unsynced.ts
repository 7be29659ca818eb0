/**
 * One process, many journals: in each the n-th write, sync or truncation fails once, while it is opened again, filled until its log is written back, and
 * closed. It says in the file `marks` when each begins and ends. Arguments: folder, how many to leave out between two. Meant to run under disktrace.c.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { createOutward } from '../../src/uplink/outward.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { SEES_ALL } from '../fakes/entitlement.ts';
import { loopbackStore } from '../fakes/store.ts';
import { virtualJournal } from '../kit/virtual-journal.ts';
import { FREE, STREET } from './promises.ts';

const [folder = '', every = '1'] = process.argv.slice(2);
const COMMITS = 12;
/** of a state: some hundred pages of the log, so that it is written back on the way */
const BYTES = 500_000;
const say = (mark: object): void => appendFileSync(join(folder, 'marks'), JSON.stringify(mark));

async function live(path: string, commits: number): Promise<boolean> {
  const clock = new VirtualClock(Date.UTC(2026, 10, 24));
  const journal = virtualJournal(path, clock, { startWorker: () => loopbackStore(createOutward(), () => FREE) });
  let durable = (await journal.start()).durable;
  await journal.ledger.open({ ...STREET, ...SEES_ALL });
  for (let n = 1; n <= commits; n++) {
    const event = { kind: 'alarm.raised', at: clock.now(), level: 'red', data: { n } } as const;
    const states = [{ key: 'r', body: String.fromCharCode(96 + n).repeat(BYTES) }];
    durable = (await journal.commit({ events: [event], alarms: [], states, memory: [] })).durable;
    if (n % 4 === 0) await clock.advance(5100);
  }
  await journal.close();
  return durable;
}

let isOver = false;
for (let n = 1; !isOver; n += Number(every)) {
  const path = join(folder, `${n}.db`);
  // What a failure leaves half done of a new file SQLite takes back by itself: nothing stands there yet.
  await live(path, 1);
  say({ life: n });
  process.env.DISKNTH = `${n} EIO`;
  const durable = await live(path, COMMITS);
  process.env.DISKNTH = '0 EIO';
  say({ durable });
  isOver = durable;
}
say({ exit: true });
