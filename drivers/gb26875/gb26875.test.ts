import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unhex } from '../../src/base/bytes.ts';
import type { DeviceModel } from '../../src/base/model.ts';
import type { RawReading } from '../../src/kit/driver.ts';
import { framesIn } from '../../src/kit/frames.ts';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { unitOf } from './codec.ts';
import { decode26875 } from './decode.ts';
import { converse26875 } from './driver.ts';
import { face } from './face.ts';
import { ACK, grammar26875 } from './frame.ts';
import { deviceSchema } from './schema.ts';
import { createFireSimulator } from './simulator.ts';

const bytes = (text: string): Uint8Array => unhex(text) ?? new Uint8Array(0);

function desk(points: Record<string, unknown>, memory = new Map<string, string>()) {
  const config = deviceSchema.parse({ address: 3456, points });
  const heard: (readonly RawReading[])[] = [];
  const conversation = converse26875({
    devices: [{ id: 'panel', config } as unknown as DeviceModel],
    clock: new VirtualClock(),
    log: memoryLog(),
    memory: () => ({ get: (k) => memory.get(k), set: (k, v) => void memory.set(k, v ?? '') }),
    hear: (_, { readings }) => void heard.push(readings),
  });
  return { heard, memory, say: (b: Uint8Array) => conversation.receive(b), last: () => heard.at(-1) };
}

describe('a transmission device', () => {
  const panel = createFireSimulator(3456);

  it('is acknowledged with its own serial and exchanged addresses', () => {
    const d = desk({ fire: { state: 'fire' } });
    const [ack, ...more] = d.say(
      bytes('40 40 00 00 01 01 01 1E 16 08 0C 15 80 0D 00 00 00 00 00 00 00 00 00 00 04 00 02 19 01 01 00 0E 23 23'),
    );
    expect(more).toEqual([]);
    expect(decode26875({ protocol: 'gbt26875.3', response: ack ?? new Uint8Array(0) })).toMatchObject({
      outcome: 'ack',
      serial: 0,
      source: '0',
      target: '3456',
      app_len: 0,
    });
    expect(d.heard).toEqual([[]]);
  });

  it('makes fire, fault and feedback of components and systems', () => {
    const d = desk({
      any: { state: 'fire' },
      smoke: { state: 'fire', component: '1.0.12' },
      fault: { state: 'fault', system: '1.0' },
      own: { state: 'line_fault', transmitter: true },
      level: { analog: 'height', component: '11.0.3' },
    });
    d.say(panel.component([1, 0, 12], ['fire', 'feedback']));
    expect(d.last()).toEqual([
      { point: 'any', value: true },
      { point: 'smoke', value: true },
    ]);
    d.say(panel.system([1, 0], ['fault']));
    expect(d.last()).toEqual([
      { point: 'any', value: true },
      { point: 'fault', value: true },
    ]);
    d.say(panel.transmitter(0b10_0000));
    expect(d.last()).toEqual([{ point: 'own', value: true }]);
    d.say(panel.analog([11, 0, 3], 2, -152));
    expect(d.last()).toEqual([{ point: 'level', value: -1.52 }]);
    d.say(panel.component([1, 0, 12], ['normal']));
    expect(d.last()).toEqual([
      { point: 'any', value: false },
      { point: 'smoke', value: false },
    ]);
  });

  it('one fire over is not all fires over, also over a restart', () => {
    const first = desk({ fire: { state: 'fire' } });
    first.say(panel.component([1, 0, 12], ['fire']));
    first.say(panel.component([1, 0, 13], ['fire']));
    const second = desk({ fire: { state: 'fire' } }, first.memory);
    second.say(panel.component([1, 0, 12], ['normal']));
    expect(second.last()).toEqual([{ point: 'fire', value: true }]);
    second.say(panel.component([1, 0, 13], ['normal']));
    expect(second.last()).toEqual([{ point: 'fire', value: false }]);
  });

  it('may send in any pieces, with noise between (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 5 }),
        fc.uint8Array({ maxLength: 20 }),
        (sizes, noise) => {
          const d = desk({ fire: { state: 'fire' } });
          const clean = noise.filter((b) => b !== 0x40);
          const all = Uint8Array.of(
            ...panel.component([1, 0, 1], ['fire']),
            ...clean,
            ...panel.component([1, 0, 1], []),
          );
          let acks = 0;
          for (let at = 0, i = 0; at < all.length; i++) {
            const size = sizes[i % sizes.length] ?? 1;
            acks += d.say(all.slice(at, at + size)).length;
            at += size;
          }
          expect(acks).toBe(2);
          expect(d.heard.map((r) => r[0]?.value)).toEqual([true, false]);
        },
      ),
    );
  });

  it('may send what nobody knows: acknowledged, and no value made of it', () => {
    const d = desk({ fire: { state: 'fire' } });
    const odd = [
      new Uint8Array(0),
      Uint8Array.of(88, 1, 2, 3),
      Uint8Array.of(200, 3, 1),
      Uint8Array.of(2, 1, ...new Uint8Array(40)),
      Uint8Array.of(2, 9, ...new Uint8Array(46)),
    ];
    for (const data of odd) expect(d.say(panel.send(data))).toHaveLength(1);
    expect(d.heard).toEqual([[], [], [], [], []]);
  });

  it('of another address is acknowledged and heard by nobody', () => {
    const d = desk({ fire: { state: 'fire' } });
    expect(d.say(createFireSimulator(77).component([1, 0, 1], ['fire']))).toHaveLength(1);
    expect(d.heard).toEqual([]);
  });

  it('with a broken frame is neither acknowledged nor heard', () => {
    const d = desk({ fire: { state: 'fire' } });
    const good = panel.component([1, 0, 1], ['fire']);
    for (const at of [5, 30, good.length - 3, good.length - 1])
      expect(d.say(good.map((b, i) => (i === at ? b ^ 0x5a : b)))).toEqual([]);
    expect(d.heard).toEqual([]);
    expect(d.say(good)).toHaveLength(1);
  });

  it('that floods with the beginning of a frame is not kept in memory', () => {
    const d = desk({ fire: { state: 'fire' } });
    for (let i = 0; i < 100; i++) d.say(new Uint8Array(10_000).fill(0x40));
    expect(d.say(panel.component([1, 0, 1], ['fire']))).toHaveLength(1);
  });
});

describe('data units', () => {
  it('carry Chinese text', () => {
    const label = bytes('B6 AB C7 F8 33 BA C5 C2 A5');
    const [{ frame } = { frame: undefined }] = framesIn(
      createFireSimulator(1).component([1, 0, 5], ['fire'], label),
      grammar26875,
    ).found;
    expect(unitOf(frame?.data ?? new Uint8Array(0))?.objects).toMatchObject([
      { component_address: 5, states: ['fire'], text: '东区3号楼', time: '2026-11-24 08:00:00' },
    ]);
  });

  it('of several objects tell of each', () => {
    const one = [1, 0, 0x02, 0x00, 0, 0, 8, 24, 11, 26];
    const unit = unitOf(Uint8Array.of(1, 2, ...one, ...one));
    expect(unit?.told).toHaveLength(2);
    expect(unit?.objects).toHaveLength(2);
  });

  it('are acknowledged by frames that are no sends themselves', () => {
    expect(ACK).toBe(3);
    const d = desk({ fire: { state: 'fire' } });
    expect(
      d.say(bytes('40 40 00 00 01 01 00 1E 16 08 0C 15 00 00 00 00 00 00 80 0D 00 00 00 00 00 00 03 EF 23 23')),
    ).toEqual([]);
  });
});

describe('the section', () => {
  it.each<[string, object, string[]]>([
    ['good ones', { a: { state: 'fire' }, b: { analog: 'height', component: '1.0.2' } }, []],
    ['neither state nor analog', { a: {} }, ['config.state_or_analog']],
    ['two places', { a: { state: 'fire', component: '1.0.2', system: '1.0' } }, ['config.one_place']],
    ['an analog without a component', { a: { analog: 'height' } }, ['config.one_place']],
  ])('%s', (_, points, expected) => {
    expect(face.problems(deviceSchema.parse({ address: 1, points })).map((p) => p.code)).toEqual(expected);
  });

  it('knows what a place is', () => {
    expect(deviceSchema.safeParse({ address: 1, points: { a: { state: 'fire', component: '1.2' } } }).success).toBe(
      false,
    );
  });
});
