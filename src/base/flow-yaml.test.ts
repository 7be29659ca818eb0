import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { flowYaml } from './flow-yaml.ts';

describe('YAML on one line', () => {
  it('looks as the examples do', () => {
    const section = {
      driver: 'dlt645',
      address: '000000193600',
      poll: '15m',
      points: { a: { register: 'holding 0', scale: 0.1 } },
    };
    expect(flowYaml(section)).toBe(
      '{driver: dlt645, address: "000000193600", poll: 15m, points: {a: {register: holding 0, scale: 0.1}}}',
    );
  });

  it('reads back as it was (property)', () => {
    const key = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constantFrom('true', '12', '1e5', 'a: b', '- x', '0x1F', '~', '15m', 'n', '.5'),
    );
    const value = fc.dictionary(
      key,
      fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(key, leaf, { maxKeys: 3 })),
      { maxKeys: 4 },
    );
    fc.assert(
      fc.property(value, (v) => {
        expect(parse(flowYaml(v))).toEqual({ ...v });
      }),
    );
  });
});
