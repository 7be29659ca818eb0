import { describe, expect, it } from 'vitest';
import { readOperation } from './operate.ts';

describe('an entry over the local API', () => {
  const entry = { kind: 'form', form: 'report', by: 'x', fields: { a: 1 } };

  it('may be of another moment, but of one that a calendar has', () => {
    expect(readOperation({ ...entry, ts: 1_795_572_000_000 })).toMatchObject({ ts: 1_795_572_000_000 });
    for (const ts of [-1e300, 0, 1e15, Number.NaN, '2026'])
      expect(() => readOperation({ ...entry, ts })).toThrow(expect.objectContaining({ code: 'cli.bad_operation' }));
  });

  it('has fields by their names', () => {
    for (const fields of [[1], null, 'x', undefined])
      expect(() => readOperation({ ...entry, fields })).toThrow(
        expect.objectContaining({ params: { field: 'fields' } }),
      );
  });
});
