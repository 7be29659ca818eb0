/**
 * What each codec makes of the same members: every packet, byte by byte, in `<name>.golden.txt`. WEINAO_WRITE_EXPECTED=1 writes those that are missing;
 * read them against the platform's documentation before committing them.
 */
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeLedger } from '../../../test/fakes/ledger.ts';
import type { OutMessage } from '../../base/feed.ts';
import type { JsonObject } from '../../base/json.ts';
import { CODECS, type CodecName, type FeedModel } from '../../base/model.ts';
import type { Instant } from '../../base/time.ts';
import type { Codec, Heard, Packet, PlatformCommand } from '../codec.ts';
import { alinkSigned, alinkSignIn } from './alink.ts';
import { createCodec } from './index.ts';

const NOON = Date.parse('2026-11-22T04:00:00.000Z');
const NOW: Instant = { wall: NOON, mono: 1000, synced: true };
const at = (s: number): string => new Date(NOON + s * 1000).toISOString();

const FEED: FeedModel = {
  ...{ id: 'f', to: 'mqtts://h', mqtt: 3, encoding: 'json', view: 'everything', rate: 200, priority: 5 },
  ...{ keepMs: 1, hash: 'h', ack: 'broker' },
};
const OPTIONS: Readonly<Record<CodecName, Partial<FeedModel>>> = {
  cloudevents: {},
  alink: {
    ack: 'app',
    alink: { product: 'a1Gw', device: 'gw_0012', event: 'alarm', version: '1.0' },
    things: {
      tank: { product: 'a1Tank', points: { level: { name: 'WaterLevel' }, spare: false } },
      tank_1: { name: 'TANK-1' },
      lamp_1: { product: 'a1Lamp', points: { dim: { name: 'Dim', as: 'int' } } },
    },
  },
  thingsboard: { things: { tank: { points: { level: { name: 'water' }, spare: false } }, tank_1: { name: 'Tank 1' } } },
};
const CATALOG = new Map<string, JsonObject>([
  ['tank_1', { device: 'tank_1', type: 'tank', points: { level: { kind: 'number' }, spare: { kind: 'number' } } }],
  ['tank_2', { device: 'tank_2', type: 'tank' }],
  ['lamp_1', { device: 'lamp_1', points: { dim: { kind: 'number' }, on: { kind: 'bool' } } }],
  ['door_1', { device: 'door_1' }],
]);

function codecOf(name: CodecName, options: Partial<FeedModel> = {}): { codec: Codec; untold: Record<string, number> } {
  const untold: Record<string, number> = {};
  const onUntold = (reason: string): void => {
    untold[reason] = (untold[reason] ?? 0) + 1;
  };
  const feed = { ...FEED, ...OPTIONS[name], ...options, codec: name };
  return { codec: createCodec({ feed, site: 's1', catalog: () => CATALOG, onUntold }), untold };
}

const sample = (d: string, p: string, v: number | boolean | string, s = 0, more: JsonObject = {}): JsonObject => ({
  ...{ d, p, t: at(s), v },
  ...more,
});
const telemetry = (ledger: FakeLedger, samples: readonly JsonObject[], attributes: JsonObject = {}): OutMessage =>
  ledger.add('telemetry.sampled', { samples }, { time: at(0), ...attributes });
const ALARM = {
  ...{ aid: '01KAQ', rev: 1, key: 'low/tank_1', rule: 'low', level: 'red', condition: 'active', ack: 'unacked' },
  ...{ text: '水位 0.2 米', device: 'tank_1', values: { level: 0.2 } },
};

/** One member of each sort that matters. */
function members(): readonly (readonly [string, OutMessage])[] {
  const ledger = new FakeLedger();
  return [
    [
      'numbers with a decimal point, bool, text, int',
      telemetry(ledger, [
        sample('tank_1', 'level', 10),
        sample('tank_1', 'pump', true),
        sample('lamp_1', 'dim', 80),
        sample('tank_2', 'mode', '自动 "A"'),
        sample('tank_2', 'level', 0.0001),
      ]),
    ],
    [
      'overtaken within its message, late, bad, not named',
      telemetry(ledger, [
        sample('tank_1', 'level', 1, -2),
        sample('tank_1', 'level', 2, -1),
        sample('tank_2', 'level', 3, -600),
        sample('tank_2', 'level', 4, -1, { late: true }),
        { d: 'tank_1', p: 'level', t: at(0), q: 'bad', why: 'timeout' },
        sample('tank_1', 'spare', 5),
        sample('door_1', 'open', false),
      ]),
    ],
    ['more than a day ahead', telemetry(ledger, [sample('tank_1', 'level', 7, 86_400 + 60)])],
    ['an alarm', ledger.add('alarm.raised', ALARM, { time: at(0), subject: 'tank_1' })],
    ['hours late', ledger.add('alarm.cleared', { ...ALARM, rev: 2, condition: 'cleared' }, { time: at(-7200) })],
    ['closed', ledger.add('alarm.closed', { ...ALARM, rev: 3, condition: 'cleared' }, { time: at(0) })],
    ['of no device', ledger.add('alarm.raised', { ...ALARM, key: 'low/flat_1', device: 'flat_1' }, { time: at(0) })],
    ['of a second thing at its device', ledger.add('alarm.raised', { ...ALARM, key: 'low/pair_2' }, { time: at(0) })],
    ['a drill', ledger.add('alarm.raised', ALARM, { time: at(0), wntest: true })],
    ['erased', ledger.add('alarm.raised', { erased: true }, { time: at(0) })],
    ['gone', ledger.add('device.offline', { device: 'tank_1' }, { time: at(0), subject: 'tank_1' })],
    ['back', ledger.add('device.online', { device: 'tank_1' }, { time: at(0), subject: 'tank_1' })],
    ['nothing for a thing model', ledger.add('stat.computed', { stat: 'x', value: 1 }, { time: at(0) })],
  ];
}

const textOf = ({ payload }: Packet): string =>
  typeof payload === 'string' ? payload : new TextDecoder().decode(payload);

function goldenOf(name: CodecName): string {
  const { codec, untold } = codecOf(name);
  const lines = (packets: readonly Packet[]): string[] =>
    packets.flatMap((p) => [`${p.topic}${p.reply === undefined ? '' : `  (reply ${p.reply})`}`, `  ${textOf(p)}`]);
  return [
    ...['# at connect', ...lines(codec.greeting())],
    ...members().flatMap(([what, member]) => [`# ${what}`, ...lines(codec.packets(member, NOW))]),
    ...['# not told', JSON.stringify(untold), ''],
  ].join('\n');
}

describe('codecs', () => {
  it.each([...CODECS])('%s makes exactly these packets', (name) => {
    const path = join(import.meta.dirname, `${name}.golden.txt`);
    const text = goldenOf(name);
    if (process.env.WEINAO_WRITE_EXPECTED === '1' && !existsSync(path)) writeFileSync(path, text);
    expect(text).toBe(readFileSync(path, 'utf8'));
    // The same members make the same packets once more: a re-send is no news.
    expect(goldenOf(name)).toBe(text);
  });
});

function commandIn(codec: Codec, topic: string, body: unknown): PlatformCommand | undefined {
  const heard = codec.hears(topic, new TextEncoder().encode(JSON.stringify(body)));
  const command = heard?.kind === 'command' ? heard.read() : undefined;
  return command === 'nothing' ? undefined : command;
}

const anySample = fc.record({
  d: fc.integer({ min: 1, max: 60 }).map((n) => `d${n}`),
  p: fc.integer({ min: 1, max: 12 }).map((n) => `p${n}`),
  s: fc.integer({ min: -300, max: 0 }),
  v: fc.oneof(
    fc.integer({ min: -1e6, max: 1e6 }),
    fc.double({ min: -1e3, max: 1e3, noNaN: true }).map((x) => Math.round(x * 1e4) / 1e4 + 0),
  ),
});

interface Told {
  readonly key: string;
  readonly time: number;
  readonly text: string;
}

describe('Alink', () => {
  const options = { alink: { product: 'g', device: 'd', subProduct: 'k', event: 'alarm', version: '1.0' }, things: {} };

  it('tells every sample of any group once, in order, within the limits of one message (property)', () => {
    fc.assert(
      fc.property(fc.array(anySample, { maxLength: 450, size: 'max' }), (given) => {
        const { codec } = codecOf('alink', options);
        const packets = codec.packets(
          telemetry(
            new FakeLedger(),
            given.map((g) => sample(g.d, g.p, g.v, g.s)),
          ),
          NOW,
        );
        const told: Told[] = [];
        for (const packet of packets) {
          const { params, method } = JSON.parse(textOf(packet));
          const isHistory = method === 'thing.event.property.history.post';
          const devices: { identity: { deviceName: string }; properties: Told | object }[] = isHistory
            ? params
            : params.subDevices;
          expect(devices.length).toBeLessThanOrEqual(20);
          const pairs = devices.flatMap(({ identity, properties }) =>
            (isHistory ? (properties as object[]) : [properties as object]).flatMap((of) =>
              Object.entries(of as Record<string, { value: number; time: number }>).map(([point, { value, time }]) => ({
                key: `${identity.deviceName}.${point}`,
                time,
                text: String(value),
              })),
            ),
          );
          expect(pairs.length).toBeLessThanOrEqual(200);
          told.push(...pairs);
        }
        const wanted = given.map((g) => ({ key: `s1_${g.d}.${g.p}`, time: NOON + g.s * 1000, text: String(g.v) }));
        const order = (list: Told[]): string[] => list.map((t) => JSON.stringify(t)).sort();
        expect(order(told)).toEqual(order(wanted));
        expect(new Set(packets.map((p) => p.reply)).size).toBe(packets.length);
      }),
      { numRuns: 60 },
    );
  });

  it('writes every number so that a platform takes it for a float, and loses nothing of it (property)', () => {
    fc.assert(
      fc.property(anySample, (g) => {
        const { codec } = codecOf('alink', options);
        const [packet] = codec.packets(telemetry(new FakeLedger(), [sample(g.d, g.p, g.v)]), NOW);
        const [, text = ''] = textOf(packet as Packet).split('"value":');
        const written = text.slice(0, text.indexOf(','));
        expect(written).toContain('.');
        expect(Number(written)).toBe(g.v);
      }),
    );
  });

  it('has an id for every packet that no other of the day has', () => {
    const { codec } = codecOf('alink', options);
    const ledger = new FakeLedger();
    const ids = Array.from({ length: 200 }, () =>
      codec.packets(
        telemetry(
          ledger,
          Array.from({ length: 100 }, (_, n) => sample(`d${n}`, 'p', n)),
        ),
        NOW,
      ),
    ).flatMap((packets) => packets.map((p) => p.reply));
    expect(ids.length).toBe(200 * 5);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(Number(id)).toBeLessThan(2 ** 32);
  });

  it('asks for no reply with `ack: broker`', () => {
    const { codec } = codecOf('alink', { ack: 'broker' });
    const [packet] = codec.packets(telemetry(new FakeLedger(), [sample('tank_1', 'level', 1)]), NOW);
    expect(packet?.reply).toBeUndefined();
    expect(textOf(packet as Packet)).toContain('"sys":{"ack":0}');
  });

  it('reads replies, and takes any bytes without harm', () => {
    const { codec } = codecOf('alink');
    const reply = (body: unknown): Heard | undefined =>
      codec.hears(
        '/sys/a1Gw/gw_0012/thing/event/property/pack/post_reply',
        new TextEncoder().encode(JSON.stringify(body)),
      );
    expect(reply({ id: '5', code: 200, data: {} })).toEqual({
      kind: 'reply',
      id: '5',
      outcome: 'taken',
      says: 'code 200',
    });
    expect(reply({ id: 5, code: 460, message: 'params' })).toMatchObject({
      id: '5',
      outcome: 'refused',
      says: 'code 460: params',
    });
    for (const code of [429, 500, 503, 100_000]) expect(reply({ id: '5', code })).toMatchObject({ outcome: 'later' });
    for (const body of [null, [], 7, {}, { id: {}, code: 200 }, { id: '5' }])
      expect(reply(body)).toEqual({ kind: 'bad' });
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom(...codec.topics), (bytes, topic) => {
        const heard = codec.hears(topic, bytes);
        if (heard?.kind === 'command') expect(heard.read()).toBeUndefined();
        else expect(heard).toEqual({ kind: 'bad' });
      }),
    );
  });

  it('reads property/set as writes, all of them or none, and its own answers not at all', () => {
    const { codec } = codecOf('alink');
    const topic = '/sys/a1Lamp/s1_lamp_1/thing/service/property/set';
    expect(codec.topics).toContain(topic);
    const set = (params: unknown, to = topic) => commandIn(codec, to, { id: 9, version: '1.0', params });
    expect(set({ Dim: 80, on: 1 })?.asks).toEqual([
      { do: 'write', device: 'lamp_1', point: 'dim', value: 80 },
      { do: 'write', device: 'lamp_1', point: 'on', value: true },
    ]);
    for (const params of [{ Dim: 80, nothing: 1 }, { Dim: null }, { dim: 80 }, {}, [], 7])
      expect(set(params)?.asks).toEqual([]);
    expect(set(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`p${n}`, n])))?.asks).toEqual([]);
    expect(set({ Dim: 80 }, '/sys/a1Lamp/other/thing/service/property/set')?.asks).toEqual([]);
    expect(set({ Dim: 'x'.repeat(64) })?.asks).toHaveLength(1);
    expect(set({ Dim: 'x'.repeat(65) })?.asks).toEqual([]);
    expect(set({ Dim: 80 }, '/sys/a1Gw/gw_0012/thing/service/reboot')?.asks).toEqual([]);
    const answers = (['done', 'denied', 'failed'] as const).map((outcome) => set({ Dim: 1 })?.answer(outcome, 'why'));
    expect(answers.map((p) => p?.topic)).toEqual([`${topic}_reply`, `${topic}_reply`, `${topic}_reply`]);
    expect(answers.map((p) => p?.payload)).toEqual([
      '{"id":"9","code":200,"message":"success","data":{}}',
      '{"id":"9","code":403,"message":"why","data":{}}',
      '{"id":"9","code":500,"message":"why","data":{}}',
    ]);
    expect(codec.hears(`${topic}_reply`, new Uint8Array())).toBeUndefined();
  });

  it('signs in as the platform documents it', () => {
    // The platform's published example: HMAC-SHA1 there, over the same text.
    const published = { product: 'a14Xib5kdYd', device: 'light1983432', secret: 'oLyaKqVxtRvjH284LdhqVgVUx1UPy6zq' };
    const signed = `${alinkSigned('SN1928339', published.product, published.device)}timestamp1539421321846`;
    expect(createHmac('sha1', published.secret).update(signed).digest('hex')).toBe(
      'b2488041f64f425016b467ee1c94959ebd592ad1',
    );
    const given = { product: 'pk', device: 'dn', event: 'alarm', version: '1.0' };
    expect(alinkSignIn(given, 'secret', true)).toEqual({
      clientId: 'pk.dn|securemode=2,signmethod=hmacsha256|',
      user: 'dn&pk',
      password: createHmac('sha256', 'secret').update('clientIdpk.dndeviceNamednproductKeypk').digest('hex'),
    });
    expect(alinkSignIn(given, 'secret', false).clientId).toContain('securemode=3');
  });
});

describe('ThingsBoard', () => {
  it('tells every sample of any group once, in messages it takes (property)', () => {
    fc.assert(
      fc.property(
        fc.array(anySample, { maxLength: 450, size: 'max' }),
        fc.integer({ min: 1, max: 400 }),
        (given, long) => {
          const { codec } = codecOf('thingsboard', { things: {} });
          const texts = given.map((g) => sample(g.d, g.p, `${g.v}${'x'.repeat(long)}`, g.s));
          const told: Told[] = [];
          for (const packet of codec.packets(telemetry(new FakeLedger(), texts), NOW)) {
            expect(textOf(packet).length).toBeLessThan(64 * 1024);
            const body = JSON.parse(textOf(packet)) as Record<string, { ts: number; values: Record<string, string> }[]>;
            for (const [name, list] of Object.entries(body))
              for (const { ts, values } of list)
                for (const [point, v] of Object.entries(values))
                  told.push({ key: `${name}.${point}`, time: ts, text: v });
          }
          const wanted = texts.map((t) => ({
            key: `s1_${t.d}.${t.p}`,
            time: Date.parse(String(t.t)),
            text: String(t.v),
          }));
          const order = (list: Told[]): string[] => list.map((t) => JSON.stringify(t)).sort();
          expect(order(told)).toEqual(order(wanted));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('reads RPC `write`, and its own answers not at all', () => {
    const { codec } = codecOf('thingsboard');
    const rpc = (body: unknown) => commandIn(codec, 'v1/gateway/rpc', body);
    const call = (method: string, params: unknown) => rpc({ device: 'Tank 1', data: { id: 3, method, params } });
    const written = call('write', { water: 1.5 });
    expect(written).toMatchObject({ id: '3', asks: [{ do: 'write', device: 'tank_1', point: 'level', value: 1.5 }] });
    const done = written?.answer('done', '');
    expect(done).toEqual({ topic: 'v1/gateway/rpc', payload: '{"device":"Tank 1","id":3,"data":{"success":true}}' });
    expect(written?.answer('denied', 'not_granted').payload).toContain('"data":{"error":"not_granted"}');
    expect(call('reboot', { water: 1 })?.asks).toEqual([]);
    expect(call('write', { water: 1, spare: 2 })?.asks).toEqual([]);
    expect(rpc({ device: 'x'.repeat(1000), data: { id: 3, method: 'write' } })).toBeUndefined();
    const own = codec.hears('v1/gateway/rpc', new TextEncoder().encode(String(done?.payload)));
    expect(own?.kind === 'command' && own.read()).toBe('nothing');
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const heard = codec.hears('v1/gateway/rpc', bytes);
        expect(heard?.kind === 'command' && heard.read()).toBeUndefined();
      }),
    );
  });

  it('announces at a new connect what did not go offline', () => {
    const { codec } = codecOf('thingsboard');
    const ledger = new FakeLedger();
    codec.packets(ledger.add('device.offline', {}, { subject: 'tank_1' }), NOW);
    expect(codec.greeting().map(textOf)).not.toContain('{"device":"Tank 1","type":"tank"}');
    codec.packets(ledger.add('device.online', {}, { subject: 'tank_1' }), NOW);
    expect(codec.greeting().map(textOf)).toContain('{"device":"Tank 1","type":"tank"}');
  });
});

describe('a clock that was not set', () => {
  const unsynced = { wnclock: 'unsynced', wnboot: 'b1', wnmono: '5000' };
  const tellOf = (synced: boolean, learn: boolean): { text: string | undefined; untold: Record<string, number> } => {
    const { codec, untold } = codecOf('alink');
    const ledger = new FakeLedger();
    if (learn) codec.packets(ledger.add('clock.synced', { boot: 'b1', offset: NOON - 5000 }), NOW);
    const [packet] = codec.packets(telemetry(ledger, [sample('tank_1', 'level', 1, -86_400)], unsynced), {
      ...NOW,
      synced,
    });
    return { text: packet === undefined ? undefined : textOf(packet), untold };
  };

  it('is set right where the offset is known, left to the platform while it is not, and never guessed', () => {
    expect(tellOf(true, true).text).toContain(`"time":${NOON}`);
    expect(tellOf(false, false).text).toContain('{"value":1.0}');
    expect(tellOf(true, false)).toEqual({ text: undefined, untold: { untimed: 1 } });
  });

  it('never costs an alarm', () => {
    const { codec } = codecOf('alink');
    const [packet] = codec.packets(new FakeLedger().add('alarm.raised', ALARM, { time: at(0), ...unsynced }), NOW);
    expect(textOf(packet as Packet)).not.toContain('"time"');
    expect(textOf(packet as Packet)).toContain('"aid":"01KAQ"');
  });
});
