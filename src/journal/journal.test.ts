import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import {
  ALL,
  ackAlarms,
  DEMAND,
  draft,
  fill,
  members,
  newPath,
  open,
  reading,
  SMALL,
  takeAll,
  text,
  work,
} from '../../test/kit/journal.ts';
import { until } from '../../test/kit/wait.ts';
import type { OutMessage } from '../base/feed.ts';
import { openSqlite } from '../io/sqlite.ts';
import { createVerifier } from '../uplink/verifier.ts';
import { SampleGroups } from './samples.ts';
import { SCHEMA_VERSION } from './schema.ts';

describe('the journal', () => {
  it('tells the feeds of a commit before whoever made it: an alarm is theirs before anything is done because of it', async () => {
    const { journal, clock } = open(newPath());
    await journal.start();
    const order: string[] = [];
    journal.onHead(() => void order.push('feeds'));
    await journal.commit(work(draft(1, clock))).then(() => order.push('committed'));
    expect(order).toEqual(['feeds', 'committed']);
    await journal.close();
  });

  it('gives events back in order, with ids and positions, over a restart', async () => {
    const path = newPath();
    const first = open(path);
    expect(await first.journal.start()).toMatchObject({ durable: true, head: 1 });
    const one = await first.journal.commit(work(draft(1, first.clock), draft(2, first.clock)));
    expect(one.durable).toBe(true);
    expect(one.events.map((e) => e.position)).toEqual([1, 2]);
    await first.journal.commit({
      events: [],
      alarms: [{ key: 'r/d', aid: 'a', open: true } as never, { key: 'r/e', aid: 'b', open: false } as never],
      states: [{ key: 's', body: 'x' }],
      memory: [{ device: 'd', key: 'k', body: 'v' }],
    });
    const { epoch } = await first.journal.facts();
    await first.journal.close();
    await first.journal.close();
    const second = open(path);
    const facts = await second.journal.start();
    expect(facts).toMatchObject({ epoch, head: 3, durable: true });
    expect(facts.newest).toBe(first.clock.now().wall);
    expect(await second.journal.restore()).toEqual({
      alarms: [{ key: 'r/d', aid: 'a', open: true }],
      states: [{ key: 's', body: 'x' }],
      memory: [{ device: 'd', key: 'k', body: 'v' }],
    });
    await second.journal.close();
  });

  it('commits telemetry once a window, and at once with an alarm', async () => {
    const { journal, clock } = open(newPath());
    await journal.start();
    for (let n = 0; n < 250; n++) journal.report([reading(n, clock)]);
    expect((await journal.facts()).counters).toMatchObject({ groups: 0 });
    await clock.advance(1000);
    expect((await journal.facts()).counters).toMatchObject({ groups: 3, samples: 250, commits: 1 });
    journal.report([reading(1, clock)]);
    await journal.commit(work(draft(1, clock)));
    expect((await journal.facts()).counters).toMatchObject({ groups: 4, events: 1, commits: 2 });
    await journal.close();
    expect(clock.timers()).toEqual([]);
  });

  it('commits personal readings at once, in groups of their own with a salt each, also while the store is busy', async () => {
    const { journal, clock } = open(newPath());
    await journal.start();
    const { contract } = await journal.ledger.open(DEMAND);
    journal.report([reading(1, clock)]);
    journal.reportPersonal([reading(2, clock)]);
    journal.reportPersonal([reading(3, clock)]);
    await until('three groups', async () => (await journal.facts()).counters.groups === 3);
    const members = await journal.ledger.next('street', 't', { epoch: contract.epoch, seq: 1 }, ALL);
    const data = members.map((m) => JSON.parse(new TextDecoder().decode(m.payload)).data);
    expect(data.map((d) => d.samples.map((s: { v: number }) => s.v))).toEqual([[1], [2], [3]]);
    expect(data.map((d) => d.salt)).toEqual([
      undefined,
      expect.stringMatching(/^[0-9a-f]{32}$/),
      expect.stringMatching(/^[0-9a-f]{32}$/),
    ]);
    expect(data[1].salt).not.toBe(data[2].salt);
    await journal.close();
  });

  it('commits that wait share one transaction', async () => {
    const { journal, clock } = open(newPath());
    await journal.start();
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => journal.commit(work(draft(n, clock)))));
    expect(all.flatMap((c) => c.events.map((e) => e.position))).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect((await journal.facts()).counters).toMatchObject({ commits: 1, events: 20 });
    await journal.close();
  });

  it('makes the same streams after a crash, from where the platform stands', async () => {
    const path = newPath();
    const a = open(path);
    await a.journal.start();
    const { contract } = await a.journal.ledger.open(DEMAND);
    for (let n = 0; n < 30; n++) {
      a.journal.report([reading(n + 0.5, a.clock)]);
      await a.journal.commit(work(draft(n, a.clock)));
      await a.clock.advance(10);
    }
    const before = {
      a: await members(a.journal, 'a', 0),
      t: await members(a.journal, 't', 0),
    };
    expect(before.a.length).toBe(31);
    expect(before.t.length).toBe(31);
    await ackAlarms(a.journal, 10);
    await a.clock.advance(6000);
    await ackAlarms(a.journal, 20);
    // no close: the process is gone
    const b = open(path);
    await b.journal.start();
    const state = await b.journal.ledger.open(DEMAND);
    expect(state.contract).toEqual(contract);
    expect(state.acked.a.seq).toBe(10);
    const after = await members(b.journal, 'a', 10);
    expect(after.map(text)).toEqual(before.a.slice(10).map(text));
    expect((await members(b.journal, 'a', 25)).map((m) => m.seq)).toEqual([26, 27, 28, 29, 30, 31]);
    const verifier = createVerifier();
    for (const m of [...before.a, ...before.t]) verifier.take(`wn/1/street/s/up/${m.stream}`, m.payload);
    expect(verifier.summary()).toMatchObject({
      gaps: 0,
      chain: 'ok',
      events: 60,
      samples: 30,
      alarms: { raised: 30, cleared: 0 },
    });
    await b.journal.close();
  });

  it('a new feed starts at the head; a changed one gets a new epoch that names the old', async () => {
    const { journal, clock } = open(newPath());
    await journal.start();
    await journal.commit(work(draft(1, clock)));
    const first = await journal.ledger.open(DEMAND);
    expect((await members(journal, 'a', 0)).length).toBe(1);
    await journal.commit(work(draft(2, clock)));
    expect((await members(journal, 'a', 0)).length).toBe(2);
    await ackAlarms(journal, 1);
    const second = await journal.ledger.open({ ...DEMAND, encoding: 'json+zstd' });
    expect(second.contract.epoch).not.toBe(first.contract.epoch);
    expect(second.contract.old).toMatchObject({ epoch: first.contract.epoch, a: { seq: 1 } });
    expect((await members(journal, 'a', 0)).map((m) => m.type)).toEqual([
      'weinao.feed.epoch.v1',
      'weinao.alarm.raised.v1',
    ]);
    await journal.close();
  });

  it('when the file takes nothing more, the work is kept in memory, in new epochs', async () => {
    const path = newPath();
    const b = open(path);
    await b.journal.start();
    const before = await b.journal.ledger.open(DEMAND);
    await b.journal.commit(work(draft(1, b.clock)));
    const renewed: string[] = [];
    b.journal.onRenewed((feeds) => void renewed.push(...feeds));
    b.store.readOnly();
    const during = await b.journal.commit(work(draft(2, b.clock)));
    expect(during).toMatchObject({ durable: false });
    expect(renewed).toEqual(['street']);
    const after = await b.journal.ledger.open(DEMAND);
    expect(after.contract.epoch).not.toBe(before.contract.epoch);
    // The alarm the platform had not taken comes along.
    expect((await members(b.journal, 'a', 0)).map((m) => m.type)).toEqual([
      'weinao.feed.epoch.v1',
      'weinao.alarm.raised.v1',
      'weinao.alarm.raised.v1',
    ]);
    await b.journal.close();
  });

  it.each([
    [
      'text instead of a database',
      (path: string) =>
        writeFileSync(path, 'this is no database at all, but it is long enough to be read as one '.repeat(20)),
    ],
    [
      'a header overwritten',
      (path: string) => writeFileSync(path, Buffer.concat([Buffer.alloc(100, 7), readFileSync(path).subarray(100)])),
    ],
    [
      'pages overwritten',
      (path: string) =>
        writeFileSync(
          path,
          Buffer.concat([readFileSync(path).subarray(0, 4096), Buffer.alloc(readFileSync(path).length - 4096, 0xee)]),
        ),
    ],
    ['cut in the middle', (path: string) => truncateSync(path, 4096 + 100)],
  ])('a damaged file (%s) is set aside, kept and named', async (_, damage) => {
    const path = newPath();
    const a = open(path);
    const { epoch } = await a.journal.start();
    await a.journal.commit(work(draft(1, a.clock)));
    await a.journal.close();
    damage(path);
    const b = open(path);
    const facts = await b.journal.start();
    expect(facts.durable).toBe(true);
    expect(facts.epoch).not.toBe(epoch);
    expect(facts.setAside?.path).toContain('journal.db.damaged-');
    expect(readdirSync(join(path, '..')).some((f) => f.startsWith('journal.db.damaged-'))).toBe(true);
    expect((await b.journal.commit(work(draft(2, b.clock)))).durable).toBe(true);
    await b.journal.close();
  });

  it('a file of a newer version is refused and not touched', async () => {
    const path = newPath();
    const db = openSqlite(path);
    db.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
    db.close();
    await expect(open(path).journal.start()).rejects.toMatchObject({ code: 'journal.newer' });
    const again = openSqlite(path);
    expect(again.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION + 1);
    again.close();
  });

  it('tells which commits wait when the card stalls, once, and they come through', async () => {
    const b = open(newPath());
    await b.journal.start();
    b.store.hold();
    const waiting = b.journal.commit(work(draft(1, b.clock)));
    await b.clock.advance(999);
    expect(b.stalled).toEqual([]);
    await b.clock.advance(2000);
    expect(b.stalled.map((w) => w.events[0]?.subject)).toEqual(['d1']);
    b.store.release();
    expect((await waiting).durable).toBe(true);
    await b.journal.close();
  });

  it('a feed that stays behind too long loses the oldest telemetry, alone, and is told how much', async () => {
    const b = open(newPath(), undefined, SMALL);
    await b.journal.start();
    await b.journal.ledger.open({ ...DEMAND, feed: 'patient', keepMs: 10 * 86_400_000 });
    const { contract } = await b.journal.ledger.open({ ...DEMAND, keepMs: 3_600_000 });
    const lost: string[] = [];
    b.journal.onLost(({ feeds, why }) => void lost.push(...feeds.map((f) => `${f} ${why}`)));
    await fill(b, 1000);
    await b.clock.advance(2 * 3_600_000);
    // One feed still wants the segment: it stays for both.
    expect(lost).toEqual([]);
    await takeAll(b, 'patient', 't');
    await b.clock.advance(30_000);
    expect(lost.length).toBeGreaterThan(0);
    expect(new Set(lost)).toEqual(new Set(['street kept-too-long']));
    // Nothing of it can have been sent: the running epoch goes on, with a gap in it that grew.
    const [first, second, third] = await members(b.journal, 't', 0);
    expect(first?.type).toBe('weinao.feed.epoch.v1');
    expect((await b.journal.ledger.open({ ...DEMAND, keepMs: 3_600_000 })).contract.epoch).toBe(contract.epoch);
    const gap = JSON.parse(text(second as OutMessage)).data;
    expect(gap).toMatchObject({ reason: 'kept-too-long', from: '2026-01-01T00:00:00.000Z' });
    expect(JSON.parse(text(third as OutMessage)).data.samples[0].v).toBe(gap.lost);
    const { counters } = await b.journal.facts();
    expect(counters).toMatchObject({ samples: 1000, dropped_unsent: gap.lost });
    // appended = waiting + dropped
    const { t } = await b.journal.ledger.depth('street');
    expect(t.samples + gap.lost).toBe(1000);
    await b.journal.close();
  });

  it('an epoch of which only the first members were taken goes on with the same bytes, and skips nothing', async () => {
    const path = newPath();
    const a = open(path);
    await a.journal.start();
    await a.journal.ledger.open(DEMAND);
    for (let n = 0; n < 8; n++) await a.journal.commit(work(draft(n, a.clock)));
    await members(a.journal, 'a', 0);
    await ackAlarms(a.journal, 3);
    const [refused] = await members(a.journal, 'a', 3);
    const over = { stream: 'a', position: refused?.position ?? 0 } as const;
    await a.journal.ledger.renew('street', 'refused', over);
    // feed.epoch, feed.gap, and the five alarms nobody has taken.
    const before = await members(a.journal, 'a', 0);
    expect(before.map((m) => m.type.slice('weinao.'.length, -'.v1'.length))).toEqual([
      'feed.epoch',
      'feed.gap',
      ...Array.from({ length: 5 }, () => 'alarm.raised'),
    ]);
    const { epoch } = (await a.journal.ledger.open(DEMAND)).contract;
    for (const m of before) expect(await a.journal.ledger.hashAt('street', 'a', { epoch, seq: m.seq })).toBe(m.hash);
    for (const taken of [1, 2]) {
      await ackAlarms(a.journal, taken);
      await a.clock.advance(6000);
      const b = open(path);
      await b.journal.start();
      const again = await members(b.journal, 'a', taken);
      expect(again.map(text)).toEqual(before.slice(taken).map(text));
      await b.journal.close();
    }
  });

  it('replays an epoch from its own marks, and never from those of the one before', async () => {
    const b = open(newPath());
    await b.journal.start();
    await b.journal.ledger.open(DEMAND);
    const fill = async (): Promise<readonly OutMessage[]> => {
      for (let n = 0; n < 3; n++) await b.journal.commit(work(...Array.from({ length: 100 }, () => draft(n, b.clock))));
      const all = await members(b.journal, 'a', 0);
      await ackAlarms(b.journal, all.length);
      return all;
    };
    const { contract } = await b.journal.ledger.open(DEMAND);
    const ask = async (epoch: string, from: number) =>
      (await b.journal.ledger.replay('street', 'a', { epoch, seq: from - 1 }, { max: 3, bytes: 1e6 })).map(text);
    const first = await fill();
    // The mark of member 256 is not written yet when the epoch ends.
    await b.journal.ledger.renew('street', 'test');
    const { epoch } = (await b.journal.ledger.open(DEMAND)).contract;
    const second = await fill();
    await b.clock.advance(6000);
    expect(await ask(contract.epoch, 257)).toEqual([]);
    expect(await ask(epoch, 2)).toEqual(second.slice(1, 4).map(text));
    expect(await ask(epoch, 270)).toEqual(second.slice(269, 272).map(text));
    expect(first.length).toBe(301);
    // Also in the database that takes the place of a dead one.
    b.store.readOnly();
    await b.journal.commit(work(draft(1, b.clock)));
    const third = await fill();
    const now = (await b.journal.ledger.open(DEMAND)).contract.epoch;
    expect(await ask(now, 2)).toEqual(third.slice(1, 4).map(text));
    expect(await ask(now, 280)).toEqual(third.slice(279, 282).map(text));
    await b.journal.close();
  });

  it('a feed that left the configuration is forgotten after a week, however often the gateway restarts', async () => {
    const path = newPath();
    const a = open(path);
    await a.journal.start();
    const { contract } = await a.journal.ledger.open(DEMAND);
    await a.journal.close();
    const clock = new VirtualClock();
    const day = async (): Promise<void> => {
      const b = open(path, clock);
      await b.journal.start();
      await clock.advance(10_000);
      await b.journal.close();
      clock.stepWall(2 * 86_400_000);
    };
    await day();
    // Put back in time, it goes on where it stood, and its week begins anew.
    const back = open(path, clock);
    await back.journal.start();
    expect((await back.journal.ledger.open(DEMAND)).contract.epoch).toBe(contract.epoch);
    await back.journal.close();
    for (let n = 0; n < 5; n++) await day();
    const late = open(path, clock);
    await late.journal.start();
    expect((await late.journal.ledger.open(DEMAND)).contract).toMatchObject({
      reason: 're-added',
      old: { epoch: contract.epoch },
    });
    await late.journal.close();
  });

  it('a dead worker is started again and gets what was not answered', async () => {
    const b = open(newPath());
    await b.journal.start();
    await b.journal.commit(work(draft(1, b.clock)));
    b.store.hold();
    const waiting = b.journal.commit(work(draft(2, b.clock)));
    b.store.die();
    const later = b.journal.commit(work(draft(3, b.clock)));
    await b.clock.advance(500);
    expect((await waiting).events.length).toBe(1);
    expect((await later).events.length).toBe(1);
    await b.journal.close();
    expect(b.clock.timers()).toEqual([]);
  });

  it('a worker that dies before it ever answered is an error, and not tried for ever', async () => {
    const b = open(newPath());
    const started = b.journal.start();
    b.store.die();
    await expect(started).rejects.toMatchObject({ code: 'journal.gone' });
    await b.journal.close();
    expect(b.clock.timers()).toEqual([]);
  });

  it('bounds the telemetry that waits for a busy disk, and counts what it drops', async () => {
    const path = newPath();
    const b = open(path);
    await b.journal.start();
    b.store.hold();
    for (let round = 0; round < 100; round++) {
      for (let n = 0; n < 1000; n++) b.journal.report([reading(n, b.clock)]);
      await b.clock.advance(1000);
    }
    b.store.release();
    const { counters } = await b.journal.facts();
    expect(counters.dropped_busy).toBeGreaterThan(30_000);
    await b.journal.close();
    const kept = open(path);
    const samples = (await kept.journal.start()).head - 1;
    expect(samples).toBeLessThan(700);
    await kept.journal.close();
  });

  it('does what a simple model does (property)', async () => {
    const action = fc.oneof(
      fc.record({ do: fc.constant('event' as const), n: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ do: fc.constant('report' as const), n: fc.integer({ min: 1, max: 150 }) }),
      fc.record({ do: fc.constant('window' as const), n: fc.constant(0) }),
      fc.record({ do: fc.constant('ack' as const), n: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constant('crash' as const), n: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
        const path = newPath();
        const clock = new VirtualClock();
        let b = open(path, clock);
        await b.journal.start();
        await b.journal.ledger.open(DEMAND);
        const verifier = createVerifier();
        let pending = 0;
        let samples = 0;
        let events = 0;
        let acked = 0;
        const read = async (): Promise<void> => {
          for (const stream of ['a', 't'] as const)
            for (const m of await members(b.journal, stream, stream === 'a' ? acked : 0))
              verifier.take(`wn/1/street/s/up/${stream}`, m.payload);
        };
        for (const a of actions) {
          if (a.do === 'report') {
            for (let i = 0; i < a.n; i++) b.journal.report([reading(i, clock)]);
            pending += a.n;
          } else if (a.do === 'event') {
            await b.journal.commit(work(...Array.from({ length: a.n }, (_, i) => draft(i, clock))));
            events += a.n;
            samples += pending;
            pending = 0;
          } else if (a.do === 'window') {
            await b.journal.flush();
            samples += pending;
            pending = 0;
          } else if (a.do === 'ack') {
            await read();
            acked = Math.min(
              acked + a.n,
              verifier.summary().streams[`street.a.${(await b.journal.ledger.open(DEMAND)).contract.epoch}`] ?? 0,
            );
            await ackAlarms(b.journal, acked);
          } else {
            pending = 0;
            acked = 0;
            b = open(path, clock);
            await b.journal.start();
            acked = (await b.journal.ledger.open(DEMAND)).acked.a.seq;
          }
          await clock.advance(1);
        }
        await read();
        expect(verifier.summary()).toMatchObject({
          events: verifier.summary().events,
          samples,
          gaps: 0,
          chain: 'ok',
          alarms: { raised: events, cleared: 0 },
        });
        await b.journal.close();
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});

describe('samples', () => {
  it('are canonical JSON in the order of the feed, within the bounds of a message', () => {
    const clock = new VirtualClock();
    const groups = new SampleGroups();
    groups.add(reading(1.23456, clock));
    groups.add({ ...reading(0, clock), value: null, quality: 'bad', why: 'timeout' });
    groups.add({ ...reading(0, clock), value: 'a"b', quality: 'uncertain', why: 'unverified' });
    groups.add({ ...reading(0, clock), value: 1e300 });
    const [group] = groups.take();
    expect(new TextDecoder().decode(group?.samples)).toBe(
      '[{"d":"d","p":"p","t":"2026-01-01T00:00:00.000Z","v":1.2346},' +
        '{"d":"d","p":"p","q":"bad","t":"2026-01-01T00:00:00.000Z","why":"timeout"},' +
        '{"d":"d","p":"p","q":"uncertain","t":"2026-01-01T00:00:00.000Z","v":"a\\"b","why":"unverified"},' +
        '{"d":"d","p":"p","q":"bad","t":"2026-01-01T00:00:00.000Z","why":"range"}]',
    );
    expect(groups.untold).toBe(1);
    for (let i = 0; i < 301; i++) groups.add(reading(i, clock));
    expect(groups.take().map((g) => g.count)).toEqual([100, 100, 100, 1]);
  });
});
