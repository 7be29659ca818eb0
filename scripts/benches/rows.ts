/** What the benches of the uplink put into a journal, and a feed as the configuration would give it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkConfig } from '../../src/app/check.ts';
import type { Commit } from '../../src/base/journal.ts';
import type { FeedModel } from '../../src/base/model.ts';
import type { Clock } from '../../src/base/ports.ts';
import { systemRandom } from '../../src/io/random.ts';
import { startWorker } from '../../src/io/worker.ts';
import { createJournal, type JournalFace } from '../../src/journal/index.ts';
import { SECRET } from '../../test/fakes/entitlement.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { folder } from './kit.ts';

/** A journal as the house has it, with a thread of its own; telemetry waits until it is flushed. */
export const journalIn = (place: string, clock: Clock): JournalFace =>
  createJournal({
    clock,
    random: systemRandom(),
    log: memoryLog(),
    path: join(place, 'journal.db'),
    windowMs: 60_000,
    secret: SECRET,
    onStalled: () => {},
    startWorker: () => startWorker(new URL('../../src/app/store-worker.ts', import.meta.url), undefined),
  });

/** A feed that sees everything. */
export async function feedOf(id: string, to: string, encoding: FeedModel['encoding']): Promise<FeedModel> {
  const root = folder();
  mkdirSync(root, { recursive: true });
  const text = `site: {id: b, name: b}
gateway: {data: ${root}/data}
feeds: {${id}: {to: "${to}", encoding: ${encoding}, rate: 10000, view: everything}}
`;
  writeFileSync(join(root, 'weinao.yaml'), text);
  const { site, problems } = await checkConfig(root, {});
  const feed = site?.model.feeds.get(id);
  if (feed === undefined) throw new Error(JSON.stringify(problems));
  return feed;
}

/** One orange alarm's transition. */
export const alarmOf = (clock: Clock, n: number): Commit => ({
  events: [
    {
      kind: n % 2 === 0 ? 'alarm.raised' : 'alarm.cleared',
      at: clock.now(),
      level: 'orange',
      subject: 'tank_1',
      correlation: '01KAW0000000000000000000A1',
      data: {
        aid: '01KAW0000000000000000000A1',
        rev: n,
        rule: 'tank_low',
        text: '水位 {level} 米',
        values: { level: n / 8 },
      },
    },
  ],
  alarms: [],
  states: [],
  memory: [],
});

/** So many commits of telemetry, each of so many samples. */
export async function fill(journal: JournalFace, clock: Clock, commits: number, samples: number): Promise<void> {
  for (let n = 0; n < commits; n++) {
    const at = clock.now();
    const point = (i: number) => ({ device: `d${i % 50}`, point: `p${i % 20}`, value: n + i / 8 });
    journal.report(Array.from({ length: samples }, (_, i) => ({ ...point(i), quality: 'good', ts: at.wall, at })));
    await journal.flush();
  }
}
