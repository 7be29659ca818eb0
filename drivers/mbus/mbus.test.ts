import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unhex } from '../../src/base/bytes.ts';
import { framesIn } from '../../src/kit/frames.ts';
import { driverLine } from '../../test/kit/driver-line.ts';
import { telegramOf } from './codec.ts';
import { decodeMbus } from './decode.ts';
import { face } from './face.ts';
import { grammarMbus, longFrame, select, short } from './frame.ts';
import { mbus } from './index.ts';
import { rig } from './rig.ts';
import { deviceSchema } from './schema.ts';
import { createMbusSimulator, energyRecord, type SimulatedMeter } from './simulator.ts';

const bytes = (text: string): Uint8Array => unhex(text) ?? new Uint8Array(0);
const HEADER = '45 58 57 03 B4 05 34 04 9E 00 00 00';
const records = (text: string) => telegramOf(bytes(`${HEADER} ${text}`))?.records;

describe('records', () => {
  it.each<[string, string, object]>([
    ['one byte', '01 06 FF', { name: 'energy', value: -1000, unit: 'W.h' }],
    ['two bytes', '02 2B 10 27', { name: 'power', value: 10_000, unit: 'W' }],
    ['three bytes', '03 13 01 00 80', { name: 'volume', value: -8388.607, unit: 'm3' }],
    ['six bytes', '06 03 FF FF FF FF FF 7F', { name: 'energy', value: 140737488355327, unit: 'W.h' }],
    ['eight bytes that a number cannot hold', '07 03 FF FF FF FF FF FF FF 7F', { name: 'energy', value: null }],
    ['a float', '05 5B 00 00 28 42', { name: 'flow_temp', value: 42, unit: 'Cel' }],
    ['a float that is none', '05 5B 00 00 C0 7F', { name: 'flow_temp', value: null }],
    ['BCD', '0C 13 67 45 23 01', { name: 'volume', value: 1234.567, unit: 'm3' }],
    ['BCD below zero', '0A 5A 25 F1', { name: 'flow_temp', value: -12.5 }],
    ['BCD that is none', '0A 5A 2A 01', { name: 'flow_temp', value: null }],
    ['joules', '04 0B 01 00 00 00', { name: 'energy', value: 1000, unit: 'J' }],
    ['joules, 10^7', '04 0F 01 00 00 00', { name: 'energy', value: 10_000_000, unit: 'J' }],
    ['storage, tariff and subunit', '84 51 13 01 00 00 00', { name: 'volume', storage: 2, tariff: 1, device: 1 }],
    ['during an error', '32 5A E7 03', { name: 'flow_temp', value: 99.9, function: 'error-state' }],
    ['a maximum', '12 2B 01 00', { name: 'power', function: 'max' }],
    ['text', '0D FD 0B 03 43 42 41', { name: 'vif FD 0B', value: 'ABC' }],
    ['a unit in plain text', '02 7C 03 48 52 25 10 00', { name: '%RH', value: 'raw 10 00' }],
    ['nothing', '00 13', { name: 'volume', value: null }],
  ])('%s', (_, text, expected) => {
    expect(records(text)).toMatchObject([expected]);
  });

  it('fillers are skipped, maker data and a second telegram are told', () => {
    expect(telegramOf(bytes(`${HEADER} 2F 2F 01 06 01 1F 01 02`))).toMatchObject({
      records: [{ value: 1000 }],
      more: true,
      maker: Uint8Array.of(1, 2),
    });
  });

  it('a telegram whose record runs over the end has no values at all', () => {
    for (const cut of ['04', '04 06', '04 06 01 02 03', '84', '04 FD', '0D 13', '0D 13 05 01', '04 06 01 00 00 00 84'])
      expect(records(cut)).toBeUndefined();
    expect(decodeMbus({ protocol: 'mbus', response: longFrame(8, 1, 0x72, bytes(`${HEADER} 04 06 01`)) }).outcome).toBe(
      'reject',
    );
  });

  it('are exact for every integer and every power of ten (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 7 }), (raw, n) => {
        const data = Uint8Array.of(...bytes(HEADER), 0x04, 0x10 + n, ...new Uint8Array(new Int32Array([raw]).buffer));
        expect(telegramOf(data)?.records[0]?.value).toBe(Number(`${raw}e${n - 6}`));
      }),
    );
  });
});

describe('frames', () => {
  it('come back as they were built, in noise (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 250 }), fc.uint8Array({ maxLength: 240 }), (address, data) => {
        const all = Uint8Array.of(0xff, ...short(0x5b, address), 0x00, ...longFrame(8, address, 0x72, data), 0xff);
        expect(framesIn(all, grammarMbus).found.map((f) => [f.frame.kind, f.frame.address])).toEqual([
          ['short', address],
          ['long', address],
        ]);
      }),
    );
  });
});

const meter = (over: Partial<SimulatedMeter> = {}): SimulatedMeter => ({
  address: 5,
  number: '03575845',
  telegrams: () => [Uint8Array.of(...energyRecord(1234), ...bytes('32 5A E7 03 42 5D 10 27'))],
  ...over,
});
const POINTS = {
  energy: { field: 'energy' },
  flow: { field: 'flow_temp' },
  last: { field: 'return_temp', storage: 1 },
  third: { record: 2, unit: 'Cel' },
  none: { field: 'volume' },
};

describe('the driver', () => {
  const line = (meters: readonly SimulatedMeter[], where: object, points: object = POINTS) =>
    driverLine(mbus, rig.channel, { ...where, points }, createMbusSimulator(meters));

  it.each<[string, object]>([
    ['by primary address', { address: 5 }],
    ['by number', { number: '3575845' }],
  ])('reads a meter %s', async (_, where) => {
    const b = await line([meter({ address: 4, number: '11111111' }), meter()], where);
    const { readings, faults } = await b.poll(Object.keys(POINTS));
    expect(faults).toEqual([]);
    expect(readings).toEqual([
      { point: 'energy', value: 1234 },
      { point: 'flow', value: null, why: 'device' },
      { point: 'last', value: 100 },
      { point: 'third', value: 100 },
      { point: 'none', value: null, why: 'nan' },
    ]);
    await b.close();
  });

  it('reads on in a second telegram', async () => {
    const telegrams = () => [Uint8Array.of(0x1f), energyRecord(77)];
    const b = await line([meter({ telegrams })], { address: 5 });
    expect(await b.value('energy')).toBe(77);
    expect(await b.value('energy')).toBe(77);
    await b.close();
  });

  it('a meter whose telegrams never end is nonsense', async () => {
    const telegrams = () => Array.from({ length: 40 }, () => Uint8Array.of(0x1f));
    const b = await line([meter({ telegrams })], { address: 5 });
    expect((await b.poll(['energy'])).faults[0]?.error.code).toBe('device.nonsense');
    await b.close();
  });

  it('an application error is a refusal', async () => {
    const b = await line([meter({ error: () => 8 })], { address: 5 });
    expect((await b.poll(['energy'])).faults[0]?.error.code).toBe('device.refused_item');
    await b.close();
  });

  it('a number nobody has is not there', async () => {
    const b = await line([meter()], { number: '99999999' });
    expect((await b.poll(['energy'])).faults[0]?.error.code).toBe('link.timeout');
    await b.close();
  });

  it('asks for data, and for nothing else', () => {
    expect(select('03575845').slice(4, 7)).toEqual(Uint8Array.of(0x53, 0xfd, 0x52));
    const device = { config: deviceSchema.parse(rig.section) };
    expect(mbus.create?.({ device, line: { channel: rig.channel } } as never)?.write).toBeUndefined();
  });
});

describe('the section', () => {
  it.each<[string, object, string[]]>([
    ['a good one', { address: 1, points: { a: { field: 'energy' } } }, []],
    ['no address', { points: { a: { field: 'energy' } } }, ['config.one_address']],
    ['two addresses', { address: 1, number: 5, points: { a: { field: 'energy' } } }, ['config.one_address']],
    ['neither field nor record', { address: 1, points: { a: {} } }, ['config.field_or_record']],
    [
      'limits the wrong way round',
      { address: 1, points: { a: { record: 0, min: 2, max: 1 } } },
      ['config.min_over_max'],
    ],
  ])('%s', (_, section, expected) => {
    expect(face.problems(deviceSchema.parse(section)).map((p) => p.code)).toEqual(expected);
  });
});
