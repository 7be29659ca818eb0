/** A few estates on one broker that is stopped and killed under load; the size of a city is `scripts/fleet`. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const FLEET = join(import.meta.dirname, '../../scripts/fleets/index.ts');

it('whatever the broker does, every row of every journal arrives, once after dedup', { timeout: 420_000 }, async () => {
  const args = ['--gateways', '8', '--processes', '2', '--seconds', '9', '--breaks', '2', '--json'];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', FLEET, ...args]);
  let out = '';
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code, said + out).toBe(0);
  const { gateways, rows, missing, foreign, samples_missing, gaps, chain, proofs } = JSON.parse(out);
  expect({ gateways, missing, foreign, samples_missing, gaps, chain, bad: proofs.bad }).toEqual({
    gateways: 8,
    missing: 0,
    foreign: 0,
    samples_missing: 0,
    gaps: 0,
    chain: 'ok',
    bad: 0,
  });
  expect(rows).toBeGreaterThan(8);
});
