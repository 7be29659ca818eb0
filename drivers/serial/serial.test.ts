import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unhex } from '../../src/base/bytes.ts';
import { driverLine } from '../../test/kit/driver-line.ts';
import { valueOfPoint } from './codec.ts';
import { face } from './face.ts';
import { checksum, framerOfDevice } from './frame.ts';
import { serial } from './index.ts';
import { rig } from './rig.ts';
import { deviceSchema, pointSchema } from './schema.ts';
import { createSerialSimulator } from './simulator.ts';

const bytes = (text: string): Uint8Array => unhex(text) ?? new Uint8Array(0);
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('fields', () => {
  it.each<[object, string, unknown]>([
    [{ at: 1, bytes: 2, as: 'uint' }, '00 12 34', 0x1234],
    [{ at: 1, bytes: 2, as: 'uint_low' }, '00 34 12', 0x1234],
    [{ at: -2, bytes: 2, as: 'int' }, '00 FF FE', -2],
    [{ at: 0, bytes: 3, as: 'int_low' }, 'FE FF FF', -2],
    [{ at: 0, bytes: 3, as: 'bcd', scale: 0.01 }, '12 34 56', 1234.56],
    [{ at: 0, bytes: 2, as: 'bcd_low' }, '34 12', 1234],
    [{ at: 0, bytes: 2, as: 'bcd' }, '1A 00', null],
    [{ at: 0, bytes: 4, as: 'float' }, '43 66 33 33', 230.199997],
    [{ at: 0, bytes: 4, as: 'float_low' }, '33 33 66 43', 230.199997],
    [{ at: 0, bytes: 4, as: 'float' }, '7F C0 00 00', null],
    [{ at: 0, bytes: 3, as: 'float' }, '7F C0 00', null],
    [{ at: 0, bytes: 8, as: 'uint' }, '00 00 00 00 00 00 00 01', null],
    [{ at: 0, bytes: 1, as: 'uint', bit: 2 }, '04', true],
    [{ at: 0, bytes: 1, as: 'uint', scale: 0.1, offset: -40 }, 'FF', -14.5],
    [{ at: 4, bytes: 2, as: 'uint' }, '00 00 00', null],
    [{ at: -9, bytes: 2, as: 'uint' }, '00 00 00', null],
  ])('%j of %s', (point, frame, expected) => {
    expect(valueOfPoint(pointSchema.parse(point), bytes(frame), ',')).toBe(expected);
  });

  it.each<[object, string, unknown]>([
    [{ word: 2, as: 'ascii' }, 'ST,GS,+001.250kg\r\n', 1.25],
    [{ word: 2, as: 'ascii' }, 'ST,GS,-  12.5 kg\r\n', -12.5],
    [{ word: 0, as: 'text' }, 'ST,GS,+001.250kg\r\n', 'ST'],
    [{ word: 5, as: 'text' }, 'ST,GS\r\n', null],
    [{ word: 1, as: 'ascii' }, 'T,1.2.3\r\n', null],
    [{ word: 1, as: 'ascii' }, 'T,--\r\n', null],
    [{ word: 1, as: 'ascii' }, 'T,1e5\r\n', null],
    [{ at: 2, bytes: 4, as: 'ascii' }, 'T=0042\r', 42],
  ])('%j of %j', (point, frame, expected) => {
    expect(valueOfPoint(pointSchema.parse(point), ascii(frame), ',')).toBe(expected);
  });
});

describe('frames', () => {
  const framer = (more: object) =>
    framerOfDevice(deviceSchema.parse({ points: { a: { at: 0, as: 'uint' } }, ...more }));

  it('end by a marker, a length or a silence', () => {
    const line = framer({ frame: { end: 'ascii:\\r\\n' } });
    expect(line(ascii('1.5'), false)).toEqual({ kind: 'need' });
    expect(line(ascii('1.5\r\n2'), false)).toEqual({ kind: 'frame', start: 0, end: 5 });
    expect(framer({ frame: { start: 'AA', length: 3 } })(bytes('00 AA 01 02 03'), false)).toEqual({
      kind: 'frame',
      start: 1,
      end: 4,
    });
    const gap = framer({ frame: { gap: true } });
    expect(gap(bytes('01 02'), false)).toEqual({ kind: 'need' });
    expect(gap(bytes('01 02'), true)).toEqual({ kind: 'frame', start: 0, end: 2 });
  });

  it.each<[string, string, string]>([
    ['sum8', '01 02 03', '06'],
    ['xor8', '01 02 07', '04'],
    ['lrc', '01 02 03', 'FA'],
    ['crc16', '01 03 00 00 00 01', '84 0A'],
    ['crc16_high_first', '01 03 00 00 00 01', '0A 84'],
  ])('are checked by %s', (kind, body, sum) => {
    const data = bytes(body);
    expect(checksum(kind as 'sum8', data, 0, data.length)).toEqual(bytes(sum));
    const whole = bytes(`${body} ${sum}`);
    const check = framer({ frame: { length: whole.length }, checksum: { kind, at: -bytes(sum).length } });
    expect(check(whole, false)).toEqual({ kind: 'frame', start: 0, end: whole.length });
    expect(
      check(
        whole.map((b, i) => (i === 1 ? b ^ 1 : b)),
        true,
      ).kind,
    ).toBe('bad');
  });

  it('take any bytes without harm (property)', () => {
    const shapes = [
      framer({
        request: '55 01',
        frame: { start: 'AA', length: 6 },
        checksum: { kind: 'crc16', at: -2 },
        match: [{ at: 1, bytes: '01' }],
      }),
      framer({ frame: { end: '0D 0A' }, checksum: { kind: 'sum8', at: -3, from: 1, to: -3 } }),
      framer({ frame: { gap: true }, checksum: { kind: 'xor8', at: -1 } }),
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), fc.boolean(), (noise, silent) => {
        for (const shape of shapes) {
          const verdict = shape(noise, silent);
          if (verdict.kind === 'frame') expect(verdict.end).toBeLessThanOrEqual(noise.length);
        }
      }),
      { numRuns: 34_000 },
    );
  });
});

describe('the driver', () => {
  it('listens to a device that speaks by itself', async () => {
    const section = { frame: { end: 'ascii:\\r\\n' }, points: { kg: { word: 2, as: 'ascii', max: 100 } } };
    const b = await driverLine(
      serial,
      rig.channel,
      section,
      createSerialSimulator(bytes('00'), () => undefined),
    );
    const speak = (text: string): unknown => b.clock.timer('speak', 1000, () => b.inject(ascii(text)));
    speak('ST,GS,+001.250kg\r\n');
    expect(await b.value('kg')).toBe(1.25);
    speak('ST,GS,+900.000kg\r\n');
    expect(await b.value('kg')).toBeUndefined();
    expect((await b.poll(['kg'])).faults[0]?.error.code).toBe('link.timeout');
    await b.close();
  });
});

describe('the section', () => {
  it.each<[string, object, string[]]>([
    ['a good one', { frame: { length: 4 }, points: { a: { at: 0, as: 'uint' } } }, []],
    ['no end', { frame: {}, points: { a: { at: 0, as: 'uint' } } }, ['config.one_frame_end']],
    ['two ends', { frame: { length: 4, gap: true }, points: { a: { at: 0, as: 'uint' } } }, ['config.one_frame_end']],
    ['no place', { frame: { length: 4 }, points: { a: { as: 'uint' } } }, ['config.at_or_word']],
    [
      'limits the wrong way round',
      { frame: { length: 4 }, points: { a: { at: 0, as: 'uint', min: 2, max: 1 } } },
      ['config.min_over_max'],
    ],
  ])('%s', (_, section, expected) => {
    expect(face.problems(deviceSchema.parse(section)).map((p) => p.code)).toEqual(expected);
  });

  it('knows what bytes are', () => {
    expect(
      deviceSchema.safeParse({ request: 'xx', frame: { length: 1 }, points: { a: { at: 0, as: 'uint' } } }).success,
    ).toBe(false);
  });
});
