import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeBroker } from '../../test/fakes/broker.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import type { Arrival } from '../base/command.ts';
import { canonical, type JsonObject } from '../base/json.ts';
import type { FeedModel } from '../base/model.ts';
import { readCommand } from './command.ts';
import { CommandIntake } from './intake.ts';

const TARGET = 'urn:weinao:s1:g1';
const nanshan = generateKeyPairSync('ed25519');
const stranger = generateKeyPairSync('ed25519');
const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).toString('base64');
const EXPECTED = { target: TARGET, signers: { nanshan: spki(nanshan.publicKey) } };

const WRITE = {
  specversion: '1.0',
  id: '01KAQ4CMD7',
  source: 'urn:street:nanshan',
  type: 'weinao.command.v1',
  subject: 'lamp_12',
  time: '2026-11-22T10:00:00Z',
  expirytime: '2026-11-22T10:00:30Z',
  data: { do: 'write', point: 'dim', value: 80, by: '张三/值班', why: '夜间巡查' },
};
const bytes = (x: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(x));
const read = (x: unknown) => readCommand(bytes(x), EXPECTED);
const withData = (data: object): unknown => ({ ...WRITE, data: { by: 'x', ...data } });

function signed(envelope: object, key = nanshan.privateKey, kid = 'nanshan'): JsonObject {
  const whole = { wntarget: TARGET, ...envelope, kid } as unknown as JsonObject;
  return { ...whole, signature: sign(null, Buffer.from(canonical(whole)), key).toString('base64') };
}

describe('a command', () => {
  it('is read out of the contract’s envelope', () => {
    expect(read(WRITE)).toEqual({
      id: '01KAQ4CMD7',
      source: 'urn:street:nanshan',
      ask: { do: 'write', device: 'lamp_12', point: 'dim', value: 80 },
      by: '张三/值班',
      why: '夜间巡查',
      expires: Date.UTC(2026, 10, 22, 10, 0, 30),
      digest: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  it.each([
    [
      { do: 'ack', aid: 'A1', rev: 3 },
      { do: 'ack', aid: 'A1', rev: 3 },
    ],
    [
      { do: 'shelve', aid: 'A1', for: '2h', why: '检修' },
      { do: 'shelve', aid: 'A1', forMs: 7_200_000 },
    ],
    [
      { do: 'unshelve', aid: 'A1' },
      { do: 'unshelve', aid: 'A1' },
    ],
    [{ do: 'snapshot' }, { do: 'snapshot', device: 'lamp_12' }],
    [
      { do: 'form', form: 'report', fields: { kind: '漏水' } },
      { do: 'form', form: 'report', fields: { kind: '漏水' } },
    ],
    [
      { do: 'maint', what: 'gate_3', for: '1h', why: '检修' },
      { do: 'maint', what: 'gate_3', forMs: 3_600_000 },
    ],
    [
      { do: 'maint', what: 'gate_3' },
      { do: 'maint', what: 'gate_3' },
    ],
  ])('may be %j', (data, ask) => expect(read(withData(data))).toMatchObject({ ask }));

  it.each<[string, unknown, string]>([
    ['no expiry', { ...WRITE, expirytime: undefined }, 'expirytime'],
    ['an expiry that is no time', { ...WRITE, expirytime: 'soon' }, 'expirytime'],
    ['another type', { ...WRITE, type: 'weinao.alarm.raised.v1' }, 'type'],
    ['nobody', { ...WRITE, data: { do: 'write', point: 'dim', value: 1 } }, 'data.by'],
    ['a control character', withData({ do: 'unshelve', aid: 'a\u0000b' }), 'data.aid'],
    ['a verb nobody knows', withData({ do: 'toggle' }), 'data.do'],
    ['a relative value', withData({ do: 'write', point: 'dim', value: 1, add: 5 }), 'data.add'],
    ['an object for a value', withData({ do: 'write', point: 'dim', value: {} }), 'data.value'],
    ['no reason to silence', withData({ do: 'shelve', aid: 'a', for: '1h' }), 'data.why'],
    ['a time that is none', withData({ do: 'shelve', aid: 'a', for: '1 hour', why: 'x' }), 'data.for'],
    ['half a revision', withData({ do: 'ack', aid: 'a', rev: 1.5 }), 'data.rev'],
    [
      'a number the chain cannot hash',
      withData({ do: 'write', point: 'dim', value: 1e-6 }),
      'numbers or keys outside the contract',
    ],
  ])('with %s is malformed, and says where', (_, envelope, detail) =>
    expect(read(envelope)).toMatchObject({ refusal: 'malformed', detail }),
  );

  it('over 4 KB, of nulls, or of bytes that are no JSON is malformed', () => {
    for (const given of [{ ...WRITE, x: 'y'.repeat(4096) }, { ...WRITE, x: null }, [], 'text', 7])
      expect(read(given)).toEqual({ refusal: 'malformed' });
    expect(readCommand(Uint8Array.of(0xff, 0xfe), EXPECTED)).toEqual({ refusal: 'malformed' });
  });

  it('whatever the bytes, never throws', () => {
    const change = fc.tuple(fc.constantFrom(...Object.keys(WRITE), 'kid', 'signature', 'wntarget'), fc.jsonValue());
    fc.assert(
      fc.property(fc.oneof(fc.array(change), fc.uint8Array()), (given) => {
        const payload = given instanceof Uint8Array ? given : bytes({ ...WRITE, ...Object.fromEntries(given) });
        const result = readCommand(payload, EXPECTED);
        expect('refusal' in result || 'ask' in result).toBe(true);
        expect('signer' in result).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a signature', () => {
  it('of a known key over the whole envelope is good, whatever the order of its members', () => {
    const good = signed(WRITE);
    expect(read(good)).toMatchObject({ signer: 'nanshan' });
    expect(read(Object.fromEntries(Object.entries(good).reverse()))).toMatchObject({ signer: 'nanshan' });
  });

  it('does not survive any change', () => {
    const good = signed(WRITE);
    for (const change of [
      { subject: 'lamp_13' },
      { id: '01KAQ4CMD8' },
      { expirytime: '2026-11-22T10:04:30Z' },
      { data: { ...WRITE.data, value: 81 } },
      { extra: 1 },
    ])
      expect(read({ ...good, ...change })).toMatchObject({ refusal: 'bad_signature' });
    expect(read({ ...good, signature: 'AAAA' })).toMatchObject({ refusal: 'bad_signature' });
    expect(read({ ...good, kid: undefined })).toMatchObject({ refusal: 'unknown_signer' });
  });

  it('of an unknown key, by a name objects have anyway, or for another gateway is not', () => {
    expect(read(signed(WRITE, stranger.privateKey))).toMatchObject({ refusal: 'bad_signature' });
    expect(read(signed(WRITE, stranger.privateKey, 'stranger'))).toMatchObject({ refusal: 'unknown_signer' });
    expect(read(signed(WRITE, stranger.privateKey, 'constructor'))).toMatchObject({ refusal: 'unknown_signer' });
    expect(read(signed({ ...WRITE, wntarget: 'urn:weinao:s1:g2' }))).toMatchObject({ refusal: 'not_for_us' });
    const whole = { ...WRITE, kid: 'nanshan' } as unknown as JsonObject;
    const signature = sign(null, Buffer.from(canonical(whole)), nanshan.privateKey).toString('base64');
    expect(read({ ...whole, signature })).toMatchObject({ refusal: 'not_for_us' });
  });
});

describe('the door', () => {
  const open = async (feed: object = { id: 'street', commands: { grants: [], signers: {}, maxTtlMs: 300_000 } }) => {
    const clock = new VirtualClock();
    const broker = new FakeBroker();
    const connection = await broker.connect();
    const arrived: Arrival[] = [];
    const intake = new CommandIntake({
      feed: feed as FeedModel,
      source: TARGET,
      clock,
      connection: () => connection,
      onCommand: (arrival) => void arrived.push(arrival),
    });
    const outcome = () => arrived.map((a) => ('refusal' in a ? a.refusal : a.command.id));
    return { clock, broker, arrived, intake, outcome };
  };

  it('takes nothing the broker kept, and no more than the bucket holds', async () => {
    const { clock, intake, outcome } = await open();
    intake.take(bytes(WRITE), { retain: true });
    for (let i = 0; i < 25; i++) intake.take(bytes(WRITE), { retain: false });
    expect(outcome()).toEqual(['retained', ...Array(20).fill(WRITE.id), ...Array(5).fill('flood')]);
    await clock.advance(200);
    for (let i = 0; i < 3; i++) intake.take(bytes(WRITE), { retain: false });
    expect(outcome().slice(-3)).toEqual([WRITE.id, WRITE.id, 'flood']);
  });

  it('parses nothing for a feed that grants nothing', async () => {
    const { intake, outcome } = await open({ id: 'street' });
    intake.take(bytes('no command at all'), { retain: false });
    expect(outcome()).toEqual(['not_granted']);
  });

  it('answers under the feed’s own prefix only, and never where the contract has its topics', async () => {
    const { broker, intake, arrived } = await open();
    const topics = [
      'wn/1/street/s1/re/7',
      'wn/1/street/s1/up/a',
      'wn/1/street/s1/dn/cmd',
      'wn/1/police/s1/re/7',
      'wn/1/street/+/re',
      'wn/1/street/s1/#',
      'wn/1/street/s1',
      '$SYS/x',
      `wn/1/street/s1/re/${'x'.repeat(300)}`,
    ];
    const correlation = Uint8Array.of(1, 2, 3);
    for (const responseTopic of topics) intake.take(bytes(WRITE), { retain: false, responseTopic, correlation });
    for (const arrival of arrived) arrival.reply({ outcome: 'done' });
    expect(broker.taken.map((p) => p.topic)).toEqual(['wn/1/street/s1/re/7']);
    expect(broker.taken[0]).toMatchObject({ retain: false, correlation });
  });

  it('has few answers on their way', async () => {
    const { broker, intake, arrived } = await open();
    broker.hold();
    intake.take(bytes(WRITE), { retain: false, responseTopic: 'wn/1/street/s1/re' });
    for (let i = 0; i < 50; i++) arrived[0]?.reply({ n: i });
    expect(broker.taken.length).toBe(16);
    broker.release();
    await new Promise((resolve) => setImmediate(resolve));
    arrived[0]?.reply({ n: 99 });
    expect(broker.taken.length).toBe(17);
  });
});
