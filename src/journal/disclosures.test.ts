import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { SECRET } from '../../test/fakes/entitlement.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import { loopbackStore } from '../../test/fakes/store.ts';
import { tempFolder } from '../../test/kit/site.ts';
import { until } from '../../test/kit/wait.ts';
import type { EventDraft, Stream } from '../base/event.ts';
import type { OutMessage } from '../base/feed.ts';
import type { Reading } from '../base/reading.ts';
import type { ResolvedView } from '../base/view.ts';
import { createOutward } from '../uplink/outward.ts';
import { createJournal, type JournalFace } from './index.ts';

const HOUR = 3_600_000;
const ALL = { max: 1000, bytes: 10_000_000 };
const VIEW: ResolvedView = { kind: 'everything', points: { tank_2: { p: 'personal' }, tank_3: { p: 'sensitive' } } };

interface Bench {
  readonly journal: JournalFace;
  readonly clock: VirtualClock;
  readonly epoch: string;
}

let seeds = 0;
async function start(path: string, clock = new VirtualClock(), selects = VIEW): Promise<Bench> {
  const journal = createJournal({
    path,
    clock,
    random: seededRandom(++seeds),
    log: memoryLog(),
    windowMs: 1000,
    secret: SECRET,
    onStalled: () => {},
    startWorker: () => loopbackStore(createOutward()),
  });
  await journal.start();
  const demand = {
    feed: 'street',
    source: 'urn:weinao:s:g',
    encoding: 'json',
    keepMs: 86_400_000,
    priority: 5,
  } as const;
  const entitlement = { view: 'everything.2', selects, pseudonyms: 'test' };
  const { contract } = await journal.ledger.open({ ...demand, ...entitlement });
  return { journal, clock, epoch: contract.epoch };
}

const newPath = (): string => join(tempFolder(), 'journal.db');
const reading = (n: number, clock: VirtualClock, device: string): Reading => ({
  device,
  point: 'p',
  value: n,
  quality: 'good',
  ts: clock.now().wall,
  at: clock.now(),
});

/** Personal readings of two devices and one that is about nobody, each in a group of its own. */
async function happen({ journal, clock }: Bench, times: number): Promise<void> {
  const groups = (await journal.facts()).counters.groups ?? 0;
  for (let n = 0; n < times; n++) {
    journal.report([reading(n, clock, 'tank_1')]);
    journal.reportPersonal(['tank_2', 'tank_3'].map((device) => reading(n, clock, device)));
    await journal.flush();
    await until('it is stored', async () => ((await journal.facts()).counters.groups ?? 0) >= groups + 2 * (n + 1));
  }
}

async function members({ journal, epoch }: Bench, stream: Stream): Promise<readonly OutMessage[]> {
  return journal.ledger.next('street', stream, { epoch, seq: 0 }, ALL);
}

/** The platform takes everything there is. */
async function take(bench: Bench): Promise<void> {
  for (const stream of ['a', 't'] as const) {
    const seq = (await members(bench, stream)).at(-1)?.seq;
    if (seq !== undefined) bench.journal.ledger.ack('street', stream, { epoch: bench.epoch, seq });
  }
  await bench.journal.facts();
}

const audits = async (bench: Bench, after = 0): Promise<EventDraft['data'][]> => {
  const all = await bench.journal.ledger.next('street', 'a', { epoch: bench.epoch, seq: after }, ALL);
  return all
    .map((m) => JSON.parse(new TextDecoder().decode(m.payload)) as { type: string; data: EventDraft['data'] })
    .filter((m) => m.type === 'weinao.audit.disclosed.v1')
    .map((m) => m.data);
};

describe('the disclosure audit', () => {
  it('is one event for each feed, class and hour in which a platform took something personal, and is not audited', async () => {
    const bench = await start(newPath());
    const { clock, journal } = bench;
    await happen(bench, 3);
    await clock.advance(6000);
    expect(await audits(bench)).toEqual([]);
    await take(bench);
    await clock.advance(HOUR);
    const from = new Date(Math.floor(clock.now().wall / HOUR - 1) * HOUR).toISOString();
    const to = new Date(Math.floor(clock.now().wall / HOUR) * HOUR).toISOString();
    const head = { feed: 'street', from, to };
    expect(await audits(bench)).toEqual([
      { ...head, class: 'personal', members: 3, values: 3, subjects: 1 },
      { ...head, class: 'sensitive', members: 3, values: 3, subjects: 1 },
    ]);
    const before = (await members(bench, 'a')).length;
    await take(bench);
    await clock.advance(2 * HOUR);
    // Nothing personal was taken, and the audit itself does not count.
    expect(await audits(bench, before)).toEqual([]);
    await journal.close();
  });

  it('of an hour nobody knows is told when the clock is set, and says so', async () => {
    const clock = new VirtualClock(7000);
    clock.synced = false;
    const bench = await start(newPath(), clock);
    await happen(bench, 1);
    await take(bench);
    await clock.advance(10_000);
    clock.stepWall(Date.UTC(2026, 10, 25) - clock.now().wall);
    clock.synced = true;
    await clock.advance(10_000);
    const told = {
      feed: 'street',
      from: '1970-01-01T00:00:00.000Z',
      to: '1970-01-01T01:00:00.000Z',
      clock: 'unsynced',
    };
    expect(await audits(bench)).toMatchObject([
      { ...told, class: 'personal', members: 1 },
      { ...told, class: 'sensitive', members: 1 },
    ]);
    const [audit] = (await members(bench, 'a')).filter((m) => m.type === 'weinao.audit.disclosed.v1');
    const { time, wnclock } = JSON.parse(new TextDecoder().decode(audit?.payload));
    expect([time.slice(0, 10), wnclock]).toEqual(['2026-11-25', undefined]);
    await bench.journal.close();
  });

  it('is told only to who sees everything', async () => {
    const { journal, clock, epoch } = await start(newPath());
    const list: ResolvedView = {
      kind: 'list',
      alarms: [{ classes: ['personal'], drop: [], scrub: false }],
      points: { tank_2: { p: 'personal' } },
      devices: ['tank_2'],
      stats: {},
      forms: {},
    };
    const demand = {
      feed: 'city',
      source: 'urn:weinao:s:g',
      encoding: 'json',
      keepMs: 86_400_000,
      priority: 5,
    } as const;
    const city = await journal.ledger.open({ ...demand, view: 'city.1', selects: list, pseudonyms: 'test' });
    await happen({ journal, clock, epoch }, 1);
    await take({ journal, clock, epoch });
    await clock.advance(2 * HOUR);
    expect(await audits({ journal, clock, epoch })).toHaveLength(2);
    const told = await journal.ledger.next('city', 'a', { epoch: city.contract.epoch, seq: 0 }, ALL);
    expect(told.map((m) => m.type)).toEqual(['weinao.feed.epoch.v1']);
    await journal.close();
  });

  it('costs no commit of its own while the hour runs', async () => {
    const counted = async (selects: ResolvedView): Promise<number> => {
      const bench = await start(newPath(), new VirtualClock(), selects);
      for (let n = 0; n < 5; n++) {
        await happen(bench, 1);
        await take(bench);
        await bench.clock.advance(5000);
      }
      const { commits = 0 } = (await bench.journal.facts()).counters;
      await bench.journal.close();
      return commits;
    };
    expect(await counted(VIEW)).toBe(await counted({ kind: 'everything', points: {} }));
  });

  it('agrees with the cursor after a power cut: what is taken again is counted once', async () => {
    const path = newPath();
    const a = await start(path);
    await happen(a, 4);
    await take(a);
    await a.clock.advance(6000);
    await happen(a, 2);
    // Taken, and the cursor is not written yet: no close, the process is gone.
    await take(a);
    const b = await start(path, new VirtualClock(a.clock.now().wall));
    expect(b.epoch).toBe(a.epoch);
    await take(b);
    await b.clock.advance(HOUR);
    expect((await audits(b)).map((e) => [e.class, e.members, e.values])).toEqual([
      ['personal', 6, 6],
      ['sensitive', 6, 6],
    ]);
    await b.journal.close();
  });

  it('of hours that ended while the gateway was off comes when it is on again', async () => {
    const path = newPath();
    const a = await start(path);
    await happen(a, 1);
    await take(a);
    await a.journal.close();
    await a.clock.advance(5 * HOUR);
    const b = await start(path, a.clock);
    await b.clock.advance(6000);
    expect((await audits(b)).map((e) => [e.class, e.members])).toEqual([
      ['personal', 1],
      ['sensitive', 1],
    ]);
    await b.journal.close();
  });
});
