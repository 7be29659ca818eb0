/**
 * A process that fills a journal and says in the file `marks` what it was promised: `{"ids":[...]}` after each durable commit.
 * Arguments: folder, synchronous, commits, readings and alarms in each. Meant to run under disktrace.c.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventDraft } from '../../src/base/event.ts';
import { systemClock } from '../../src/io/clock.ts';
import { systemRandom } from '../../src/io/random.ts';
import { startWorker } from '../../src/io/worker.ts';
import { createJournal } from '../../src/journal/index.ts';
import type { Synchronous } from '../../src/journal/schema.ts';
import { SECRET, SEES_ALL } from '../fakes/entitlement.ts';
import { memoryLog } from '../fakes/log.ts';

const [folder = '', synchronous = 'FULL', commits = '100', telemetry = '20', alarms = '2'] = process.argv.slice(2);
const clock = systemClock();
const journal = createJournal({
  clock,
  random: systemRandom(),
  log: memoryLog(),
  path: join(folder, 'journal.db'),
  windowMs: 60_000,
  secret: SECRET,
  onStalled: () => {},
  startWorker: () => startWorker(new URL('../../src/app/store-worker.ts', import.meta.url), undefined),
  synchronous: synchronous as Synchronous,
});
const say = (what: unknown): void => appendFileSync(join(folder, 'marks'), JSON.stringify(what));

await journal.start();
const demand = { feed: 'street', source: 'urn:weinao:s:g', ...SEES_ALL } as const;
const { contract } = await journal.ledger.open({ ...demand, encoding: 'json', keepMs: 86_400_000, priority: 5 });
say({ epoch: contract.epoch });
for (let n = 1; n <= Number(commits); n++) {
  const at = clock.now();
  for (let i = 0; i < Number(telemetry); i++)
    journal.report([{ device: 'd', point: `p${i}`, value: n + i / 8, quality: 'good', ts: at.wall, at }]);
  const event: EventDraft = { kind: n % 2 === 1 ? 'alarm.raised' : 'alarm.cleared', at, level: 'red', data: { n } };
  if (Number(alarms) === 0) {
    await journal.flush();
    continue;
  }
  const state = { key: `rule/${n % 5}`, body: JSON.stringify({ n, since: at.mono }) };
  const events = Array.from({ length: Number(alarms) }, () => event);
  const done = await journal.commit({ events, alarms: [], states: [state], memory: [] });
  say({ ids: done.events.map((e) => e.id), state: [state.key, n], durable: done.durable });
}
say({ end: true });
// No close: nothing may be tidied up.
process.exit(0);
