/** keep_days: gone after its days and not before, from every file; feeds get it as erased; what they hold still verifies. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { type Bench, DEMAND, draft, newPath, open, reading, takeAll, text, work } from '../../test/kit/journal.ts';
import type { KeepClass, KeptCounts, OutMessage } from '../base/feed.ts';
import { createVerifier } from '../uplink/verifier.ts';

const NAME = '钱金丝雀甲';
const DAY = 86_400_000;

const grep = (path: string, needle = NAME): string[] =>
  readdirSync(dirname(path)).filter((name) => readFileSync(join(dirname(path), name)).includes(Buffer.from(needle)));

function daysOf(b: Bench, days: number, what: Partial<KeepClass['what']>): KeepClass {
  const before = b.clock.now().wall - days * DAY;
  return { days, before, what: { devices: [], points: [], forms: [], from: 0, to: Number.MAX_SAFE_INTEGER, ...what } };
}

const expire = (b: Bench, ...classes: KeepClass[]): Promise<readonly KeptCounts[]> =>
  b.journal.expire(classes, new AbortController().signal);

function report(b: Bench, form: string) {
  const data = { form, fields: { text: `${NAME} ${form}` } };
  return work({
    kind: 'report.created',
    subject: form,
    at: b.clock.now(),
    data,
    classes: { 'fields.text': 'personal' },
  });
}

/** One of everything, of the device bed_1 and of its neighbour. */
async function happen(b: Bench): Promise<void> {
  await b.journal.commit(report(b, 'visit'));
  await b.journal.commit(report(b, 'parcel'));
  for (const device of ['bed_1', 'bed_2']) {
    const { data, ...rest } = draft(1, b.clock);
    const by = `${NAME} ${device}`;
    await b.journal.commit({
      ...work({ ...rest, subject: device, data: { ...data, key: `fall/${device}`, by } }),
      alarms: [{ key: `fall/${device}`, aid: device, open: false, by, changed: b.clock.now().wall } as never],
    });
    b.journal.report([{ ...reading(7, b.clock), device, value: by }]);
  }
  await b.journal.flush();
}

const told = (m: OutMessage): Record<string, unknown> => JSON.parse(text(m)).data;

it('takes what is older than its days, and nothing that is not', async () => {
  const path = newPath();
  const b = open(path);
  await b.journal.start();
  await b.journal.ledger.open(DEMAND);
  await happen(b);
  const taken = [...(await takeAll(b, 'street', 'a')), ...(await takeAll(b, 'street', 't'))];
  b.clock.stepWall(DAY);
  await happen(b);
  const week = () => daysOf(b, 7, { devices: ['bed_1'], forms: ['visit'] });

  // Six days after the first: nothing is old enough.
  b.clock.stepWall(5 * DAY);
  expect(await expire(b, week())).toMatchObject([{ days: 7, events: 0, samples: 0, alarms: 0 }]);
  expect(grep(path)).not.toEqual([]);

  b.clock.stepWall(DAY + 1);
  expect(await expire(b, week())).toMatchObject([{ days: 7, events: 2, samples: 1, groups: 1, alarms: 0 }]);
  // Another class keeps the neighbour and the other form; the second day's are still young.
  const rest = await takeAll(b, 'street', 'a');
  expect(rest.map(text).join('')).toContain(NAME);
  const ids = rest.flatMap((m) => (m.type === 'weinao.feed.erased.v1' ? (told(m).ids as string[]) : []));
  const own = taken.filter((m) => m.stream === 'a' && /"subject":"(bed_1|visit)"/.test(text(m))).map((m) => m.id);
  expect(own).toHaveLength(2);
  expect(ids).toEqual(own);
  const verifier = createVerifier();
  const { contract } = await b.journal.ledger.open(DEMAND);
  const replayed = await b.journal.ledger.replay(
    'street',
    'a',
    { epoch: contract.epoch, seq: 0 },
    { max: 99, bytes: 1e9 },
  );
  for (const m of replayed) verifier.take('wn/1/street/s/up/a', m.payload);
  expect(verifier.summary()).toMatchObject({ chain: 'ok', gaps: 0, faults: [] });
  const before = taken.filter((m) => m.stream === 'a').map((m) => m.hash);
  expect(replayed.slice(0, before.length).map((m) => m.hash)).toEqual(before);

  b.clock.stepWall(DAY);
  expect(await expire(b, week())).toMatchObject([{ events: 2, samples: 1, alarms: 1 }]);
  // All of the others, too: no file holds the name any more, nor does the log of the database.
  const all = [week(), daysOf(b, 3, { devices: ['bed_2'], forms: ['parcel'] })];
  expect(await expire(b, ...all)).toMatchObject([
    { days: 7, events: 0, samples: 0 },
    { days: 3, events: 4, samples: 2, alarms: 1 },
  ]);
  expect(grep(path)).toEqual([]);
  expect(grep(path, JSON.stringify(NAME).slice(1, -1))).toEqual([]);
  // Nobody took the second day's telemetry: it comes as erased.
  const late = await takeAll(b, 'street', 't');
  for (const m of late) expect(text(m)).not.toContain(NAME);
  expect(late.filter((m) => m.type === 'weinao.telemetry.sampled.v1').map(told)).toEqual([
    { erased: true },
    { erased: true },
  ]);
  await b.journal.close();

  const again = open(path);
  await again.journal.start();
  expect(grep(path)).toEqual([]);
  await again.journal.close();
});

it('looks at a day once, and at everything when a class names something new', async () => {
  const b = open(newPath());
  await b.journal.start();
  for (let day = 0; day < 3; day++) {
    await happen(b);
    b.clock.stepWall(DAY);
  }
  const first = await expire(b, daysOf(b, 1, { devices: ['bed_1'] }));
  expect(first).toMatchObject([{ events: 2, samples: 2 }]);
  expect(await expire(b, daysOf(b, 1, { devices: ['bed_1'] }))).toMatchObject([{ events: 0, samples: 0 }]);
  const more = await expire(b, daysOf(b, 1, { devices: ['bed_1', 'bed_2'] }));
  expect(more).toMatchObject([{ events: 2, samples: 2 }]);
  await b.journal.close();
});

it('finds what retention left in free pages', async () => {
  const path = newPath();
  const b = open(path, undefined, 1024 ** 2);
  await b.journal.start();
  // The file is small: the older half goes again, for want of room.
  const filler = 'x'.repeat(900);
  for (let n = 0; n < 700; n++) {
    const { data, ...rest } = draft(n, b.clock);
    await b.journal.commit(work({ ...rest, subject: 'd', data: { ...data, text: `${NAME} ${n} ${filler}` } }));
    if (n % 50 === 0) await b.clock.advance(6000);
  }
  await b.clock.advance(6000);
  expect((await b.journal.facts()).counters.events).toBe(700);
  b.clock.stepWall(2 * DAY);
  expect(grep(path)).not.toEqual([]);
  // Free pages are looked at too: nothing of this class stands in a row any more.
  const [counts] = await expire(b, daysOf(b, 1, { devices: ['d'] }));
  expect(counts?.events).toBeLessThan(700);
  expect(grep(path)).toEqual([]);
  await b.journal.close();
});
