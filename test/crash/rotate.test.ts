/**
 * A power cut at every write, sync, renaming and removal of a change of key, in the key's files and in the journal: afterwards the old key signs or the
 * new one, whichever it is both verifiers follow the whole chain to it from the first key, and the change is finished or never was.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createVerifier } from '../../src/uplink/index.ts';
import { tracing } from '../kit/disktrace.ts';
import { tempFolder } from '../kit/site.ts';

interface Life {
  readonly n: number;
  readonly isOver: boolean;
  /** who signed when the later life began, and whether a change was found begun */
  readonly before: string;
  readonly begun?: string;
  /** who signs at its end */
  readonly kid: string;
  readonly told: readonly { readonly topic: string; readonly payload: string }[];
}

it('whichever key signs after a cut, the chain leads to it', { timeout: 180_000 }, () => {
  const folder = tempFolder();
  const { env } = tracing(folder);
  const script = join(import.meta.dirname, 'rotate.ts');
  const run = spawnSync(process.execPath, [script, folder], {
    env: { ...process.env, LD_PRELOAD: env.LD_PRELOAD },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(run.status, run.stderr).toBe(0);
  const lives = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Life);
  // Each of the boundaries was met: nothing begun, begun, told, in place; and a life no cut touched.
  expect(lives.length).toBeGreaterThan(8);
  const kinds = new Set(lives.map(({ before, begun, kid }) => `${begun !== undefined} ${before === kid}`));
  expect([...kinds].sort()).toEqual(['false true', 'true false', 'true true']);
  expect(lives.at(-1)?.isOver).toBe(true);
  for (const { n, begun, kid, told } of lives) {
    const first = (JSON.parse(told[0]?.payload ?? '{}') as { kid: string }).kid;
    const verifier = createVerifier({ pin: first });
    for (const { topic, payload } of told) verifier.take(topic, new TextEncoder().encode(payload));
    const { chain, gaps, faults, proofs } = verifier.summary();
    expect({ n, chain, gaps, faults, proofs }).toEqual({
      ...{ n, chain: 'ok', gaps: 0, faults: [] },
      proofs: { ...proofs, good: 2, bad: 0 },
    });
    const changes = told.filter(({ payload }) => payload.includes('weinao.feed.key.v1')).map(({ payload }) => payload);
    if (kid === first) expect({ n, changes }).toEqual({ n, changes: [] });
    else
      expect(
        changes.some((payload) => payload.includes(kid)),
        String(n),
      ).toBe(true);
    // What was begun is finished.
    if (begun !== undefined) expect({ n, kid }).toEqual({ n, kid: begun });
    const file = join(folder, `${n}.ndjson`);
    writeFileSync(file, told.map((line) => JSON.stringify(line)).join('\n'));
    const python = spawnSync('python3', [join(import.meta.dirname, '../../scripts/verify-feed.py'), file], {
      encoding: 'utf8',
    });
    expect(python.status, `${n}: ${python.stdout}${python.stderr}`).toBe(0);
  }
});
