import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unhex } from '../../src/base/bytes.ts';
import { fromDigits } from '../../src/kit/bcd.ts';
import { framesIn } from '../../src/kit/frames.ts';
import { driverLine } from '../../test/kit/driver-line.ts';
import { valuesOf } from './codec.ts';
import { face } from './face.ts';
import { build188, grammar188, idBytes, idOf } from './frame.ts';
import { cjt188 } from './index.ts';
import { rig } from './rig.ts';
import { deviceSchema } from './schema.ts';
import { createCjt188Simulator, type SimulatedMeter, waterData } from './simulator.ts';

const bytes = (text: string): Uint8Array => unhex(text) ?? new Uint8Array(0);
const named = (values: readonly { name: string; value: unknown; unit?: string }[]) =>
  Object.fromEntries(values.map((v) => [v.name, v.unit === undefined ? v.value : [v.value, v.unit]]));

describe('values', () => {
  it('of a water meter: volumes, clock, valve and battery', () => {
    const data = waterData(1_234_567, [0x05, 0x84]);
    expect(named(valuesOf(0x10, '901F', data))).toEqual({
      volume_current: [12345.67, 'm3'],
      volume_settlement: [0, 'm3'],
      meter_time: '2026-11-24 08:00:00',
      status: '05 84',
      valve: 'closed',
      status_0: 5,
      status_1: 0x84,
    });
  });

  it.each<[string, string, unknown]>([
    ['ten litres a count', '2A', [123456.7 * 10, 'L']],
    ['litres', '29', [123456.7, 'L']],
    ['a unit that is none', '77', null],
    ['a unit of something else', '05', null],
  ])('%s', (_, unit, expected) => {
    const data = bytes(`70 56 34 12 ${unit} 99 99 99 99 2C 00 00 00 00 00 00 00 00 00`);
    const { volume_current: now, volume_settlement: settled } = named(valuesOf(0x10, '901F', data));
    expect(now).toEqual(expected);
    expect(settled).toEqual([null, 'm3']);
  });

  it('with the unit before the number, where a meter does that', () => {
    const data = bytes('2C 67 45 23 01 2C 00 00 00 00 00 00 00 00 00 00 00 00 00');
    expect(named(valuesOf(0x10, '901F', data, { unitFirst: true })).volume_current).toEqual([12345.67, 'm3']);
    expect(named(valuesOf(0x10, '901F', data)).volume_current).toBeNull();
  });

  it('of a heat meter of 2018, which is shorter', () => {
    const energy = '00 01 00 00 05';
    const data = bytes(
      `${energy} ${energy} 50 12 00 17 00 05 00 35 10 00 00 00 2C 34 45 12 30 34 12 00 00 00 00 08 24 11 26 20 00 00`,
    );
    expect(data.length).toBe(40);
    expect(named(valuesOf(0x20, '901F', data))).toMatchObject({
      energy_2_current_heat: [1, 'kW.h'],
      power: [12.5, 'kW'],
      flow: [0.5, 'm3/h'],
      volume: [0.1, 'm3'],
      supply_temp: [45.34, 'Cel'],
      return_temp: [30.12, 'Cel'],
      work_hours: [1234, 'h'],
      meter_time: '2026-11-24 08:00:00',
    });
  });

  it('of no layout that is known are none', () => {
    expect(valuesOf(0x10, '901F', new Uint8Array(18))).toEqual([]);
    expect(valuesOf(0x20, '901F', new Uint8Array(19))).toEqual([]);
    expect(valuesOf(0x10, '8102', new Uint8Array(19))).toEqual([]);
  });
});

describe('frames', () => {
  it('come back as they were built, in either order of the identifier (property)', () => {
    const frame = fc.record({
      type: fc.integer({ min: 0x10, max: 0x5f }),
      address: fc.bigInt({ min: 0n, max: 99_999_999_999_999n }).map((n) => String(n).padStart(14, '0')),
      control: fc.constantFrom(0x01, 0x81, 0xc1, 0x83),
      data: fc.uint8Array({ maxLength: 100 }),
    });
    fc.assert(
      fc.property(frame, fc.integer({ min: 0, max: 13 }), (a, preamble) => {
        const { found } = framesIn(Uint8Array.of(...build188(a, preamble), 0x9c, 0xfe), grammar188);
        expect(found.map((f) => f.frame)).toEqual([a]);
      }),
    );
    for (const order of ['low-first', 'high-first'] as const)
      expect(idOf(idBytes('901F', order, 3))).toEqual({ di: '901F', order });
  });
});

describe('the driver', () => {
  const ADDRESS = '78330007061326';
  const line = (meter: SimulatedMeter, more: object = {}, points: object = { total: { field: 'volume_current' } }) =>
    driverLine(
      cjt188,
      rig.channel,
      { address: ADDRESS, points, ...more },
      createCjt188Simulator(new Map([[ADDRESS, meter]])),
    );

  it.each(['low-first', 'high-first'] as const)('finds out that a meter hears %s, and remembers it', async (hears) => {
    const b = await line({ read: () => waterData(6800), hears, serial: 4 });
    let value: unknown;
    for (let i = 0; i < 8 && value === undefined; i++) value = await b.value('total');
    expect(value).toBe(68);
    expect(b.memory.get('di-order')).toBe(hears);
    expect(await b.value('total')).toBe(68);
    await b.close();
  });

  it('converts to the unit that is wanted', async () => {
    const b = await line(
      { read: () => waterData(12_345) },
      { di_order: 'low-first' },
      {
        litres: { field: 'volume_current', unit: 'L' },
        energy: { field: 'volume_current', unit: 'kW.h' },
      },
    );
    const { readings } = await b.poll(['litres', 'energy']);
    expect(readings).toEqual([
      { point: 'litres', value: 123_450 },
      { point: 'energy', value: null, why: 'range' },
    ]);
    await b.close();
  });

  it('a refused item is refused, a layout nobody knows is nonsense', async () => {
    const b = await line({ read: () => undefined }, { di_order: 'low-first' });
    expect((await b.poll(['total'])).faults[0]?.error.code).toBe('device.refused_item');
    await b.close();
    const c = await line({ read: () => fromDigits('00'.repeat(12)) }, { di_order: 'low-first' });
    expect((await c.poll(['total'])).faults[0]?.error.code).toBe('device.nonsense');
    await c.close();
  });

  it('has no way to write', () => {
    const device = { config: deviceSchema.parse(rig.section) };
    const context = { device, line: { channel: rig.channel }, memory: new Map() };
    expect(cjt188.create?.(context as never)?.write).toBeUndefined();
  });
});

describe('the section', () => {
  it.each<[string, object, string[]]>([
    ['a good one', { total: { field: 'volume_current' } }, []],
    ['an unknown field', { total: { field: 'volume' + '_x' } }, ['config.unknown_field']],
    ['a bit of a number', { total: { field: 'volume_current', bit: 2 } }, ['config.bit_needs_register']],
    ['limits the wrong way round', { total: { field: 'volume_current', min: 2, max: 1 } }, ['config.min_over_max']],
  ])('%s', (_, points, expected) => {
    expect(face.problems(deviceSchema.parse({ address: 1, points })).map((p) => p.code)).toEqual(expected);
  });

  it('knows only identifiers that are read', () => {
    expect(deviceSchema.safeParse({ address: 1, points: { a: { di: 'A017', field: 'valve' } } }).success).toBe(false);
  });
});
