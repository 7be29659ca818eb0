/** Ways out besides the broker with CloudEvents: HTTP POST and thing-model codecs, on virtual time against far ends with every vice. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeBroker } from '../../test/fakes/broker.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { SEES_ALL } from '../../test/fakes/entitlement.ts';
import { FakeLedger } from '../../test/fakes/ledger.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import type { Arrival } from '../base/command.ts';
import type { OutMessage } from '../base/feed.ts';
import type { JsonObject } from '../base/json.ts';
import type { FeedModel } from '../base/model.ts';
import type { Answer, Poster } from '../io/http.ts';
import type { BrokerConnection } from '../io/mqtt.ts';
import { connectPost } from './post.ts';
import { FeedSender } from './sender.ts';

const FEED: FeedModel = {
  ...{ id: 'f', to: 'https://h/in', mqtt: 5, encoding: 'json', view: 'everything', rate: 1000, priority: 5 },
  ...{ keepMs: 1, hash: 'h', ack: 'broker' },
};

interface Event {
  readonly id: string;
  readonly type: string;
  readonly subject?: string;
  readonly data: JsonObject;
}

/** A platform behind HTTP: takes what `answers` lets it take. */
class FakePlatform {
  /** bodies it answered with 2xx, as the events in them */
  readonly taken: Event[][] = [];
  posts = 0;
  running = 0;
  answers: (events: readonly Event[], contentType: string) => Answer | Error = () => ({ status: 204 });
  private readonly clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  poster(): Poster {
    let closed = false;
    return {
      post: async (body, contentType) => {
        this.posts++;
        this.running++;
        expect(this.running).toBe(1);
        await this.clock.sleep('post', 20);
        this.running--;
        if (closed) throw new Error('closed');
        const parsed = JSON.parse(new TextDecoder().decode(body)) as Event | Event[];
        const events = Array.isArray(parsed) ? parsed : [parsed];
        expect(
          contentType.startsWith(Array.isArray(parsed) ? 'application/cloudevents-batch' : 'application/cloudevents+'),
        ).toBe(true);
        const answer = this.answers(events, contentType);
        if (answer instanceof Error) throw answer;
        if (answer.status >= 200 && answer.status <= 299) this.taken.push(events);
        return answer;
      },
      close: () => {
        closed = true;
      },
    };
  }

  members(): string[] {
    return this.taken
      .flat()
      .filter((e) => !e.type.startsWith('weinao.feed.'))
      .map((e) => e.id);
  }

  told(type: string): Event[] {
    return this.taken.flat().filter((e) => e.type === `weinao.feed.${type}.v1`);
  }
}

interface Bench {
  readonly sender: FeedSender;
  readonly ledger: FakeLedger;
  readonly clock: VirtualClock;
  readonly refused: string[];
  readonly log: ReturnType<typeof memoryLog>;
}

const POINTS = { level: { kind: 'number' }, pump: { kind: 'bool' } };

function bench(
  clock: VirtualClock,
  feed: FeedModel,
  connect: () => Promise<BrokerConnection>,
  onCommand: (arrival: Arrival) => void = () => {},
): Bench {
  const ledger = new FakeLedger();
  const log = memoryLog();
  const refused: string[] = [];
  const sender = new FeedSender({
    ...{ feed, site: 's1', source: 'urn:weinao:s1:g1', ledger, clock, log, connect },
    random: seededRandom(1),
    signer: { kid: 'k', publicKey: 'p', sign: () => 's' },
    entitlement: SEES_ALL,
    catalog: () => new Map([['tank_1', { device: 'tank_1', type: 'tank', points: POINTS }]]),
    onRefused: (_, detail) => void refused.push(detail),
    onCaughtUp: () => {},
    onSilent: () => {},
    onCommand,
  });
  return { sender, ledger, clock, refused, log };
}

const http = (batch = 1): Bench & { platform: FakePlatform } => {
  const clock = new VirtualClock();
  const platform = new FakePlatform(clock);
  const connect = () =>
    Promise.resolve(connectPost({ source: 'urn:weinao:s1:g1', poster: platform.poster(), clock, batch }));
  return { ...bench(clock, { ...FEED, batch }, connect), platform };
};

const alarm = (n: number): JsonObject => ({
  aid: `a${n}`,
  n,
  rule: 'low',
  key: 'low/tank_1',
  device: 'tank_1',
  level: 'red',
});
const levels = (n: number): JsonObject => ({
  samples: [{ d: 'tank_1', p: 'level', t: '2020-11-22T04:00:00.000Z', v: n }],
});

describe('a feed over HTTP', () => {
  it('greets, sends one after the other, alarms before telemetry, and says goodbye', async () => {
    const { sender, ledger, clock, platform } = http();
    for (let n = 0; n < 20; n++) ledger.add('telemetry.sampled', levels(n));
    for (let n = 0; n < 5; n++) ledger.add('alarm.raised', alarm(n));
    await sender.start();
    await clock.advance(10_000);
    const ids = (from: number, count: number) => Array.from({ length: count }, (_, i) => `id${from + i}`);
    expect(platform.members()).toEqual([...ids(21, 5), ...ids(1, 20)]);
    expect(ledger.left).toBe(0);
    expect(platform.told('hello')[0]?.data).toMatchObject({ schema: 1, source: 'urn:weinao:s1:g1', devices: 1 });
    expect(platform.told('device')[0]).toMatchObject({ subject: 'tank_1', data: { device: 'tank_1' } });
    expect(platform.told('proof').map((e) => e.subject)).toEqual(['a', 'a', 't']);
    // An alarm overtakes the telemetry that waits.
    for (let n = 0; n < 10; n++) ledger.add('telemetry.sampled', levels(n));
    sender.poke();
    await clock.advance(25);
    ledger.add('alarm.raised', alarm(9));
    sender.poke();
    await clock.advance(45);
    expect(platform.members().slice(25).indexOf('id36')).toBeLessThanOrEqual(2);
    await clock.advance(10_000);
    expect({ left: ledger.left, members: platform.members().length }).toEqual({ left: 0, members: 36 });
    const stop = sender.stop();
    await clock.advance(100);
    await stop;
    expect(platform.told('state').at(-1)?.data).toMatchObject({ online: false, why: 'stop' });
    expect(clock.timers()).toEqual([]);
  });

  it('posts several members at once where that was agreed, and a batch refused one by one', async () => {
    const { sender, ledger, clock, platform, refused } = http(10);
    for (let n = 0; n < 25; n++) ledger.add('alarm.raised', alarm(n));
    platform.answers = (events) => ({ status: events.some((e) => e.data.n === 7) ? 422 : 200 });
    await sender.start();
    await clock.advance(60_000);
    expect(platform.members().filter((id, i, all) => all.indexOf(id) === i).length).toBe(24);
    expect(platform.taken.some((events) => events.length === 10)).toBe(true);
    expect(refused).toEqual(['weinao.alarm.raised.v1 id8: refused with HTTP 422']);
    expect(ledger.passedOver).toEqual(['id8']);
    expect(ledger.left).toBe(0);
  });

  it('gives nothing up for a door that is shut: a token that expired, a redirect, an overload, a break', async () => {
    const { sender, ledger, clock, platform, refused, log } = http();
    const shut = [401, 403, 404, 302, 429, 500, 503, 408].map((status) => ({ status }));
    const all: (Answer | Error)[] = [...shut, new Error('socket hang up')];
    platform.answers = () => all[platform.posts % all.length] as Answer;
    ledger.add('alarm.raised', alarm(1));
    await sender.start();
    await clock.advance(3_600_000);
    expect({ refused, left: ledger.left }).toEqual({ refused: [], left: 1 });
    expect(sender.status()).toMatchObject({ state: 'connecting', error: 'uplink.connect_failed' });
    // Lost is told once, and after a minute's back-off no more than once a minute is tried.
    expect(log.lines.filter((l) => l.event === 'feed.lost')).toHaveLength(1);
    expect(platform.posts).toBeLessThan(140);
    platform.answers = () => ({ status: 200 });
    await clock.advance(120_000);
    expect(platform.members()).toEqual(['id1']);
  });

  it('gives no member up for a door that is shut to members alone', async () => {
    for (const status of [302, 401, 403, 404, 405, 408, 410, 429, 500, 503]) {
      const { sender, ledger, clock, platform, refused } = http();
      platform.answers = (events) => ({ status: events[0]?.type.startsWith('weinao.feed.') === true ? 200 : status });
      ledger.add('alarm.raised', alarm(1));
      await sender.start();
      await clock.advance(600_000);
      expect({ status, refused, left: ledger.left }).toEqual({ status, refused: [], left: 1 });
    }
  });

  it('stays away as long as it is asked to, but never for more than five minutes', async () => {
    const { sender, clock, platform } = http();
    platform.answers = () => ({ status: 503, retryAfterMs: 200_000 });
    await sender.start();
    await clock.advance(199_000);
    expect(platform.posts).toBe(1);
    platform.answers = () => ({ status: 429, retryAfterMs: 1e12 });
    await clock.advance(3000);
    expect(platform.posts).toBe(2);
    await clock.advance(302_000);
    expect(platform.posts).toBe(3);
  });

  it('a platform that has no use for manifest, state and proofs gets the members all the same', async () => {
    const { sender, ledger, clock, platform } = http();
    platform.answers = (events) => ({ status: events[0]?.type.startsWith('weinao.feed.') === true ? 400 : 200 });
    for (let n = 0; n < 3; n++) ledger.add('alarm.raised', alarm(n));
    await sender.start();
    await clock.advance(5000);
    expect(platform.members()).toEqual(['id1', 'id2', 'id3']);
  });

  it('tells the device model again only when it changed', async () => {
    const { sender, clock, platform } = http();
    await sender.start();
    await clock.advance(1000);
    const once = platform.answers;
    platform.answers = () => ({ status: 500 });
    await clock.advance(300_000);
    platform.answers = once;
    await clock.advance(120_000);
    expect(platform.told('hello').length).toBeGreaterThan(1);
    expect(platform.told('device')).toHaveLength(1);
  });

  it('loses nothing and passes over only what was refused, whatever the platform answers (property)', async () => {
    const answer = fc.constantFrom<Answer | Error>(
      ...[200, 201, 204, 400, 401, 404, 413, 429, 500, 503].map((status) => ({ status })),
      new Error('reset'),
      { status: 503, retryAfterMs: 5000 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { maxLength: 30 }),
        fc.array(fc.boolean(), { maxLength: 25 }),
        fc.constantFrom(1, 7),
        async (answers, kinds, batch) => {
          const { sender, ledger, clock, platform, refused } = http(batch);
          const left = [...answers];
          platform.answers = () => left.shift() ?? { status: 200 };
          await sender.start();
          const all: OutMessage[] = [];
          for (const [n, isAlarm] of kinds.entries()) {
            all.push(isAlarm ? ledger.add('alarm.raised', alarm(n)) : ledger.add('telemetry.sampled', levels(n)));
            sender.poke();
            await clock.advance(n % 3 === 0 ? 300 : 5);
          }
          await clock.advance(1_200_000);
          const got = new Set(platform.members());
          expect(ledger.left).toBe(0);
          for (const { id } of all) expect(got.has(id) || ledger.passedOver.includes(id)).toBe(true);
          expect(refused.length).toBe(ledger.passedOver.length);
          // In each stream the first copies stand in order.
          const firsts = platform.members().filter((id, i, list) => list.indexOf(id) === i);
          for (const stream of ['a', 't'])
            expect(firsts.filter((id) => all.some((m) => m.id === id && m.stream === stream))).toEqual(
              all.filter((m) => m.stream === stream && got.has(m.id)).map((m) => m.id),
            );
          const stop = sender.stop();
          await clock.advance(100);
          await stop;
        },
      ),
      { numRuns: process.env.WEINAO_NIGHT === undefined ? 40 : 1000 },
    );
  });
});

const ALINK: FeedModel = {
  ...FEED,
  ...{ to: 'mqtts://h', mqtt: 3, codec: 'alink', ack: 'app' },
  alink: { product: 'g', device: 'd', subProduct: 'k', event: 'alarm', version: '1.0' },
};

/** A broker behind which a platform answers what it is asked; `code` undefined = it says nothing. */
function alink(
  code: (id: string, body: JsonObject) => number | undefined,
  feed: Partial<FeedModel> = {},
  onCommand?: (arrival: Arrival) => void,
): Bench & { broker: FakeBroker; asked: string[] } {
  const clock = new VirtualClock();
  const broker = new FakeBroker();
  const asked: string[] = [];
  broker.refuses = (topic, payload) => {
    if (!topic.endsWith('/post')) return undefined;
    const body = JSON.parse(new TextDecoder().decode(payload)) as { id: string } & JsonObject;
    asked.push(body.id);
    const answer = code(body.id, body);
    if (answer !== undefined)
      queueMicrotask(() => broker.deliver(`${topic}_reply`, JSON.stringify({ id: body.id, code: answer, data: {} })));
    return undefined;
  };
  return { ...bench(clock, { ...ALINK, ...feed }, () => broker.connect(), onCommand), broker, asked };
}

describe('a thing-model feed', () => {
  it('is delivered by the platform’s own reply, and says nothing of the contract', async () => {
    const { sender, ledger, clock, broker, asked } = alink(() => 200);
    for (let n = 0; n < 30; n++) ledger.add('alarm.raised', alarm(n));
    for (let n = 0; n < 30; n++) ledger.add('telemetry.sampled', levels(n));
    ledger.add('stat.computed', { stat: 'x', value: 1 });
    await sender.start();
    await clock.advance(5000);
    expect(ledger.left).toBe(0);
    expect(asked).toHaveLength(60);
    expect(broker.taken.every((p) => p.topic.startsWith('/sys/g/d/thing/event/'))).toBe(true);
    await sender.stop();
    expect(clock.timers()).toEqual([]);
  });

  it('waits for the reply, not for the PUBACK; ignores replies to nothing; asks again when none comes', async () => {
    let silent = true;
    const { sender, ledger, clock, broker, asked } = alink(() => (silent ? undefined : 200));
    ledger.add('alarm.raised', alarm(1));
    await sender.start();
    await clock.advance(1000);
    const topic = '/sys/g/d/thing/event/property/pack/post_reply';
    for (const body of ['{"id":"999","code":200}', '{"id":"","code":200}', 'no json', '{"code":200}'])
      broker.deliver(topic, body);
    await clock.advance(1000);
    expect(ledger.left).toBe(1);
    expect(sender.status().counters.bad_input).toBe(4);
    await clock.advance(20_000);
    expect(sender.status()).toMatchObject({ error: 'uplink.no_reply' });
    silent = false;
    await clock.advance(120_000);
    expect(ledger.left).toBe(0);
    // The same packet with the same id: the platform can tell that it has it.
    expect(new Set(asked).size).toBe(1);
    expect(asked.length).toBeGreaterThan(1);
  });

  it('passes over what was refused three times; patience costs nothing', async () => {
    let busy = 5;
    const { sender, ledger, clock, refused } = alink((_, body) => {
      if (JSON.stringify(body).includes('"aid":"a2"')) return 460;
      return busy-- > 0 ? 429 : 200;
    });
    for (let n = 0; n < 5; n++) ledger.add('alarm.raised', alarm(n));
    await sender.start();
    await clock.advance(600_000);
    expect(ledger.passedOver).toEqual(['id3']);
    expect(refused).toEqual(['weinao.alarm.raised.v1 id3: refused with code 460']);
    expect(ledger.left).toBe(0);
  });

  it('passes commands on, each for half a minute and once, and tells the platform how they ended', async () => {
    const arrived: Arrival[] = [];
    const commands = { grants: [], signers: {}, maxTtlMs: 300_000 };
    const { sender, clock, broker } = alink(
      () => 200,
      { commands },
      (arrival) => void arrived.push(arrival),
    );
    await sender.start();
    await clock.advance(1000);
    const topic = '/sys/k/s1_tank_1/thing/service/property/set';
    const send = (id: string, params: JsonObject) => broker.deliver(topic, JSON.stringify({ id, params }));
    const answers = (): string[] =>
      broker.taken.filter((p) => p.topic === `${topic}_reply`).map((p) => new TextDecoder().decode(p.payload));
    send('1', { level: 5, pump: 1 });
    const [first, second] = arrived;
    const { wall } = clock.now();
    expect(first).toMatchObject({ feed: 'f', command: { source: 'urn:alink:f', by: 'alink', expires: wall + 30_000 } });
    expect(second).toMatchObject({ command: { ask: { do: 'write', device: 'tank_1', point: 'pump', value: true } } });
    for (const outcome of ['accepted', 'done']) first?.reply({ outcome });
    await clock.advance(10);
    expect(answers()).toEqual([]);
    second?.reply({ outcome: 'done' });
    await clock.advance(10);
    expect(answers()).toEqual(['{"id":"1","code":200,"message":"success","data":{}}']);
    // The same once more is the same command; another value is another.
    send('1', { level: 5 });
    send('1', { level: 6 });
    const ids = arrived.map((a) => ('command' in a ? a.command.id : ''));
    expect(ids[2]).toBe(ids[0]);
    expect(ids[3]).not.toBe(ids[0]);
    arrived[3]?.reply({ outcome: 'failed', reason: 'no_answer' });
    arrived[3]?.reply({ outcome: 'failed', reason: 'no_answer' });
    await clock.advance(10);
    expect(answers().slice(1)).toEqual(['{"id":"1","code":500,"message":"no_answer","data":{}}']);
    send('2', { unknown: 1 });
    broker.deliver(topic, 'no json');
    expect(arrived.slice(4)).toMatchObject([{ refusal: 'malformed', id: '2' }, { refusal: 'malformed' }]);
  });

  it('refuses commands nobody granted, and a flood of them before it is read', async () => {
    const arrived: Arrival[] = [];
    const { sender, clock, broker } = alink(
      () => 200,
      {},
      (arrival) => void arrived.push(arrival),
    );
    await sender.start();
    await clock.advance(1000);
    const topic = '/sys/k/s1_tank_1/thing/service/property/set';
    for (let n = 0; n < 100; n++) broker.deliver(topic, JSON.stringify({ id: String(n), params: { level: 1 } }));
    await clock.advance(100);
    expect(sender.status().counters.commands_refused).toBe(100);
    const why = arrived.map((a) => ('refusal' in a ? a.refusal : ''));
    expect([why.filter((w) => w === 'not_granted').length, why.filter((w) => w === 'flood').length]).toEqual([20, 80]);
    const answers = broker.taken.filter((p) => p.topic === `${topic}_reply`);
    expect(answers).toHaveLength(20);
    expect(new TextDecoder().decode(answers[0]?.payload)).toContain('"code":403,"message":"not_granted"');
  });

  it('loses nothing, whatever broker and platform do (property)', async () => {
    const deed = fc.constantFrom(
      'alarm',
      'telemetry',
      'drop',
      'silent',
      'talks',
      'busy',
      'wrong id',
      'pause',
      'hold',
      'release',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 40 }), async (deeds) => {
        let mood: string = 'talks';
        const told = new Set<number>();
        const { sender, ledger, clock, broker, refused } = alink((_, body) => {
          if (mood === 'silent') return undefined;
          if (mood === 'busy') return 429;
          if (mood === 'wrong id') {
            broker.deliver('/sys/g/d/thing/event/property/pack/post_reply', '{"id":"1","code":460}');
            return undefined;
          }
          for (const [, n] of JSON.stringify(body).matchAll(/"aid":"a(\d+)"/g)) told.add(Number(n));
          return 200;
        });
        await sender.start();
        let raised = 0;
        for (const d of deeds) {
          if (d === 'alarm') ledger.add('alarm.raised', alarm(raised++));
          else if (d === 'telemetry') ledger.add('telemetry.sampled', levels(1));
          else if (d === 'drop') broker.drop();
          else if (d === 'hold') broker.hold();
          else if (d === 'release') broker.release();
          else if (d === 'pause') await clock.advance(7000);
          else mood = d;
          sender.poke();
          await clock.advance(10);
        }
        mood = 'talks';
        broker.release();
        await clock.advance(400_000);
        expect({ left: ledger.left, refused, told: told.size }).toEqual({ left: 0, refused: [], told: raised });
        await sender.stop();
      }),
      { numRuns: process.env.WEINAO_NIGHT === undefined ? 40 : 1000 },
    );
  });
});
