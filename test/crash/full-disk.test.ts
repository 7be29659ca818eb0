/**
 * A small disk that is really full: by the journal's own backlog, and by somebody else's file. The disk is a tmpfs in a mount namespace of its own
 * (`unshare -rm`, no rights needed); where namespaces may not be made, and in night runs beside it, a
 * folder that disktrace.c keeps as small as that.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tracing } from '../kit/disktrace.ts';
import { tempFolder } from '../kit/site.ts';

const MB = 1024 * 1024;
const DISK = 96 * MB;
const SCRIPT = join(import.meta.dirname, 'small-disk.ts');

const IS_NIGHT = process.env.WEINAO_NIGHT !== undefined;
const hasNamespaces = spawnSync('unshare', ['-rm', 'true']).status === 0;

function run(how: string): Record<string, unknown> {
  const folder = tempFolder();
  const data = join(folder, 'disk');
  mkdirSync(data);
  const node = [process.execPath, SCRIPT, data];
  const mount = `mount -t tmpfs -o size=${DISK} tmpfs "$0" && exec "$@"`;
  const [command = '', ...args] = how === 'tmpfs' ? ['unshare', '-rm', 'sh', '-c', mount, data, ...node] : node;
  const { env } = tracing(folder);
  const shim = how === 'tmpfs' ? {} : { LD_PRELOAD: env.LD_PRELOAD, DISKQUOTA: `${DISK} ${data}` };
  const done = spawnSync(command, args, { env: { ...process.env, ...shim }, encoding: 'utf8' });
  expect(done.status, done.stderr).toBe(0);
  return JSON.parse(done.stdout);
}

describe('a disk that is full', () => {
  it.each(hasNamespaces ? ['tmpfs', ...(IS_NIGHT ? ['folder'] : [])] : ['folder'])(
    '(%s) costs telemetry first, then nothing that was accepted, and is taken back when it is not',
    { timeout: 300_000 },
    (how) => {
      const found = run(how);
      expect(found).toMatchObject({
        hadBallast: true,
        // Only the oldest telemetry went, and alarms were still taken.
        full: { lost: ['t disk-full'], durable: true },
        alarmsAtBudget: true,
        isAccepted: Array(24).fill(true),
        ...{ isBack: true, after: true, ballastBack: true, missing: 0 },
        ...{ chain: 'ok', gaps: 0, faults: [], lost: ['t disk-full'] },
      });
      const { full, left, dropped, samples } = found as {
        full: { file: number };
        left: number;
        dropped: number;
        samples: number;
      };
      expect(full.file).toBeLessThanOrEqual(16 * MB);
      // What was not delivered is announced.
      expect(left + dropped).toBe(samples);
      expect(dropped).toBeGreaterThan(0);
    },
  );
});
