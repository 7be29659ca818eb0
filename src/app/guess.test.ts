import { describe, expect, it } from 'vitest';
import { decodings } from '../../drivers/modbus/decodings.ts';
import { guesses, isAsExpected } from './guess.ts';

const float = (value: number): number[] => {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return [view.getUint16(0), view.getUint16(2)];
};

describe('guessing from the display', () => {
  it.each<[string, readonly number[], number, object]>([
    ['a float in the usual order', float(231.42), 231.4, { as: 'float32', order: 'ABCD', scale: 1 }],
    ['a float with its words exchanged', float(231.42).toReversed(), 231.4, { as: 'float32', order: 'CDAB', scale: 1 }],
    ['tenths', [2314], 231.4, { as: 'int16', order: 'ABCD', scale: 0.1 }],
    ['tenths below zero', [0xffce], -5, { as: 'int16', order: 'ABCD', scale: 0.1 }],
    ['hundredths in two words', [1, 34_464], 1000, { as: 'int32', order: 'ABCD', scale: 0.01 }],
  ])('%s', (_, words, display, expected) => {
    expect(guesses(decodings(words), display)[0]).toMatchObject(expected);
  });

  it('says nothing of a display of zero, and of nothing that comes near', () => {
    expect(guesses(decodings([0]), 0)).toEqual([]);
    expect(guesses(decodings([7]), 231.4)).toEqual([]);
  });

  it('allows for a display that rounds and a value that moves on', () => {
    expect([isAsExpected(231.4, 232), isAsExpected(231.4, 240), isAsExpected(0, 0)]).toEqual([true, false, true]);
  });
});
