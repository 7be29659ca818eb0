/** Files that cannot be opened any more: what they still hold reaches the feeds, and what they do not is told. */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Bench, DEMAND, draft, newPath, noise, open, takeAll, text, work } from '../../test/kit/journal.ts';
import type { OutMessage } from '../base/feed.ts';
import type { JournalFacts } from '../base/journal.ts';
import { openSqlite } from '../io/sqlite.ts';
import { createVerifier } from '../uplink/verifier.ts';

const GROUPS = 6;
const ALARMS = 5;
const PAGE = 4096;
const LOG_HEAD = 32;
const FRAME = 24 + PAGE;
/** frames of the last commits, between which damage and a cut look the same */
const LAST = 8;
const EVERY = process.env.WEINAO_NIGHT === undefined ? 3 : 1;

interface Made {
  readonly path: string;
  readonly epoch: string;
  /** ids of the alarms that street has not taken */
  readonly alarms: readonly string[];
}

/** A journal whose feed has taken two alarms and one group; five alarms and six groups wait. `killed`: the log is all that knows of most of it. */
async function make(killed: boolean): Promise<Made> {
  const path = newPath();
  let b = open(path);
  await b.journal.start();
  await b.journal.ledger.open(DEMAND);
  for (let n = 0; n < 2; n++) await b.journal.commit(work(draft(n, b.clock)));
  await noise(b, 1);
  for (const stream of ['a', 't'] as const) await takeAll(b, 'street', stream);
  await b.journal.close();
  b = open(path);
  await b.journal.start();
  const alarms: string[] = [];
  for (let n = 0; n < ALARMS; n++) {
    const aid = `aid${n + 2}`;
    const alarm = { key: `r/${n}`, aid, open: true } as never;
    const state = { key: `rule/${n}`, body: `{"n":${n}}` };
    const { events } = await b.journal.commit({
      events: [draft(n + 2, b.clock)],
      alarms: [alarm],
      states: [state],
      memory: [],
    });
    alarms.push(...events.map((e) => e.id));
    await noise(b, n === 0 ? 2 : 1);
  }
  const { epoch } = (await b.journal.ledger.open(DEMAND)).contract;
  if (!killed) {
    await b.journal.close();
    return { path, epoch, alarms };
  }
  for (const end of ['', '-wal']) copyFileSync(path + end, `${path}.killed${end}`);
  b.store.vanish();
  return { path: `${path}.killed`, epoch, alarms };
}

interface Found {
  readonly facts: JournalFacts;
  readonly bench: Bench;
  readonly a: readonly OutMessage[];
  readonly t: readonly OutMessage[];
}

async function live(path: string): Promise<Found> {
  const bench = open(path);
  const facts = await bench.journal.start();
  const [a, t]: [OutMessage[], OutMessage[]] = [[], []];
  // Damage that is found on the way begins a new epoch: whoever asked for the old one asks again.
  for (let n = 0; n < 5; n++) {
    a.push(...(await takeAll(bench, 'street', 'a')));
    t.push(...(await takeAll(bench, 'street', 't')));
  }
  const verifier = createVerifier();
  for (const m of [...a, ...t]) verifier.take(`wn/1/street/s/up/${m.stream}`, m.payload);
  expect(verifier.summary().chain).toBe('ok');
  return { facts, bench, a, t };
}

const alarmsOf = (all: readonly OutMessage[]): string[] =>
  all.filter((m) => m.type === 'weinao.alarm.raised.v1').map((m) => m.id);
const dataOf = (m: OutMessage): Record<string, unknown> => JSON.parse(text(m)).data;
const gapsOf = (all: readonly OutMessage[]): Record<string, unknown>[] =>
  all.filter((m) => m.type === 'weinao.feed.gap.v1').map(dataOf);
const samplesOf = (all: readonly OutMessage[]): number =>
  all
    .filter((m) => m.type.startsWith('weinao.telemetry'))
    .reduce((sum, m) => sum + (dataOf(m).samples as []).length, 0);
const epochOf = async ({ bench }: Found): Promise<string> => (await bench.journal.ledger.open(DEMAND)).contract.epoch;

function edit(path: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
}
const flip =
  (at: number, bit = 4) =>
  (bytes: Buffer): void =>
    void bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);

/** The files as they were, under the name that is told. */
function expectKept({ facts }: Found, path: string, was: Buffer): void {
  const aside = facts.setAside?.path ?? '';
  expect(aside).toContain(`${path}.damaged-`);
  expect(readFileSync(aside).equals(was)).toBe(true);
  const beside = readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.`));
  expect(beside.filter((name) => /\.(remains|next)/.test(name))).toEqual([]);
}

describe('a file whose first page is lost', () => {
  it.each([
    ['header overwritten', (b: Buffer) => void b.fill(0xee, 0, 100)],
    ['page size flipped', flip(16)],
    ['version flipped', flip(19)],
    ['a schema text flipped', (b: Buffer) => void b.write('rowt', b.indexOf('CREATE TABLE rows') + 13)],
    ['all of it overwritten', (b: Buffer) => void b.fill(0xee, 0, PAGE)],
    ['all of it zeros', (b: Buffer) => void b.fill(0, 0, PAGE)],
  ])('%s: every alarm arrives, in a new epoch', async (_, damage) => {
    const { path, epoch, alarms } = await make(false);
    edit(path, damage);
    const was = readFileSync(path);
    const found = await live(path);
    expect(alarmsOf(found.a)).toEqual(alarms);
    expect(await epochOf(found)).not.toBe(epoch);
    expect(found.a[0]).toMatchObject({ type: 'weinao.feed.epoch.v1' });
    expect(dataOf(found.a[0] as OutMessage).old).toBe(epoch);
    expectKept(found, path, was);
    // What telemetry did not come along was told, sample by sample.
    expect(gapsOf(found.a)).toEqual([]);
    const told = gapsOf(found.t);
    const lost = told.reduce((sum, gap) => sum + Number(gap.lost), 0);
    expect(samplesOf(found.t) + lost).toBe(100 * GROUPS);
    for (const gap of told)
      expect(gap).toMatchObject({ reason: 'damaged', from: expect.any(String), to: expect.any(String) });
    const { alarms: raised, states } = await found.bench.journal.restore();
    expect([raised.length, states.filter((s) => s.key.startsWith('rule/')).length]).toEqual([ALARMS, ALARMS]);
    // The next life has nothing more to tell.
    await found.bench.journal.close();
    const again = await live(path);
    expect([again.a, again.t, again.facts.setAside]).toEqual([[], [], undefined]);
    await again.bench.journal.close();
  });

  it('in a file that was rebuilt by an erasure the tables are found where they lie', async () => {
    const { path, alarms } = await make(false);
    const db = openSqlite(path);
    db.exec('VACUUM');
    db.close();
    edit(path, (b) => void b.fill(0xee, 0, PAGE));
    const found = await live(path);
    expect(alarmsOf(found.a)).toEqual(alarms);
    await found.bench.journal.close();
  });
});

/** Alarms that are missing are told, if only as a gap that cannot count. */
function expectTold(found: Found, alarms: readonly string[]): void {
  const arrived = alarmsOf(found.a);
  const missing = alarms.filter((id) => !arrived.includes(id)).length;
  expect(new Set(arrived).size).toBe(arrived.length);
  const gaps = gapsOf(found.a);
  const isUncounted = gaps.some((gap) => gap.lost === undefined);
  if (!isUncounted) expect(gaps.reduce((sum, gap) => sum + Number(gap.lost), 0)).toBeGreaterThanOrEqual(missing);
  for (const gap of [...gaps, ...gapsOf(found.t)]) expect(gap.reason).toBe('damaged');
}

describe('a bit that flipped in the header', () => {
  it('costs no alarm, wherever it is', { timeout: 300_000 }, async () => {
    const { path, alarms } = await make(false);
    const good = readFileSync(path);
    for (let at = 0; at < 100; at += EVERY) {
      const hurt = `${path}.${at}`;
      writeFileSync(hurt, good);
      edit(hurt, flip(at, at % 8));
      const found = await live(hurt);
      expect(alarmsOf(found.a), `byte ${at}`).toEqual(alarms);
      expect(samplesOf(found.t), `byte ${at}`).toBe(100 * GROUPS);
      expect(
        (await found.bench.journal.commit(work(draft(99, found.bench.clock)))).durable,
        `byte ${at} ${JSON.stringify(await found.bench.journal.facts())}`,
      ).toBe(true);
      await found.bench.journal.close();
    }
  });
});

describe('a file that was cut off', () => {
  it.each([0, 50, PAGE, PAGE + 100, 3 * PAGE, 8 * PAGE, 15 * PAGE - 1000])(
    'after %s bytes: what is missing is told',
    async (bytes) => {
      const { path, alarms, epoch } = await make(false);
      truncateSync(path, bytes);
      const found = await live(path);
      // Of an empty file nothing says that it ever was another.
      if (bytes > 0) expectTold(found, alarms);
      expect(await epochOf(found)).not.toBe(epoch);
      await found.bench.journal.close();
    },
  );

  it('or is gone altogether: its log still has what was written last', async () => {
    const { path, alarms } = await make(true);
    for (const bytes of [0, undefined]) {
      for (const end of ['', '-wal']) copyFileSync(path + end, `${path}.${bytes}${end}`);
      if (bytes === undefined) rmSync(`${path}.${bytes}`);
      else truncateSync(`${path}.${bytes}`, bytes);
      const found = await live(`${path}.${bytes}`);
      expectTold(found, alarms);
      expect(alarmsOf(found.a).length).toBeGreaterThan(0);
      await found.bench.journal.close();
    }
  });

  it.each(['zeros', 'noise'])('in its last page (%s): what is missing is told', async (what) => {
    const { path, alarms } = await make(false);
    edit(path, (b) => void b.fill(what === 'zeros' ? 0 : 0xee, b.length - 2048));
    const found = await live(path);
    expectTold(found, alarms);
    const told = gapsOf(found.t).reduce((sum, gap) => sum + Number(gap.lost), 0);
    expect(
      samplesOf(found.t) + told,
      JSON.stringify([found.facts, gapsOf(found.t), await found.bench.journal.feeds()]),
    ).toBeGreaterThanOrEqual(100 * GROUPS);
    await found.bench.journal.close();
  });
});

describe('a write-ahead log', () => {
  it('whose header is damaged is read all the same', async () => {
    const { path, alarms, epoch } = await make(true);
    for (let at = 0; at < LOG_HEAD; at += 5) {
      for (const end of ['', '-wal']) copyFileSync(path + end, `${path}.${at}${end}`);
      edit(`${path}.${at}-wal`, flip(at));
      const found = await live(`${path}.${at}`);
      expect(alarmsOf(found.a), `byte ${at}`).toEqual(alarms);
      expect(samplesOf(found.t)).toBe(100 * GROUPS);
      expect(await epochOf(found)).not.toBe(epoch);
      expect(found.facts.setAside?.path).toContain('.damaged-');
      await found.bench.journal.close();
    }
  });

  it('with a bit that flipped in a frame loses no commit behind it', { timeout: 300_000 }, async () => {
    const { path, alarms } = await make(true);
    const frames = Math.floor((readFileSync(`${path}-wal`).length - LOG_HEAD) / FRAME);
    let aside = 0;
    for (let n = 0; n < 4 * frames; n += EVERY) {
      const frame = n % frames;
      for (const end of ['', '-wal']) copyFileSync(path + end, `${path}.${n}${end}`);
      edit(`${path}.${n}-wal`, flip(LOG_HEAD + frame * FRAME + ((n * 1031) % FRAME), n % 8));
      const found = await live(`${path}.${n}`);
      if (found.facts.setAside !== undefined) {
        aside++;
        expectTold(found, alarms);
      } else {
        // Within the last commit it is as if the power had gone before that was done.
        expect(frame, `frame ${frame} of ${frames}`).toBeGreaterThan(frames - LAST);
        expect(alarmsOf(found.a)).toEqual(alarms);
      }
      await found.bench.journal.close();
    }
    expect(aside).toBeGreaterThan(10);
  });

  it('that was cut off within a frame ends there', async () => {
    const { path, alarms } = await make(true);
    const log = readFileSync(`${path}-wal`);
    for (const bytes of [log.length - 100, log.length - FRAME - 10, Math.floor(log.length / 2)]) {
      for (const end of ['', '-wal']) copyFileSync(path + end, `${path}.${bytes}${end}`);
      truncateSync(`${path}.${bytes}-wal`, bytes);
      const found = await live(`${path}.${bytes}`);
      const arrived = alarmsOf(found.a);
      expect(arrived).toEqual(alarms.slice(0, arrived.length));
      await found.bench.journal.close();
    }
  });

  it('that is gone is missed: a new epoch, a gap that counts nothing, and the technician is told', async () => {
    const { path, epoch } = await make(true);
    rmSync(`${path}-wal`);
    const found = await live(path);
    expect(await epochOf(found)).not.toBe(epoch);
    expect([gapsOf(found.a), gapsOf(found.t)]).toEqual([[{ reason: 'damaged' }], [{ reason: 'damaged' }]]);
    expect(found.facts).toMatchObject({ durable: true, setAside: { path: '', why: 'the write-ahead log is gone' } });
    await found.bench.journal.close();
    const again = await live(path);
    expect([again.a, again.facts.setAside]).toEqual([[], undefined]);
    await again.bench.journal.close();
  });

  it('that SQLite wrote into the file at the end of a process is not missed', async () => {
    const { path, alarms } = await make(true);
    const db = openSqlite(path);
    db.prepare('SELECT 1 FROM meta').get();
    db.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
    const found = await live(path);
    expect(found.facts.setAside).toBeUndefined();
    expect(alarmsOf(found.a)).toEqual(alarms);
    await found.bench.journal.close();
  });
});
