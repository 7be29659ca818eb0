/** What goes when there is no room or it is too old, who is told, and who is not touched. */
import { statSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import {
  ALL,
  type Bench,
  DEMAND,
  draft,
  fill,
  newPath,
  noise,
  open,
  reading,
  SMALL,
  takeAll,
  text,
  work,
} from '../../test/kit/journal.ts';
import type { Stream } from '../base/event.ts';
import type { OutMessage } from '../base/feed.ts';
import { createVerifier } from '../uplink/verifier.ts';
import type { Lost } from './feed.ts';

const DAY = 86_400_000;
const MONTHS = { ...DEMAND, keepMs: 300 * DAY };
const told = (m: OutMessage): Record<string, unknown> => JSON.parse(text(m)).data;
const isGap = (m: OutMessage): boolean => m.type === 'weinao.feed.gap.v1';

/** Members behind a sequence, taken or not. */
async function peek(b: Bench, feed: string, stream: Stream, seq = 0): Promise<readonly OutMessage[]> {
  const facts = (await b.journal.feeds()).find((f) => f.feed === feed);
  return b.journal.ledger.next(feed, stream, { epoch: facts?.epoch ?? '', seq }, ALL);
}
const longAlarm = (n: number, b: Bench) => {
  const { data, ...rest } = draft(n, b.clock);
  return work({ ...rest, data: { ...data, text: 'x'.repeat(1000) } });
};

describe('a journal without room', () => {
  it('stays within its budget: the oldest telemetry goes, counted; alarms come in and stay', async () => {
    const path = newPath();
    const b = open(path, undefined, SMALL);
    await b.journal.start();
    await b.journal.ledger.open(MONTHS);
    const lost: Lost[] = [];
    b.journal.onLost((l) => void lost.push(l));
    for (let round = 0; round < 12; round++) {
      await noise(b, 80);
      for (let n = 0; n < 20; n++) expect((await b.journal.commit(longAlarm(n, b))).durable).toBe(true);
      await b.clock.advance(10_000);
    }
    const { counters } = await b.journal.facts();
    expect(statSync(path).size).toBeLessThanOrEqual(SMALL);
    expect(new Set(lost.map((l) => `${l.feeds} ${l.stream} ${l.why}`))).toEqual(new Set(['street t disk-full']));
    const t = await takeAll(b, 'street', 't');
    const [gap, ...others] = t.filter(isGap).map(told);
    expect(others).toEqual([]);
    expect(Number(gap?.lost)).toBeGreaterThan(100);
    expect(Number(gap?.lost) + t.reduce((sum, m) => sum + m.samples, 0)).toBe(counters.samples);
    expect((counters.samples ?? 0) + (counters.dropped_full ?? 0)).toBe(12 * 80 * 100);
    // Every alarm is still there.
    expect((await takeAll(b, 'street', 'a')).filter((m) => m.type.startsWith('weinao.alarm'))).toHaveLength(240);
    await b.journal.close();
  });

  it('keeps alarms nobody takes up to half of the budget, and the newest in any case', async () => {
    const b = open(newPath(), undefined, SMALL);
    await b.journal.start();
    await b.journal.ledger.open(MONTHS);
    const lost: Lost[] = [];
    b.journal.onLost((l) => void lost.push(l));
    const ids: string[] = [];
    for (let n = 0; n < 1500; n++) {
      const { durable, events } = await b.journal.commit(longAlarm(n, b));
      expect(durable).toBe(true);
      ids.push(events[0]?.id ?? '');
      await b.clock.advance(100);
    }
    await b.clock.advance(20_000);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.every((l) => l.stream === 'a' && l.why === 'disk-full')).toBe(true);
    const all = await takeAll(b, 'street', 'a');
    const alarms = all.filter((m) => m.type.startsWith('weinao.alarm'));
    const gaps = all.filter(isGap).map(told);
    expect(gaps.reduce((sum, g) => sum + Number(g.lost), 0) + alarms.length).toBe(1500);
    expect(alarms.map((m) => m.id)).toEqual(ids.slice(-alarms.length));
    expect(alarms.length).toBeGreaterThan(100);
    await b.journal.close();
  });

  it('gives way when others fill the disk', async () => {
    let free = 1024 ** 3;
    const path = newPath();
    const b = open(path, undefined, 4 * SMALL, () => free);
    await b.journal.start();
    await b.journal.ledger.open(MONTHS);
    const lost: Lost[] = [];
    b.journal.onLost((l) => void lost.push(l));
    await noise(b, 1000);
    await b.clock.advance(10_000);
    expect(lost).toEqual([]);
    const size = statSync(path).size;
    free = 0;
    await b.journal.commit(work(draft(1, b.clock)));
    await b.clock.advance(60_000);
    expect(lost.map((l) => l.why)).toContain('disk-full');
    for (let n = 0; n < 5; n++) {
      b.journal.report([reading(n, b.clock)]);
      expect((await b.journal.commit(work(draft(n, b.clock)))).durable).toBe(true);
      await b.clock.advance(10_000);
    }
    expect(statSync(path).size).toBeLessThanOrEqual(size + 64 * 1024);
    await b.journal.close();
  });
});

describe('what may have been sent', () => {
  it('goes only with a new epoch; what surely was not, with a gap in the running one, that never changes once it may have left', async () => {
    const b = open(newPath(), undefined, SMALL);
    await b.journal.start();
    const { contract } = await b.journal.ledger.open({ ...DEMAND, keepMs: 3_600_000 });
    await fill(b, 900);
    const first = await peek(b, 'street', 't');
    expect(first.length).toBe(901);
    b.clock.stepWall(2 * 3_600_000);
    await b.clock.advance(20_000);
    const facts = async () => (await b.journal.feeds())[0];
    const renewed = await facts();
    expect(renewed?.epoch).not.toBe(contract.epoch);
    expect(renewed?.reason).toBe('kept-too-long');
    const [epoch, gap] = await peek(b, 'street', 't');
    expect(told(epoch as OutMessage)).toMatchObject({ old: contract.epoch, seq: 0 });
    // This gap may have left now: what is lost later is another one.
    await fill(b, 2500, 900);
    b.clock.stepWall(2 * 3_600_000);
    await b.clock.advance(20_000);
    const again = (await peek(b, 'street', 't')).filter(isGap);
    expect(again.length).toBeGreaterThanOrEqual(2);
    const same = again.find((m) => m.id === gap?.id);
    expect(told(same as OutMessage)).toEqual(told(gap as OutMessage));
    await b.journal.close();
  });

  it('is known after a crash, too', async () => {
    const path = newPath();
    const clock = new VirtualClock();
    const a = open(path, clock, SMALL);
    await a.journal.start();
    const { contract } = await a.journal.ledger.open({ ...DEMAND, keepMs: 3_600_000 });
    await fill(a, 600);
    expect((await peek(a, 'street', 't')).length).toBeGreaterThan(500);
    a.store.vanish();
    const b = open(path, clock, SMALL);
    await b.journal.start();
    await b.journal.ledger.open({ ...DEMAND, keepMs: 3_600_000 });
    clock.stepWall(2 * 3_600_000);
    await clock.advance(20_000);
    expect((await b.journal.feeds())[0]?.epoch).not.toBe(contract.epoch);
    await b.journal.close();
  });
});

describe('a feed', () => {
  it("that is added, changed, removed or forgotten never touches another one's backlog", async () => {
    const b = open(newPath(), undefined, SMALL);
    await b.journal.start();
    await b.journal.ledger.open(MONTHS);
    for (let n = 0; n < 30; n++) await b.journal.commit(work(draft(n, b.clock)));
    await fill(b, 200);
    const backlog = async (): Promise<string[]> =>
      [...(await peek(b, 'street', 'a')), ...(await peek(b, 'street', 't'))].map(text);
    const before = await backlog();
    expect(before.length).toBe(232);
    await b.journal.ledger.open({ ...DEMAND, feed: 'police' });
    expect(await backlog()).toEqual(before);
    await b.journal.ledger.open({ ...DEMAND, feed: 'police', encoding: 'json+zstd', priority: 9 });
    expect(await backlog()).toEqual(before);
    await takeAll(b, 'police', 'a');
    b.clock.stepWall(8 * DAY);
    await b.clock.advance(20_000);
    expect(await backlog()).toEqual(before);
    await expect(b.journal.forget('police')).rejects.toMatchObject({ code: 'journal.still_attached' });
    await expect(b.journal.forget('nobody')).rejects.toMatchObject({ code: 'journal.no_feed' });
    // Removed from the configuration while it runs: another is forgotten at once, without a restart.
    await b.journal.ledger.open({ ...DEMAND, feed: 'gone' });
    await b.journal.named(['police', 'street']);
    await b.journal.forget('gone');
    await expect(b.journal.forget('police')).rejects.toMatchObject({ code: 'journal.still_attached' });
    await b.journal.close();
  });

  it('that was forgotten is told, when it comes back, what waited for it', async () => {
    const path = newPath();
    const a = open(path);
    await a.journal.start();
    const { contract } = await a.journal.ledger.open(MONTHS);
    for (let n = 0; n < 7; n++) await a.journal.commit(work(draft(n, a.clock)));
    await fill(a, 150);
    await a.journal.close();
    const b = open(path);
    await b.journal.start();
    await b.journal.forget('street');
    expect(await b.journal.feeds()).toEqual([]);
    await b.journal.commit(work(draft(99, b.clock)));
    await b.journal.close();
    const c = open(path);
    await c.journal.start();
    const back = await c.journal.ledger.open(MONTHS);
    expect(back.contract).toMatchObject({ reason: 're-added', old: { epoch: contract.epoch } });
    await c.journal.commit(work(draft(100, c.clock)));
    const members = [...(await peek(c, 'street', 'a')), ...(await peek(c, 'street', 't'))];
    expect(members.map((m) => m.type.slice(7, -3))).toEqual([
      'feed.epoch',
      'feed.gap',
      'alarm.raised',
      'feed.epoch',
      'feed.gap',
    ]);
    expect(members.filter(isGap).map(told)).toMatchObject([
      { reason: 'detached', lost: 7 },
      { reason: 'detached', lost: 150 },
    ]);
    await c.journal.close();
  });
});

describe('in any order of events', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('report' as const), n: fc.integer({ min: 1, max: 120 }) }),
    fc.record({ do: fc.constant('alarm' as const), n: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ do: fc.constant('take' as const), n: fc.integer({ min: 1, max: 200 }) }),
    fc.record({ do: fc.constant('look' as const), n: fc.integer({ min: 1, max: 200 }) }),
    fc.record({ do: fc.constant('days' as const), n: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ do: fc.constant('crash' as const), n: fc.constant(0) }),
  );

  it('each feed gets everything, or is told of it; no id has two contents (property)', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 18 }), async (steps) => {
        const path = newPath();
        const clock = new VirtualClock();
        const budget = SMALL / 2;
        const feeds = [
          { ...DEMAND, keepMs: 2 * DAY },
          { ...DEMAND, feed: 'city', keepMs: 30 * DAY, priority: 8 },
        ];
        const verifiers = feeds.map(() => createVerifier());
        const bodies = new Map<string, string>();
        let b = open(path, clock, budget);
        const boot = async (): Promise<void> => {
          await b.journal.start();
          for (const demand of feeds) await b.journal.ledger.open(demand);
        };
        const send = async (most: number, isTaken: boolean): Promise<void> => {
          for (const [i, demand] of feeds.entries())
            for (const stream of ['a', 't'] as const) {
              const { contract, acked } = await b.journal.ledger.open(demand);
              const { epoch } = contract;
              const some = await b.journal.ledger.next(
                demand.feed,
                stream,
                { epoch, seq: acked[stream].seq },
                { ...ALL, max: most },
              );
              for (const m of some) {
                const same = `${demand.feed} ${m.id}`;
                const body = JSON.stringify(told(m));
                expect(bodies.get(same) ?? body).toBe(body);
                bodies.set(same, body);
                verifiers[i]?.take(`wn/1/${demand.feed}/s/up/${stream}`, m.payload);
              }
              const last = some.at(-1);
              if (isTaken && last !== undefined) b.journal.ledger.ack(demand.feed, stream, { epoch, seq: last.seq });
            }
        };
        await boot();
        let [samples, alarms] = [0, 0];
        for (const { do: what, n } of steps) {
          if (what === 'report') {
            for (let i = 0; i < n; i++) b.journal.reportPersonal([reading(samples++, clock)]);
            await b.journal.flush();
          } else if (what === 'alarm') {
            for (let i = 0; i < n; i++) await b.journal.commit(longAlarm(alarms++, b));
          } else if (what === 'take' || what === 'look') await send(n, what === 'take');
          else if (what === 'days') {
            clock.stepWall(n * DAY);
            await clock.advance(20_000);
          } else {
            await b.journal.flush();
            await b.clock.advance(6000);
            b.store.vanish();
            b = open(path, clock, budget);
            await boot();
          }
          await clock.advance(1);
        }
        for (let i = 0; i < 12; i++) await send(1000, true);
        const stored = samples - ((await b.journal.facts()).counters.dropped_full ?? 0);
        for (const verifier of verifiers) {
          const { chain, gaps, faults, dropped, samples: got, alarms: told } = verifier.summary();
          expect({ chain, gaps, faults }).toEqual({ chain: 'ok', gaps: 0, faults: [] });
          expect(dropped + got + told.raised).toBe(stored + alarms);
        }
        await b.journal.close();
      }),
      { numRuns: process.env.WEINAO_NIGHT === undefined ? 25 : 500 },
    );
  });
});
