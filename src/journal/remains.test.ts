/** Files that cannot be opened any more: what they still hold reaches the feeds, and what they do not is told. */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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
  await b.journal.close();
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
  const [a, t] = [await takeAll(bench, 'street', 'a'), await takeAll(bench, 'street', 't')];
  const verifier = createVerifier();
  for (const m of [...a, ...t]) verifier.take(`wn/1/street/s/up/${m.stream}`, m.payload);
  expect(verifier.summary()).toMatchObject({ chain: 'ok', gaps: 0, faults: [] });
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
