import { expect, it } from 'vitest';
import { addressOf, isWithin, numberOf, rangeOf } from './ipv4.ts';

it('ranges and addresses', () => {
  expect(rangeOf('192.168.1.77/30')).toEqual({ first: numberOf('192.168.1.76'), last: numberOf('192.168.1.79') });
  expect(addressOf(numberOf('10.0.255.1') ?? 0)).toBe('10.0.255.1');
  expect(isWithin('192.168.1.255', '192.168.1.0/24')).toBe(true);
  expect(isWithin('10.0.0.1', '0.0.0.0/0')).toBe(true);
  for (const bad of ['', '192.168.1', '192.168.1.256', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/8/9', 'a.b.c.d', '1.2.3.-4'])
    expect(rangeOf(bad), bad).toBeUndefined();
});
