import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mask, scrub, WITHHELD } from './scrub.ts';

const wide = (digits: string): string =>
  [...digits].map((d) => (d >= '0' && d <= '9' ? String.fromCharCode(d.charCodeAt(0) + 0xfee0) : d)).join('');
const digitsOf = (text: string): string =>
  [...text]
    .map((c) => (c >= '０' && c <= '９' ? String.fromCharCode(c.charCodeAt(0) - 0xfee0) : c))
    .filter((c) => c >= '0' && c <= '9')
    .join('');

describe('numbers of people in free text', () => {
  it.each([
    '13812345678',
    '138 1234 5678',
    '138-1234-5678',
    '+8613812345678',
    '+86 138-1234-5678',
    '0086 13812345678',
    '＋８６　１３８１２３４５６７８',
    '１３８１２３４５６７８',
    '138\u200b12345678',
    '(0755)82345678',
    '0755-8234567',
    '010 6552 9988',
    '+86 755 82345678',
    '110101199003077758',
    '11010119900307775X',
    '１１０１０１１９９００３０７７７５ｘ',
    '110101 19900307 7758',
    '110101900307775',
    '013812345678',
    '1381234567813987654321',
  ])('takes out %s', (number) => {
    expect(scrub(`请联系${number}，谢谢`)).toBe(
      `请联系${number.startsWith('+') || number.startsWith('＋') || number.startsWith('(') ? number[0] : ''}${WITHHELD}，谢谢`,
    );
  });

  it.each([
    '水位 1.52 米，压力 0.31 MPa',
    '2026-11-22 01:02:03 最近消火栓 3号 18 米',
    '拨119或12345',
    '表底 12345.6 kW.h，昨日 12340.1',
    'device tank_1 0x1F 65535 4294967295',
    '10.5 20.25 30.125 40 50 60',
    '1 2 3 4 5 6 7 8 9 10 11 12',
  ])('leaves %s', (text) => expect(scrub(text)).toBe(text));

  const joint = fc.constantFrom('', '', ' ', '-', '.', ' - ', '　', '\u200b', '－');
  const word = fc.string({ unit: fc.constantFrom(...'王李栋单元号电话a b，。:/'), maxLength: 12 });
  const grouped = (digits: string) =>
    fc
      .tuple(fc.boolean(), joint, joint, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
      .map(([isWide, a, b, i, j]) => {
        const [x, y] = i < j ? [i, j] : [j, i];
        const text = `${digits.slice(0, x)}${a}${digits.slice(x, y)}${b}${digits.slice(y)}`;
        return isWide ? wide(text) : text;
      });
  const digits = (n: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: n, maxLength: n });
  const mobile = fc
    .tuple(fc.constantFrom('', '86', '0086', '+86'), fc.constantFrom(...'3456789'), digits(9))
    .map(([p, d, rest]) => `${p}1${d}${rest}`);
  const id18 = fc
    .tuple(
      digits(5),
      fc.integer({ min: 1900, max: 2099 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 31 }),
      digits(3),
      fc.constantFrom(...'0123456789X'),
    )
    .map(
      ([area, y, m, d, order, check]) =>
        `4${area}${y}${String(m).padStart(2, '0')}${String(d).padStart(2, '0')}${order}${check}`,
    );

  it('never survive, wherever they stand and however they are grouped', () => {
    const number = fc.oneof(mobile, id18).chain((n) => fc.tuple(fc.constant(n), grouped(n)));
    fc.assert(
      fc.property(word, number, word, (before, [number, written], after) => {
        const told = scrub(`${before}${written}${after}`);
        const inner = digitsOf(number).slice(-8);
        expect(digitsOf(told)).not.toContain(inner);
        expect(scrub(told)).toBe(told);
      }),
      { numRuns: 500 },
    );
  });

  it('what holds fewer than ten digits stays as it is; every text gives a text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const told = scrub(text);
        if (digitsOf(text).length < 10) expect(told).toBe(text);
        expect(scrub(told)).toBe(told);
      }),
      { numRuns: 500 },
    );
  });
});

it('names are masked one by one', () => {
  expect(mask('王秀兰')).toBe('王＊');
  expect(mask('张三/值班 李阿姨')).toBe('张＊ 李＊');
  expect(mask('')).toBe('');
});
