import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unhex } from '../../src/base/bytes.ts';
import { framesIn } from '../../src/kit/frames.ts';
import { driverLine } from '../../test/kit/driver-line.ts';
import { valuesOf } from './codec.ts';
import { face } from './face.ts';
import { build645, framer645, grammar645 } from './frame.ts';
import { dlt645 } from './index.ts';
import { diBytes, itemOf, type Version } from './items.ts';
import { rig } from './rig.ts';
import { deviceSchema } from './schema.ts';
import { bcdOf, createDlt645Simulator, type SimulatedMeter } from './simulator.ts';

const bytes = (text: string): Uint8Array => unhex(text) ?? new Uint8Array(0);
const read = (version: Version, di: string, data: string) =>
  valuesOf(itemOf(version, di) ?? { fields: [] }, bytes(data)).map((v) => [v.name, v.value]);

describe('values', () => {
  it.each<[Version, string, string, (string | number | null)[][]]>([
    ['2007', '00000000', '56 34 12 80', [['combined_active_total', -1234.56]]],
    ['2007', '00010000', '99 99 99 99', [['active_import_total', 999999.99]]],
    ['2007', '00010000', '26 00 00', [['active_import_total', null]]],
    ['2007', '00010000', '0A 00 00 00', [['active_import_total', null]]],
    ['2007', '00010101', '26 00 00 00', [['active_import_tariff_1_settlement_1', 0.26]]],
    [
      '2007',
      '0001FF00',
      '01 00 00 00 02 00 00 00 03',
      [
        ['active_import_total', 0.01],
        ['active_import_tariff_1', 0.02],
      ],
    ],
    [
      '2007',
      '01010000',
      '34 12 00 15 08 21 11 26',
      [
        ['max_demand_import_total', 0.1234],
        ['max_demand_import_total_time', '2026-11-21 08:15'],
      ],
    ],
    ['2007', '02010100', 'FF FF', [['voltage_a', null]]],
    ['2007', '02010100', '31 22 00', [['voltage_a', null]]],
    ['2007', '02020100', '99 49 80', [['current_a', -4.999]]],
    [
      '2007',
      '0203FF00',
      '01 00 00 02 00 00 03 00 00 04 00 00',
      [
        ['active_power_total', 0.0001],
        ['active_power_a', 0.0002],
        ['active_power_b', 0.0003],
        ['active_power_c', 0.0004],
      ],
    ],
    ['2007', '02800007', '53 82', [['temperature', -25.3]]],
    [
      '2007',
      '04000101',
      '07 02 00 00',
      [
        ['date', null],
        ['weekday', null],
      ],
    ],
    ['2007', '04000102', '00 60 12', [['time', null]]],
    ['2007', '04000401', '94 41 03 26 12 18', [['address', '181226034194']]],
    ['2007', '04000503', '10 00', [['status_word_3', 16]]],
    ['2007', '04000503', 'FF FF', [['status_word_3', 65535]]],
    ['1997', '9410', '26 00 00 00', [['active_import_total_settlement_1', 0.26]]],
    [
      '1997',
      'B61F',
      '20 02 21 02 22 02',
      [
        ['voltage_a', 220],
        ['voltage_b', 221],
        ['voltage_c', 222],
      ],
    ],
    ['1997', 'B621', '50 01', [['current_a', 1.5]]],
  ])('%s %s %s', (version, di, data, expected) => {
    expect(read(version, di, data)).toEqual(expected);
  });

  it('are exact to the last digit a meter can show (property)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99_999_999 }), (raw) => {
        const [[, value] = []] = read(
          '2007',
          '00010000',
          [...bcdOf(raw, 4)].map((b) => b.toString(16).padStart(2, '0')).join(' '),
        );
        expect(Number(value).toFixed(2)).toBe(`${Math.floor(raw / 100)}.${String(raw % 100).padStart(2, '0')}`);
      }),
    );
  });

  it('knows nothing of identifiers that are none', () => {
    for (const di of ['00440000', '0001000D', '02010000', '02080100', '04000508', 'FFFFFFFF'])
      expect(itemOf('2007', di)).toBeUndefined();
    for (const di of ['9C10', 'B641', '1234', 'B610']) expect(itemOf('1997', di)).toBeUndefined();
  });
});

describe('frames', () => {
  const frame = fc.record({
    address: fc.integer({ min: 0, max: 999_999_999_999 }).map((n) => String(n).padStart(12, '0')),
    control: fc.constantFrom(0x11, 0x91, 0xd1, 0xb1, 0x92),
    data: fc.uint8Array({ maxLength: 200 }),
  });

  it('come back as they were built, whatever stands around them (property)', () => {
    fc.assert(
      fc.property(frame, frame, fc.integer({ min: 0, max: 13 }), (a, b, preamble) => {
        const { found } = framesIn(
          Uint8Array.of(0xfd, ...build645(a, preamble), 0xfe, ...build645(b, 0), 0xfe),
          grammar645,
        );
        expect(found.map((f) => f.frame)).toEqual([a, b]);
      }),
    );
  });

  it('a false beginning is waited for, and given up when the line falls silent', () => {
    const request = { address: '000000000161', control: 0x11, data: diBytes('00010000') };
    const framer = framer645(request, request.data);
    const reply = build645({ ...request, control: 0x91, data: Uint8Array.of(...request.data, 1, 2, 3, 4) }, 0);
    const noisy = Uint8Array.of(0x68, 0x00, ...reply);
    expect(framer(noisy.subarray(0, 9), false)).toEqual({ kind: 'need' });
    expect(framer(noisy, true)).toEqual({ kind: 'frame', start: 2, end: noisy.length });
  });

  it('whose checksum fails are never taken', () => {
    const request = { address: '000000000161', control: 0x11, data: diBytes('00010000') };
    const reply = build645({ ...request, control: 0x91, data: Uint8Array.of(...request.data, 1, 2, 3, 4) }, 0);
    reply[reply.length - 2] = ((reply.at(-2) ?? 0) + 1) & 0xff;
    expect(framer645(request, request.data)(reply, false)).toEqual({ kind: 'need' });
    expect(framer645(request, request.data)(reply, true).kind).toBe('bad');
  });
});

describe('the driver', () => {
  const ADDRESS = '000000193600';
  const line = (points: Record<string, unknown>, meter: SimulatedMeter, more: object = {}) =>
    driverLine(
      dlt645,
      rig.channel,
      { address: 193600, points, ...more },
      createDlt645Simulator(new Map([[ADDRESS, meter]])),
    );

  it('reads a block once for all its points, and what a phase has not is no value', async () => {
    const asked: string[] = [];
    const b = await line(
      {
        a: { di: '0201FF00', field: 'voltage_a' },
        b: { di: '0201FF00', field: 'voltage_b' },
        open: { di: '04000503', bit: 4 },
      },
      {
        read: (di) => {
          asked.push(di);
          return di === '0201FF00' ? bytes('56 22 FF FF FF FF') : bytes('10 00');
        },
      },
    );
    const { readings, faults } = await b.poll(['a', 'b', 'open']);
    expect(faults).toEqual([]);
    expect(readings).toEqual([
      { point: 'a', value: 225.6 },
      { point: 'b', value: null, why: 'nan' },
      { point: 'open', value: true },
    ]);
    expect(asked).toEqual(['0201FF00', '04000503']);
    await b.close();
  });

  it('puts a cut block together, also when the cut is inside a number', async () => {
    const block = Uint8Array.from({ length: 64 * 4 }, (_, i) => (i % 4 === 0 ? ((i / 4) % 10) + 0x10 : 0));
    const b = await line(
      { last: { di: '0001FF00', field: 'active_import_tariff_63' } },
      { read: () => block, cut: 45 },
    );
    expect(await b.value('last')).toBe(0.13);
    await b.close();
  });

  it('a refused item costs only its own points, and says why', async () => {
    const b = await line(
      { total: { di: '00010000' }, voltage: { di: '02010100' } },
      { read: (di) => (di === '00010000' ? bcdOf(12_345, 4) : undefined) },
    );
    const { readings, faults } = await b.poll(['voltage', 'total']);
    expect(readings).toEqual([{ point: 'total', value: 123.45 }]);
    expect(faults.map((f) => [f.point, f.error.tell('zh').says])).toEqual([
      ['voltage', '设备拒绝读取 02010100：无请求数据'],
    ]);
    await b.close();
  });

  it('a silent meter costs one deadline', async () => {
    const b = await line({ a: { di: '00010000' }, v: { di: '02010100' } }, { read: () => undefined, dead: () => true });
    const from = b.clock.mono();
    const { faults } = await b.poll(['a', 'v']);
    expect(faults.map((f) => f.error.code)).toEqual(['link.timeout', 'link.timeout']);
    expect(b.clock.mono() - from).toBeLessThan(1500);
    await b.close();
  });

  it('speaks the 1997 version too', async () => {
    const b = await line(
      { total: { di: '9010' } },
      { version: '1997', read: () => bcdOf(958_015, 4) },
      { version: '1997' },
    );
    expect(await b.value('total')).toBe(9580.15);
    await b.close();
  });

  it('has no way to write', () => {
    expect(
      dlt645.create?.({ device: { config: deviceSchema.parse(rig.section) }, line: { channel: rig.channel } } as never)
        .write,
    ).toBeUndefined();
  });
});

describe('the section', () => {
  const codes = (section: object): string[] => {
    const parsed = deviceSchema.safeParse(section);
    if (!parsed.success)
      return parsed.error.issues.map((i) => ('params' in i ? String((i.params as { code: string }).code) : i.code));
    return face.problems(parsed.data).map((p) => p.code);
  };

  it.each<[string, object, string[]]>([
    ['a good one', { address: '193600', points: { a: { di: '00010000' } } }, []],
    ['an address with letters', { address: 'AB', points: { a: { di: '00010000' } } }, ['config.bad_meter_address']],
    ['an identifier of nine digits', { address: 1, points: { a: { di: '000100000' } } }, ['config.bad_item']],
    ['a 1997 identifier in a 2007 meter', { address: 1, points: { a: { di: '9010' } } }, ['config.bad_item']],
    ['an unknown identifier', { address: 1, points: { a: { di: '00440000' } } }, ['config.unknown_item']],
    [
      'an unknown field',
      { address: 1, points: { a: { di: '0201FF00', field: 'voltage_d' } } },
      ['config.unknown_field'],
    ],
    ['a bit of a number', { address: 1, points: { a: { di: '02010100', bit: 1 } } }, ['config.bit_needs_register']],
    [
      'limits the wrong way round',
      { address: 1, points: { a: { di: '02010100', min: 3, max: 1 } } },
      ['config.min_over_max'],
    ],
    ['no points', { address: 1, points: {} }, ['config.no_points']],
  ])('%s', (_, section, expected) => {
    expect(codes(section)).toEqual(expected);
  });
});
