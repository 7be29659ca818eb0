/** A disk that was full or read-only and is well again: the store goes back to its file by itself, with everything memory held. */
import { existsSync, renameSync } from 'node:fs';
import { expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { type Bench, DEMAND, draft, newPath, noise, open, takeAll, text, work } from '../../test/kit/journal.ts';
import type { OutMessage } from '../base/feed.ts';
import { createVerifier } from '../uplink/verifier.ts';

const MB = 1024 * 1024;
const isAlarm = (m: OutMessage): boolean => m.type === 'weinao.alarm.raised.v1';

interface Told {
  readonly b: Bench;
  readonly given: OutMessage[];
  readonly renewed: string[];
}

async function begin(path: string, clock: VirtualClock): Promise<Told> {
  const b = open(path, clock, 64 * MB, () => 100 * MB);
  await b.journal.start();
  const renewed: string[] = [];
  b.journal.onRenewed((_, why) => void renewed.push(why));
  await b.journal.ledger.open(DEMAND);
  return { b, given: [], renewed };
}

async function take({ b, given }: Told): Promise<void> {
  for (const stream of ['a', 't'] as const) given.push(...(await takeAll(b, 'street', stream)));
}

it('goes back to its file with all that memory held, in a new epoch, and nothing is lost, changed or twice', async () => {
  const path = newPath();
  const clock = new VirtualClock(Date.UTC(2026, 10, 25));
  const told = await begin(path, clock);
  const { b } = told;
  const ids: string[] = [];
  const alarm = async (n: number): Promise<boolean> => {
    const commit = { ...work(draft(n, clock)), states: [{ key: 'r', body: `${n}` }] };
    const { durable, events } = await b.journal.commit(commit);
    ids.push(...events.map((e) => e.id));
    return durable;
  };
  expect(await alarm(1)).toBe(true);
  await take(told);
  expect(await alarm(2)).toBe(true);
  await noise(b, 3);
  b.store.readOnly();
  expect(await alarm(3)).toBe(false);
  renameSync(path, `${path}.away`);
  await noise(b, 2);
  // What waited and what came goes out of memory meanwhile; two alarms come after that.
  await take(told);
  expect(await alarm(4)).toBe(false);
  await clock.advance(60_000);
  expect(await alarm(5)).toBe(false);
  renameSync(`${path}.away`, path);
  await clock.advance(130_000);
  expect((await b.journal.facts()).durable).toBe(true);
  expect((await b.journal.facts()).setAside).toBeUndefined();
  expect(await alarm(6)).toBe(true);
  await noise(b, 1);
  await take(told);
  expect(told.renewed.at(-1)).toContain('takes rows again');

  expect(told.given.filter(isAlarm).map((m) => m.id)).toEqual(ids);
  const verifier = createVerifier();
  for (const m of told.given) verifier.take(`wn/1/street/s/up/${m.stream}`, m.payload);
  const { chain, gaps, dropped, faults } = verifier.summary();
  expect({ chain, gaps, dropped, faults }).toEqual({ chain: 'ok', gaps: 0, dropped: 0, faults: [] });
  const samples = new Map(told.given.filter((m) => m.samples > 0).map((m) => [m.id, m.samples]));
  expect([...samples.values()].reduce((sum, n) => sum + n, 0)).toBe(600);
  await b.journal.close();

  // It is all in the file: a later life has it, with the state as memory had it.
  const later = await begin(path, new VirtualClock(Date.UTC(2026, 10, 26)));
  expect((await later.b.journal.restore()).states).toContainEqual({ key: 'r', body: '6' });
  expect((await later.b.journal.facts()).setAside).toBeUndefined();
  const epoch = (await later.b.journal.feeds())[0]?.epoch ?? '';
  const again = await later.b.journal.ledger.replay('street', 'a', { epoch, seq: 0 }, { max: 100, bytes: MB });
  expect(again.filter(isAlarm).map((m) => JSON.parse(text(m)).data.n)).toContain(6);
  expect(existsSync(`${path}.probe`)).toBe(false);
  await later.b.journal.close();
});

it('a disk that comes and goes is tried less and less often', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 10, 25));
  const { b, renewed } = await begin(newPath(), clock);
  for (let n = 0; n < 4; n++) {
    b.store.readOnly();
    await b.journal.commit(work(draft(n, clock)));
    let waited = 0;
    for (; !(await b.journal.facts()).durable; waited += 5000) await clock.advance(5000);
    expect(waited, String(n)).toBeGreaterThanOrEqual(5000 * 2 ** n);
  }
  expect(renewed.filter((why) => why.includes('again'))).toHaveLength(4);
  await b.journal.close();
});
