import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeBroker } from '../../test/fakes/broker.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { SECRET, SEES_ALL } from '../../test/fakes/entitlement.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import { type LoopbackStore, loopbackStore } from '../../test/fakes/store.ts';
import type { EventDraft, Level } from '../base/event.ts';
import type { FeedModel } from '../base/model.ts';
import { openGatewayKey } from '../io/keys.ts';
import { createJournal, type JournalFace } from '../journal/index.ts';
import { createUplink, createVerifier, type Summary, type Uplink } from './index.ts';
import { createOutward } from './outward.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const FEED: FeedModel = {
  id: 'street',
  to: 'mqtt://broker',
  mqtt: 5,
  ack: 'broker',
  encoding: 'json',
  view: 'everything',
  rate: 200,
  priority: 5,
  keepMs: 30 * 86_400_000,
  hash: 'h',
};
const BASE = 'wn/1/street/s1';

class House {
  // A request to the store takes a turn of the loop, and a greeting makes a dozen.
  readonly clock = new VirtualClock(undefined, 24);
  readonly broker = new FakeBroker();
  readonly log = memoryLog();
  readonly refused: string[] = [];
  readonly silent: string[] = [];
  caughtUp = false;
  readonly folder = mkdtempSync(join(tmpdir(), 'weinao-uplink-'));
  journal!: JournalFace;
  uplink!: Uplink;
  raised = 0;
  samples = 0;
  private seed = 1;
  private store: LoopbackStore | undefined;
  private readonly feed: FeedModel;

  private constructor(feed: FeedModel) {
    this.feed = feed;
  }

  static async open(feed: Partial<FeedModel> = {}): Promise<House> {
    const house = new House({ ...FEED, ...feed });
    folders.push(house.folder);
    await house.boot();
    return house;
  }

  /** A process starts; the one before is simply gone. */
  async boot(): Promise<void> {
    const { clock, log, broker, folder } = this;
    this.store?.vanish();
    broker.drop();
    const life = this.seed++;
    const random = seededRandom(life);
    this.journal = createJournal({
      path: join(folder, 'journal.db'),
      clock,
      random,
      log,
      windowMs: 1000,
      secret: SECRET,
      onStalled: () => {},
      startWorker: () => {
        this.store = loopbackStore(createOutward());
        return this.store;
      },
    });
    await this.journal.start();
    this.uplink = createUplink({
      clock,
      random,
      log,
      ledger: this.journal.ledger,
      signer: await openGatewayKey(folder),
      connect: () => (life === this.seed - 1 ? broker.connect() : new Promise(() => {})),
      entitlement: () => SEES_ALL,
      catalog: () => new Map([['tank_1', { name: 'T' }]]),
      onRefused: (feed, detail) => void this.refused.push(`${feed}: ${detail}`),
      onCaughtUp: () => {
        this.caughtUp = true;
      },
      onSilent: (feed, silent) => void this.silent.push(`${feed} ${silent}`),
    });
    this.journal.onHead(() => this.uplink.poke());
    this.journal.onRenewed((feeds) => this.uplink.renewed(feeds));
    await this.uplink.apply('s1', 'g1', new Map([['street', this.feed]]));
  }

  async alarm(level: Level = 'orange'): Promise<void> {
    const n = ++this.raised;
    const event: EventDraft = {
      kind: 'alarm.raised',
      at: this.clock.now(),
      level,
      correlation: `aid${n}`,
      data: { aid: `aid${n}`, n, text: '水位 {level}', values: { level: 1.5 } },
      classes: {},
    };
    await this.journal.commit({ events: [event], alarms: [], states: [], memory: [] });
  }

  async telemetry(value: number): Promise<void> {
    const at = this.clock.now();
    this.samples++;
    this.journal.report([{ device: 'tank_1', point: 'level', value, quality: 'good', ts: at.wall, at }]);
    await this.journal.flush();
  }

  /** what the broker took, verified in the order it came */
  verified(): Summary {
    const verifier = createVerifier();
    for (const { topic, payload } of this.broker.taken) verifier.take(topic, payload);
    return verifier.summary();
  }

  order(): string[] {
    return this.broker.taken.map((p) => p.topic.slice(BASE.length + 4)).filter((t) => t === 'a' || t === 't');
  }
}

describe('a feed', () => {
  it('greets with manifest, device model and state; sends, and proves what it sent', async () => {
    const house = await House.open();
    await house.alarm('red');
    await house.telemetry(1);
    await house.clock.advance(2000);
    const { retained } = house.broker;
    expect([...retained.keys()].map((t) => t.slice(BASE.length + 4)).sort()).toEqual([
      'dev/tank_1',
      'hello',
      'proof/a',
      'proof/t',
      'state',
    ]);
    const hello = JSON.parse(new TextDecoder().decode(retained.get(`${BASE}/up/hello`)));
    expect(hello).toMatchObject({ source: 'urn:weinao:s1:g1', view: 'everything.1', alg: 'Ed25519', devices: 1 });
    expect(hello.contract).toMatch(/^[0-9a-f]{16}$/);
    expect(hello.streams).toMatchObject([
      { first: 1, last: 0, acked: 0 },
      { first: 1, last: 0, acked: 0 },
    ]);
    expect(house.verified()).toMatchObject({ chain: 'ok', gaps: 0, events: 2, samples: 1, alarms: { raised: 1 } });
    expect(house.verified().proofs).toMatchObject({ bad: 0 });
    expect(house.verified().proofs.good).toBeGreaterThanOrEqual(1);
  });

  it('says at each greeting from which member to which it can tell', async () => {
    const house = await House.open();
    await house.alarm('red');
    await house.clock.advance(2000);
    house.broker.drop();
    await house.clock.advance(10_000);
    const hello = JSON.parse(new TextDecoder().decode(house.broker.retained.get(`${BASE}/up/hello`)));
    expect(hello.streams).toMatchObject([
      { first: 1, last: 2, acked: 2 },
      { first: 1, last: 1, acked: 1 },
    ]);
  });

  it('keeps what happened before its broker was ever reached', async () => {
    const house = await House.open();
    house.broker.isAway = true;
    house.broker.drop();
    for (let n = 0; n < 5; n++) await house.alarm();
    await house.clock.advance(3 * 86_400_000);
    expect(house.verified().alarms.raised).toBe(0);
    house.broker.isAway = false;
    await house.clock.advance(120_000);
    expect(house.verified()).toMatchObject({ chain: 'ok', gaps: 0, duplicates: 0, alarms: { raised: 5 } });
  });

  it('sends alarms before the telemetry that waits, also on a slow link', async () => {
    const house = await House.open({ rate: 2 });
    house.broker.isAway = true;
    house.broker.drop();
    for (let n = 0; n < 40; n++) await house.telemetry(n);
    for (let n = 0; n < 3; n++) await house.alarm();
    house.caughtUp = false;
    house.broker.isAway = false;
    await house.clock.advance(15_000);
    expect(house.caughtUp).toBe(false);
    await house.clock.advance(75_000);
    expect(house.caughtUp).toBe(true);
    const order = house.order();
    expect(order.slice(0, 4)).toEqual(['a', 'a', 'a', 'a']);
    expect(order.filter((t) => t === 't').length).toBe(41);
    // An alarm in the middle of a backlog overtakes it.
    house.broker.hold();
    for (let n = 0; n < 20; n++) await house.telemetry(n);
    await house.clock.advance(1000);
    const before = house.order().length;
    await house.alarm();
    await house.clock.advance(10);
    expect(house.order().slice(before)).toEqual(['a']);
    house.broker.release();
    await house.clock.advance(30_000);
    expect(house.verified()).toMatchObject({ chain: 'ok', gaps: 0, samples: 60, alarms: { raised: 4 } });
  });

  it('sends again what had no PUBACK when the connection broke: the same bytes', async () => {
    const house = await House.open();
    await house.clock.advance(2000);
    house.broker.hold();
    for (let n = 0; n < 10; n++) await house.alarm();
    await house.clock.advance(100);
    const first = house.broker.taken.filter((p) => p.topic === `${BASE}/up/a`).slice(-10);
    house.broker.drop();
    house.broker.release();
    await house.clock.advance(5000);
    const again = house.broker.taken.filter((p) => p.topic === `${BASE}/up/a`).slice(-10);
    expect(again).toEqual(first);
    expect(house.verified()).toMatchObject({ chain: 'ok', gaps: 0, duplicates: 10, alarms: { raised: 10 } });
    expect(house.uplink.status()[0]?.acked.a).toBe(11);
  });

  it('passes over a member the broker refused three times: new epoch, and somebody is told', async () => {
    const house = await House.open();
    await house.clock.advance(2000);
    house.broker.refuses = (topic, payload) =>
      topic.endsWith('/up/a') && new TextDecoder().decode(payload).includes('"n":2,') ? 0x99 : undefined;
    for (let n = 0; n < 4; n++) await house.alarm();
    await house.clock.advance(300_000);
    expect(house.refused).toHaveLength(1);
    expect(house.refused[0]).toContain('weinao.alarm.raised.v1');
    const { chain, gaps, alarms, streams } = house.verified();
    expect({ chain, gaps, alarms }).toEqual({ chain: 'ok', gaps: 0, alarms: { raised: 3, cleared: 0 } });
    expect(Object.keys(streams).filter((s) => s.startsWith('street.a.'))).toHaveLength(2);
  });

  it('passes over a member larger than the broker takes, and says what was lost', async () => {
    const house = await House.open();
    house.broker.packetBytes = 8000;
    house.broker.drop();
    await house.clock.advance(2000);
    const at = house.clock.now();
    const device = 'x'.repeat(100);
    for (let n = 0; n < 80; n++)
      house.journal.report([{ device, point: `p${n}`, value: n, quality: 'good', ts: at.wall, at }]);
    await house.journal.flush();
    await house.telemetry(1);
    await house.clock.advance(300_000);
    expect(house.refused).toHaveLength(1);
    expect(house.verified()).toMatchObject({ chain: 'ok', gaps: 0, samples: 1, dropped: 80 });
  });

  it('begins a new epoch when the broker holds a proof this journal cannot make', async () => {
    const house = await House.open();
    await house.alarm('red');
    await house.clock.advance(2000);
    const proof = JSON.parse(new TextDecoder().decode(house.broker.retained.get(`${BASE}/up/proof/a`)));
    const ahead = { ...proof, seq: 500, hash: 'f'.repeat(64) };
    house.broker.retained.set(`${BASE}/up/proof/a`, new TextEncoder().encode(JSON.stringify(ahead)));
    house.broker.drop();
    await house.alarm();
    await house.clock.advance(10_000);
    expect(house.log.lines.map((l) => l.event)).toContain('feed.journal_restored');
    const { streams, gaps, chain, alarms } = house.verified();
    expect(Object.keys(streams).filter((s) => s.startsWith('street.a.'))).toHaveLength(2);
    expect({ gaps, chain, alarms }).toEqual({ gaps: 0, chain: 'ok', alarms: { raised: 2, cleared: 0 } });
  });

  it('with `ack: app` waits for the platform, sends again at growing intervals, and believes no nonsense', {
    timeout: 120_000,
  }, async () => {
    const house = await House.open({ ack: 'app' });
    await house.alarm();
    await house.clock.advance(2000);
    const stream = Object.keys(house.verified().streams).find((s) => s.startsWith('street.a.'));
    const sent = (): number => house.broker.taken.filter((p) => p.topic === `${BASE}/up/a`).length;
    expect(sent()).toBe(2);
    await house.clock.advance(60_000);
    expect(sent()).toBe(4);
    await house.clock.advance(60_000);
    expect(sent()).toBe(4);
    await house.clock.advance(60_000);
    expect(sent()).toBe(6);
    const ack = (body: unknown): void => house.broker.deliver(`${BASE}/dn/ack`, JSON.stringify(body));
    ack({ stream, seq: 99 });
    ack({ stream: 'street.a.0000000000000000', seq: 2 });
    ack({ stream, seq: -1 });
    await house.clock.advance(1000);
    expect((await house.journal.ledger.depth('street')).a.rows).toBe(1);
    expect(house.uplink.status()[0]?.counters.bad_input).toBe(3);
    ack({ stream, seq: 2 });
    ack({ stream: stream?.replace('.a.', '.t.'), seq: 1 });
    await house.clock.advance(1000);
    expect((await house.journal.ledger.depth('street')).a.rows).toBe(0);
    const before = sent();
    await house.clock.advance(3_600_000);
    expect(sent()).toBe(before);
    expect(house.silent).toEqual([]);
    // A day without an acknowledgement is told once; a day without anything to acknowledge is none.
    await house.clock.advance(2 * 86_400_000);
    expect(house.silent).toEqual([]);
    await house.alarm();
    await house.clock.advance(2 * 86_400_000);
    expect(house.silent).toEqual(['street true']);
    ack({ stream, seq: 3 });
    await house.clock.advance(1000);
    expect(house.silent).toEqual(['street true', 'street false']);
  });

  it('answers a replay of what it cannot make any more with a gap, once', async () => {
    const house = await House.open();
    for (let n = 0; n < 3; n++) await house.alarm();
    await house.clock.advance(6000);
    const old = Object.keys(house.verified().streams).find((s) => s.startsWith('street.a.'));
    await house.journal.ledger.renew('street', 'test');
    house.uplink.renewed(['street']);
    await house.clock.advance(2000);
    const gaps = (): readonly unknown[] =>
      house.broker.taken
        .filter((p) => p.topic === `${BASE}/up/a`)
        .map((p) => JSON.parse(new TextDecoder().decode(p.payload)))
        .filter((m) => m.type === 'weinao.feed.gap.v1')
        .map((m) => m.data);
    for (const ask of [
      { stream: old, from: 2, to: 4 },
      { stream: old, from: 2, to: 3 },
      { stream: 'street.a.nonsense', from: 1, to: 2 },
      { stream: 'police.a.0000000000000000', from: 1, to: 2 },
    ]) {
      house.broker.deliver(`${BASE}/dn/replay`, JSON.stringify(ask));
      await house.clock.advance(1000);
    }
    expect(gaps()).toEqual([{ reason: 'withdrawn', stream: old, first: 2, last: 4 }]);
    expect(house.uplink.status()[0]?.counters.bad_input).toBe(2);
    expect(house.verified()).toMatchObject({ chain: 'ok', gaps: 0 });
  });

  it('sends delivered members once more when the platform asks: the same bytes, and nothing new waits', async () => {
    const house = await House.open();
    for (let n = 0; n < 700; n++) await house.alarm();
    await house.clock.advance(6000);
    const topic = `${BASE}/up/a`;
    const all = house.broker.taken.filter((p) => p.topic === topic);
    expect(all.length).toBe(701);
    const stream = Object.keys(house.verified().streams).find((s) => s.startsWith('street.a.'));
    const ask = async (from: number, to: number, of = stream): Promise<readonly unknown[]> => {
      const before = house.broker.taken.filter((p) => p.topic === topic).length;
      house.broker.deliver(`${BASE}/dn/replay`, JSON.stringify({ stream: of, from, to }));
      for (let i = 0; i < 60; i++) await house.clock.advance(100);
      return house.broker.taken.filter((p) => p.topic === topic).slice(before);
    };
    expect(await ask(300, 330)).toEqual(all.slice(299, 330));
    expect(await ask(1, 2)).toEqual(all.slice(0, 2));
    // Also after a restart, from what was written down.
    await house.boot();
    await house.clock.advance(3000);
    expect(await ask(513, 515)).toEqual(all.slice(512, 515));
    // At most 500 at once; nothing that was never delivered; of another epoch only that it is over.
    expect((await ask(1, 701)).length).toBe(500);
    expect(await ask(690, 900)).toEqual([]);
    expect(await ask(5, 4)).toEqual([]);
    expect(await ask(1, 2, 'street.a.0000000000000000')).toHaveLength(1);
    expect(house.verified()).toMatchObject({ chain: 'ok', gaps: 0, alarms: { raised: 700 } });
  });

  it('takes any bytes on dn/ without harm, and only so many a second', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 }), async (payloads) => {
        const house = await House.open({ ack: 'app' });
        await house.alarm();
        await house.clock.advance(2000);
        for (const payload of payloads) house.broker.deliver(`${BASE}/dn/ack`, payload);
        for (const payload of payloads) house.broker.deliver(`${BASE}/dn/cmd`, payload);
        for (const payload of payloads) house.broker.deliver(`${BASE}/dn/replay`, payload);
        await house.alarm();
        await house.clock.advance(5000);
        expect(house.verified()).toMatchObject({ chain: 'ok', gaps: 0, alarms: { raised: 2 } });
        expect((await house.journal.ledger.depth('street')).a.rows).toBe(2);
      }),
      { numRuns: 20 },
    );
  });

  it('leaves no timer behind when it stops, and says goodbye', async () => {
    const house = await House.open();
    await house.clock.advance(2000);
    await house.uplink.stop();
    await house.journal.close();
    expect(house.clock.timers()).toEqual([]);
    const state = JSON.parse(new TextDecoder().decode(house.broker.retained.get(`${BASE}/up/state`)));
    expect(state).toMatchObject({ online: false, why: 'stop' });
  });

  it('loses nothing, repeats nothing after dedup, leaves no hole, whatever broker and process do (property)', async () => {
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.constant('alarm') },
      { weight: 4, arbitrary: fc.constant('telemetry') },
      { weight: 2, arbitrary: fc.constant('pause') },
      fc.constantFrom('drop', 'away', 'back', 'hold', 'release', 'crash', 'renew', 'refuse once'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const house = await House.open();
        const { broker, clock } = house;
        for (const a of actions) {
          if (a === 'alarm') await house.alarm();
          if (a === 'telemetry') await house.telemetry(house.samples);
          if (a === 'pause') await clock.advance(1700);
          if (a === 'drop') broker.drop();
          if (a === 'away') {
            broker.isAway = true;
            broker.drop();
          }
          if (a === 'back') broker.isAway = false;
          if (a === 'hold') broker.hold();
          if (a === 'release') broker.release();
          if (a === 'crash') await house.boot();
          if (a === 'renew') {
            await house.journal.ledger.renew('street', 'test');
            house.uplink.renewed(['street']);
          }
          if (a === 'refuse once') {
            let left = 1;
            broker.refuses = () => (left-- > 0 ? 0x97 : undefined);
          }
        }
        broker.isAway = false;
        broker.release();
        await clock.advance(400_000);
        const { chain, gaps, alarms, samples, faults } = house.verified();
        expect({ chain, gaps, alarms, samples, faults }).toEqual({
          chain: 'ok',
          gaps: 0,
          alarms: { raised: house.raised, cleared: 0 },
          samples: house.samples,
          faults: [],
        });
      }),
      { numRuns: process.env.WEINAO_NIGHT === undefined ? 60 : 2000 },
    );
  });
});
