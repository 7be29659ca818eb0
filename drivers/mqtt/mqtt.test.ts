import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytes, type IntakeBench, intakeBench, intakeDevice } from '../../test/kit/intake.ts';
import { face } from './face.ts';
import { mqtt } from './index.ts';
import { deviceSchema } from './schema.ts';
import { chirpstack, zigbee, zigbeeThere } from './simulator.ts';
import { covers, filled, isFilter, isTopic } from './topics.ts';

interface Case {
  readonly id: string;
  readonly profile: string;
  readonly address: string;
  readonly with?: object;
  readonly topic: string;
  readonly json?: unknown;
  readonly text?: string;
  readonly expected: Record<string, unknown>;
  readonly ts?: string;
}

const cases = readFileSync(join(import.meta.dirname, 'cases/messages.ndjson'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

const say = (topic: string, body: unknown, more: object = {}) => ({
  topic,
  payload: body instanceof Uint8Array ? body : bytes(body),
  retained: false,
  again: false,
  ...more,
});

const th = (more: Record<string, unknown> = {}, common = {}) =>
  intakeDevice(mqtt, 'th', { profile: 'z2m_climate', address: 'th', ...more }, common);

describe('messages of real systems', () => {
  it.each(cases.map((c) => [c.id, c] as const))(
    '%s',
    async (_, { profile, address, topic, json, text, expected, ts, ...rest }) => {
      const section = { profile, address, ...(rest.with === undefined ? {} : { with: rest.with }) };
      const device = await intakeDevice(mqtt, 'd', section);
      const bench = intakeBench(mqtt, [device]);
      expect(bench.intake.topics?.('d').some((filter) => covers(filter.split('/'), topic.split('/')))).toBe(true);
      bench.intake.message?.(say(topic, json ?? text));
      if (ts !== undefined)
        for (const { result } of bench.heard)
          for (const reading of result.readings) expect(new Date(reading.ts ?? 0).toISOString()).toBe(ts);
      expect(bench.said()).toEqual(expected);
      expect(bench.intake.dropped()).toEqual({});
      expect(bench.heard).toHaveLength(1);
    },
  );
});

describe('what is no news', () => {
  it('is taken from a broker as a state, not as a happening, and not when it is too old', async () => {
    const smoke = await intakeDevice(
      mqtt,
      's',
      {
        topic: 's',
        time: { at: 't', as: 's' },
        points: { alarm: { value: 'smoke', as: 'bool' }, level: { value: 'level' } },
      },
      { events: ['alarm'] },
    );
    const bench = intakeBench(mqtt, [smoke]);
    const now = bench.clock.now().wall / 1000;
    const kept = { retained: true };
    bench.intake.message?.(say('s', { smoke: true, level: 4 }, kept));
    expect(bench.said()).toEqual({ level: '4 uncertain stale' });
    bench.intake.message?.(say('s', { smoke: true, level: 4, t: now - 30 }, kept));
    expect(bench.said()).toEqual({ level: 4 });
    bench.intake.message?.(say('s', { smoke: true, level: 4, t: now - 400 }, kept));
    expect(bench.said()).toEqual({});
    expect(bench.intake.dropped()).toEqual({ old: 1 });
    expect(bench.intake.last('s')?.made).toEqual([
      { point: 'alarm', why: 'event' },
      { point: 'level', why: 'old' },
    ]);
    bench.intake.message?.(say('s', { smoke: true, level: 4 }));
    expect(bench.said()).toEqual({ alarm: true, level: 4 });
  });

  it('is dropped: the same id, or the same bytes delivered again', async () => {
    const device = await intakeDevice(mqtt, 'l', { profile: 'chirpstack_climate', address: 'eui' });
    const bench = intakeBench(mqtt, [device, await th()]);
    const up = chirpstack({ devEui: 'eui', counter: 7, at: bench.clock.now().wall, object: { temperature: 20 } });
    bench.intake.message?.(say(up.topic, up.payload));
    bench.intake.message?.(say(up.topic, up.payload));
    const { topic, payload } = zigbee('th', { temperature: 1 });
    bench.intake.message?.(say(topic, payload));
    bench.intake.message?.(say(topic, payload, { again: true }));
    // As far as anybody can know, the first delivery of this one got lost.
    bench.intake.message?.(say(topic, zigbee('th', { temperature: 2 }).payload, { again: true }));
    bench.intake.message?.(say(topic, payload));
    expect(bench.heard).toHaveLength(4);
    expect(bench.intake.dropped()).toEqual({ duplicate: 1, repeated: 1 });
  });

  it('that has the topics of several points is for each of them, once, also after a restart', async () => {
    const device = await intakeDevice(mqtt, 'd', {
      topic: 'd/+',
      id: ['n'],
      points: { wide: { value: 'v' }, narrow: { value: 'w', topic: 'd/state' } },
    });
    const bench = intakeBench(mqtt, [device]);
    const say = ({ intake }: IntakeBench, n: number): void =>
      intake.message?.({ topic: 'd/state', payload: bytes({ n, v: n, w: 10 + n }), retained: false, again: false });
    say(bench, 1);
    expect(bench.said()).toEqual({ wide: 1, narrow: 11 });
    const after = intakeBench(mqtt, [device], {}, bench.rows);
    say(after, 1);
    expect(after.said()).toEqual({});
    say(after, 2);
    expect(after.said()).toEqual({ wide: 2, narrow: 12 });
    expect(after.intake.dropped()).toEqual({ duplicate: 2 });
  });
});

describe('a time in the message', () => {
  it.each<[string, unknown, object, number | undefined, string | undefined]>([
    ['seconds', { t: 1_795_572_000 }, { at: 't', as: 's' }, 1_795_572_000_000, undefined],
    ['milliseconds as text', { t: '1795572000000' }, { at: 't', as: 'ms' }, 1_795_572_000_000, undefined],
    ['with a zone', { t: '2026-11-25T09:00:00+08:00' }, { at: 't', as: 'iso' }, Date.UTC(2026, 10, 25, 1), undefined],
    ['before anybody lived', { t: 86_400 }, { at: 't', as: 's' }, undefined, 'clock'],
    ['tomorrow', { t: 1_795_672_000 }, { at: 't', as: 's' }, undefined, 'clock'],
    ['no time at all', { t: 'soon' }, { at: 't', as: 'iso' }, undefined, 'clock'],
    ['huge', { t: 1e300 }, { at: 't', as: 's' }, undefined, 'clock'],
    ['an object', { t: { $date: 1 } }, { at: 't', as: 'ms' }, undefined, 'clock'],
    ['left out', {}, { at: 't', as: 'ms' }, undefined, undefined],
  ])('%s', async (_, body, time, ts, why) => {
    const bench = intakeBench(mqtt, [await th({ time })]);
    bench.intake.message?.(say('zigbee2mqtt/th', { temperature: 20, ...(body as object) }));
    const [reading] = bench.heard[0]?.result.readings ?? [];
    expect([reading?.value, reading?.ts, reading?.why]).toEqual([20, ts, why]);
  });
});

describe('presence', () => {
  it.each([
    ['zigbee2mqtt', zigbeeThere('th', true).payload, zigbeeThere('th', false).payload],
    ['words', 'online', 'offline'],
    ['Tasmota', 'Online', 'Offline'],
    ['numbers', '1', '0'],
  ])('%s', async (_, here, gone) => {
    const bench = intakeBench(mqtt, [await th()]);
    bench.intake.message?.(say('zigbee2mqtt/th/availability', here, { retained: true }));
    expect(bench.heard).toEqual([{ device: 'th', result: { readings: [], faults: [] } }]);
    expect(bench.lost).toEqual([]);
    bench.intake.message?.(say('zigbee2mqtt/th/availability', gone));
    expect(bench.lost).toEqual(['th']);
    bench.intake.message?.(say('zigbee2mqtt/th/availability', 'perhaps'));
    expect(bench.intake.dropped()).toEqual({ odd_presence: 1 });
    expect(bench.intake.last('th')).toMatchObject({ refused: 'odd_presence', text: 'perhaps' });
  });
});

describe('several devices in one topic', () => {
  it('are told apart by what the message says', async () => {
    const sensor = (id: string, channel: number) =>
      intakeDevice(mqtt, id, {
        topic: 'rtl_433/+/events',
        match: [
          { at: 'model', is: 'Acurite' },
          { at: 'channel', is: channel },
        ],
        doubt: [
          { at: 'battery_ok', is: 0 },
          { at: 'snr', below: 5 },
        ],
        points: { t: { value: 'temperature_F', scale: 0.555556, offset: -17.7778, unit: 'Cel' } },
      });
    const bench = intakeBench(mqtt, [await sensor('one', 1), await sensor('two', 2)]);
    const event = (channel: number, more: object) =>
      say('rtl_433/box/events', { model: 'Acurite', channel, temperature_F: 50, ...more });
    bench.intake.message?.(event(1, { battery_ok: 1, snr: 20 }));
    bench.intake.message?.(event(2, { battery_ok: 0, snr: 20 }));
    bench.intake.message?.(event(3, {}));
    expect(bench.heard.map((h) => [h.device, h.result.readings[0]?.value, h.result.readings[0]?.why])).toEqual([
      ['one', 10, undefined],
      ['two', 10, 'device'],
    ]);
    expect(bench.intake.dropped()).toEqual({});
  });
});

describe('writing', () => {
  const plug = () => intakeDevice(mqtt, 'plug', { profile: 'z2m_plug', address: 'plug' });

  it('is one message, and done when the device says so', async () => {
    const bench = intakeBench(mqtt, [await plug()]);
    const written = bench.intake.write?.('plug', 'on', true, new AbortController().signal);
    bench.intake.message?.(say('zigbee2mqtt/plug', { state: 'OFF' }));
    bench.intake.message?.(say('zigbee2mqtt/plug', { state: 'ON' }, { retained: true }));
    let isOver = false;
    void written?.then(() => {
      isOver = true;
    });
    await bench.clock.advance(100);
    expect(isOver).toBe(false);
    bench.intake.message?.(say('zigbee2mqtt/plug', { state: 'ON' }));
    expect(await written).toEqual({ done: true, readBack: true });
    expect(bench.published).toEqual([{ topic: 'zigbee2mqtt/plug/set', payload: '{"state": "ON"}' }]);
  });

  it('is not done when it does not, whatever it read back', async () => {
    const bench = intakeBench(mqtt, [await plug()]);
    const patience = new AbortController();
    const written = bench.intake.write?.('plug', 'on', true, patience.signal);
    bench.intake.message?.(say('zigbee2mqtt/plug', { state: 'OFF' }));
    patience.abort();
    expect(await written).toEqual({ done: false, readBack: false });
    await expect(bench.intake.write?.('plug', 'power', 1, patience.signal)).rejects.toMatchObject({
      code: 'device.not_writable',
    });
  });

  it('puts a text into JSON as a text', async () => {
    const device = await intakeDevice(mqtt, 'd', {
      topic: 'd',
      points: {
        line: {
          value: 'line',
          as: 'text',
          write: { topic: 'd/set', template: '{"line": "{value}"}', read_back: false },
        },
        level: {
          value: 'level',
          scale: 0.1,
          write: { topic: 'd/set', template: '{"level": {value}}', read_back: false },
        },
      },
    });
    const bench = intakeBench(mqtt, [device]);
    const { signal } = new AbortController();
    await bench.intake.write?.('d', 'line', 'a "b" $& \\ \n', signal);
    await bench.intake.write?.('d', 'level', 4.2, signal);
    expect(bench.published.map((p) => JSON.parse(p.payload) as unknown)).toEqual([
      { line: 'a "b" $& \\ \n' },
      { level: 42 },
    ]);
  });
});

describe('too much', () => {
  it('of one device is thinned out: the newest is never lost, and the others are not kept waiting', async () => {
    const other = await intakeDevice(mqtt, 'other', { topic: 'other', points: { v: {} } });
    const bench = intakeBench(mqtt, [await th(), other]);
    for (let n = 1; n <= 1000; n++) bench.intake.message?.(say('zigbee2mqtt/th', { temperature: n / 100 }));
    bench.intake.message?.(say('other', '1'));
    const early = bench.heard.filter((h) => h.device === 'th').length;
    expect(early).toBe(100);
    expect(bench.heard.at(-1)?.device).toBe('other');
    await bench.clock.advance(1000);
    expect(bench.heard.at(-1)?.result.readings[0]).toMatchObject({ point: 'temperature', value: 10 });
    expect(bench.intake.dropped()).toEqual({ flood: 899 });
    expect(early + 1 + 899).toBe(1000);
  });

  it('of everybody is too: each topic has its newest', async () => {
    const devices = await Promise.all(
      Array.from({ length: 100 }, (_, i) => intakeDevice(mqtt, `d${i}`, { topic: `d/${i}`, points: { v: {} } })),
    );
    const bench = intakeBench(mqtt, devices);
    for (let n = 0; n < 50; n++) for (let i = 0; i < 100; i++) bench.intake.message?.(say(`d/${i}`, String(n)));
    expect(bench.heard).toHaveLength(2000);
    await bench.clock.advance(2000);
    const last = new Map(bench.heard.map((h) => [h.device, h.result.readings[0]?.value]));
    expect([...last.values()]).toEqual(Array.from({ length: 100 }, () => 49));
    const flood = bench.intake.dropped().flood ?? 0;
    expect(bench.heard.length + flood).toBe(5000);
  });

  it('in one message is refused, and the device gets nothing of it', async () => {
    const bench = intakeBench(mqtt, [await th()]);
    const send = (body: unknown) => bench.intake.message?.(say('zigbee2mqtt/th', body));
    send(`{"temperature": 1, "x": "${'x'.repeat(1024 * 1024)}"}`);
    send(`${'['.repeat(33)}1${']'.repeat(33)}`);
    send('{"temperature": 1');
    send(Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d));
    expect(bench.heard).toEqual([]);
    expect(bench.intake.dropped()).toEqual({ too_big: 1, too_deep: 1, not_json: 1, not_utf8: 1 });
    expect(bench.intake.last('th')?.text.length).toBeLessThanOrEqual(1024);
    send('{"temperature": 1e999, "humidity": {"__proto__": 1}, "__proto__": {"battery": 5}}');
    expect(bench.said()).toEqual({ temperature: 'bad range', humidity: 'bad frame' });
    expect(({} as Record<string, unknown>).battery).toBeUndefined();
  });
});

describe('topics', () => {
  it.each([
    ['a/b', 'a/b', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a/b/c', false],
    ['a/#', 'a/b/c', true],
    ['a/#', 'a', true],
    ['+', '$SYS', false],
    ['#', '$SYS/broker', false],
    ['$SYS/#', '$SYS/broker', true],
  ])('%s and %s', (filter, topic, expected) => {
    expect(covers(filter.split('/'), topic.split('/'))).toBe(expected);
  });

  it('are checked', () => {
    expect(['a/#', '+', '+/b/+', 'a//b'].every(isFilter)).toBe(true);
    expect(['', 'a#', '#/a', 'a/b+', 'a\u0000', 'x'.repeat(257)].some(isFilter)).toBe(false);
    expect(['a/+', '#', 'a/b#'].some(isTopic)).toBe(false);
    expect(filled('a/{b}/{c}', { b: '1', c: '{b}' })).toEqual({ topic: 'a/1/{b}' });
    expect(filled('a/{toString}', {})).toEqual({ missing: 'toString' });
  });

  it.each<[string, object, string[]]>([
    ['a good one', { topic: 'a', points: { a: {} } }, []],
    ['a placeholder nobody filled', { topic: 'a/{address}', points: { a: {} } }, ['config.no_placeholder']],
    [
      'a wildcard out of a placeholder',
      { topic: 'a/{address}', address: 'b#', points: { a: {} } },
      ['config.bad_topic'],
    ],
    ['no topic', { points: { a: {} } }, ['config.no_topic']],
    ['a write to all', { topic: 'a', points: { a: { write: { topic: 'a/+' } } } }, ['config.bad_topic']],
    ['words of both kinds', { topic: 'a', points: { a: { words: { x: true, y: 2 } } } }, ['config.words_mixed']],
    ['a scaled text', { topic: 'a', points: { a: { as: 'text', scale: 2 } } }, ['config.words_of_text']],
    ['a scaled bool', { topic: 'a', points: { a: { as: 'bool', scale: 2 } } }, ['config.scale_of_bool']],
  ])('%s', (_, section, expected) => {
    expect(face.problems(deviceSchema.parse(section)).map((p) => p.code)).toEqual(expected);
  });
});

/** The numbers of inputs of test/contract/fuzz.test.ts. */
const INPUTS = Number(process.env.FUZZ ?? (process.env.WEINAO_NIGHT === '1' ? 5_000_000 : 100_000));

describe('whatever the bytes', () => {
  it(`takes ${INPUTS} mutated messages`, { timeout: 60_000 + INPUTS }, async () => {
    const devices = await Promise.all(
      cases.map((c, i) =>
        intakeDevice(mqtt, `d${i}`, {
          profile: c.profile,
          address: c.address,
          ...(c.with === undefined ? {} : { with: c.with }),
        }),
      ),
    );
    const bench = intakeBench(mqtt, devices, {
      hear: (_, { readings }) => {
        for (const { value, why } of readings) {
          const isTold = typeof value === 'boolean' || typeof value === 'string' || Number.isFinite(value);
          if (!isTold && (value !== null || why === undefined)) throw new Error(`${String(value)} was told`);
        }
        return true;
      },
    });
    let state = 7;
    const random = (below: number): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % below;
    };
    const odd = [
      '__proto__',
      '\\ud800',
      '1e999',
      '-0',
      'NaN',
      '[[[[[[',
      '\u0000',
      '\uffff',
      '"',
      '{',
      '9'.repeat(400),
    ].map((w) => bytes(w));
    const seeds = cases.map((c) => ({ topic: c.topic, payload: bytes(c.json ?? c.text) }));
    let slowest = 0;
    for (let n = 0; n < INPUTS; n++) {
      const { topic, payload } = seeds[random(seeds.length)] ?? { topic: '', payload: bytes('') };
      const out = [...payload];
      for (let i = random(4); i >= 0; i--) {
        const at = random(out.length + 1);
        const kind = random(5);
        if (kind === 0) out.splice(at, random(20));
        else if (kind === 1) out.splice(at, 0, ...(odd[random(odd.length)] ?? []));
        else if (kind === 2) out.push(...(seeds[random(seeds.length)]?.payload ?? []));
        else out[Math.min(at, Math.max(0, out.length - 1))] = random(256);
      }
      // In time that nothing is too fast.
      if (n % 100 === 0) await bench.clock.advance(1000);
      const from = performance.now();
      bench.intake.message?.(say(topic, Uint8Array.from(out.slice(0, 4000)), { retained: random(4) === 0 }));
      slowest = Math.max(slowest, performance.now() - from);
    }
    expect(slowest).toBeLessThan(1000);
  });
});
