/**
 * The n-th write, sync or truncation of the journal fails, once or from then on, for n through a whole life. Nothing is ever refused or thrown, what was
 * called durable is there in the next life, what only memory holds is given to the feed, and a file that failed is not trusted again, unless the disk was
 * only full.
 */
import { describe, expect, it } from 'vitest';
import { toldBy } from '../kit/disktrace.ts';
import { tempFolder } from '../kit/site.ts';

const EVERY = process.env.WEINAO_NIGHT === undefined ? 4 : 1;

/** commits of a life, as in faulty.ts */
const ROUNDS = 6;

interface Life {
  readonly n: number;
  readonly durable: readonly boolean[];
  readonly untold: readonly string[];
  readonly lost: readonly string[];
  readonly setAside: boolean;
}

describe('a disk that fails', () => {
  it.each([
    ['EIO', 'once'],
    ['EIO', 'on'],
    ['EROFS', 'on'],
    ['ENOSPC', 'on'],
    ['ENOSPC', 'once'],
  ])('with %s, %s, at any step loses nothing that was called durable', { timeout: 900_000 }, (code, how) => {
    const lives = toldBy<Life>('faulty.ts', tempFolder(), [code, how, String(EVERY)], {});
    expect(lives.length).toBeGreaterThanOrEqual(110 / EVERY);
    // The faults fall while the journal is opened, and between two commits.
    expect(lives.some((l) => l.durable.every((d) => !d))).toBe(true);
    expect(lives.some((l) => l.durable[0] === true && l.durable.at(-1) === false)).toBe(true);
    const isBack = lives.some(
      ({ durable }) => durable.indexOf(false) < durable.lastIndexOf(true) && durable.includes(false),
    );
    expect(isBack).toBe(code === 'ENOSPC' && how === 'once');
    for (const { n, durable, untold, lost, setAside } of lives) {
      expect({ n, untold, lost, setAside }).toEqual({ n, untold: [], lost: [], setAside: false });
      const first = durable.indexOf(false);
      if (first === -1) continue;
      // A disk that was only full is taken back some seconds later; what failed otherwise is not trusted again in this life.
      const ends = code === 'ENOSPC' && how === 'once' ? [first - 1, ROUNDS - 1] : [first - 1];
      expect(ends, `${n}: ${durable}`).toContain(durable.lastIndexOf(true));
    }
  });
});
