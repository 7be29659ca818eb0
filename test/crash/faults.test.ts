/**
 * The n-th write, sync or truncation of the journal fails, once or from then on, for n through a whole life. Nothing is ever refused or thrown, what was
 * called durable is there in the next life, what only memory holds is given to the feed, and a file that failed is not trusted again.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tracing } from '../kit/disktrace.ts';
import { tempFolder } from '../kit/site.ts';

const EVERY = process.env.WEINAO_NIGHT === undefined ? 4 : 1;

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
    const folder = tempFolder();
    const { env } = tracing(folder);
    const args = [join(import.meta.dirname, 'faulty.ts'), folder, code, how, String(EVERY)];
    const run = spawnSync(process.execPath, args, {
      env: { ...process.env, LD_PRELOAD: env.LD_PRELOAD },
      encoding: 'utf8',
    });
    expect(run.status, run.stderr).toBe(0);
    const lives = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Life);
    expect(lives.length).toBeGreaterThanOrEqual(110 / EVERY);
    // The faults fall while the journal is opened, and between two commits.
    expect(lives.some((l) => l.durable.every((d) => !d))).toBe(true);
    expect(lives.some((l) => l.durable[0] === true && l.durable.at(-1) === false)).toBe(true);
    for (const { n, durable, untold, lost, setAside } of lives) {
      expect({ n, untold, lost, setAside }).toEqual({ n, untold: [], lost: [], setAside: false });
      expect(durable.lastIndexOf(true), `${n}: ${durable}`).toBe(
        durable.indexOf(false) === -1 ? 5 : durable.indexOf(false) - 1,
      );
    }
  });
});
