/**
 * The journal's file cannot be opened, or made, or read once more after it failed: the gateway starts, alarms reach the feed, and once the disk is
 * well the feed is given what it was not. No id has two contents.
 */
import { expect, it } from 'vitest';
import { toldBy } from '../kit/disktrace.ts';
import { tempFolder } from '../kit/site.ts';

interface Life {
  readonly ids: readonly string[];
  readonly durable: boolean;
  readonly epoch: string;
  readonly given: Readonly<Record<string, string>>;
}
interface Case {
  readonly code: string;
  readonly how: string;
  readonly before?: Life;
  readonly failing: Life;
  readonly later: Life;
}

it('a file that does not open stops nobody, and loses no alarm', { timeout: 120_000 }, () => {
  const cases = toldBy<Case>('unopened.ts', tempFolder(), [], { DISKOPEN: '' });
  expect(cases).toHaveLength(12);
  for (const { code, how, before, failing, later } of cases) {
    const named = `${code} ${how}`;
    expect(failing.durable, named).toBe(false);
    expect(Object.keys(failing.given), named).toEqual(expect.arrayContaining([...failing.ids]));
    const canRead = how === 'while it runs' || ['EROFS', 'ENOSPC'].includes(code);
    if (before !== undefined && canRead)
      expect(Object.keys(failing.given), named).toEqual(expect.arrayContaining([...before.ids]));
    if (before !== undefined) expect(failing.epoch, named).not.toBe(before.epoch);
    expect(later.durable, named).toBe(true);
    const onDisk = [...(before?.ids ?? []), ...(how === 'while it runs' ? failing.ids.slice(0, 1) : []), ...later.ids];
    expect(Object.keys(later.given), named).toEqual(expect.arrayContaining(onDisk));
    for (const [id, data] of Object.entries(later.given))
      for (const earlier of [before, failing]) expect(earlier?.given[id] ?? data, `${named} ${id}`).toBe(data);
  }
});
