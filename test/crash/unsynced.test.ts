/**
 * After a write or sync that failed nothing more is written to that file, nor synced, nor taken away: the kernel forgets pages it could not write,
 * and a second sync says nothing of them. Seen in the trace of each call, through a life's opening, commits, checkpoints and end.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type TraceRecord, tracing } from '../kit/disktrace.ts';
import { tempFolder } from '../kit/site.ts';

/** of some thousand calls in a life; the checkpoint's are the most */
const EVERY = process.env.WEINAO_NIGHT === undefined ? 131 : 7;

interface Mark {
  readonly life?: number;
  readonly durable?: boolean;
  readonly exit?: true;
}

const markOf = ({ file, bytes }: TraceRecord): Mark | undefined =>
  file === 'marks' ? (JSON.parse(bytes.toString()) as Mark) : undefined;
const isDisk = ({ file }: TraceRecord): boolean => file === 'db' || file === 'wal';

it('a file that failed is left as it is', { timeout: 900_000 }, () => {
  const folder = tempFolder();
  const { env, read } = tracing(folder);
  const script = join(import.meta.dirname, 'unsynced.ts');
  const run = spawnSync(process.execPath, [script, folder, String(EVERY)], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  expect(run.status, run.stderr).toBe(0);
  const [failures, after] = [new Set<string>(), new Map<number, string[]>()];
  let life = 0;
  let failed = false;
  for (const record of read()) {
    const mark = markOf(record);
    if (mark?.life !== undefined) [life, failed] = [mark.life, false];
    if (mark?.durable !== undefined) failed = false;
    // The process ends, and with it every handle that is still there.
    if (mark?.exit === true) [life, failed] = [-1, true];
    if (record.kind === 'failed') {
      failed = true;
      failures.add(record.file);
    } else if (failed && isDisk(record))
      after.set(life, [...(after.get(life) ?? []), `${record.kind} ${record.file} ${record.offset}`]);
  }
  expect([...after]).toEqual([]);
  expect([...failures].sort()).toEqual(['db', 'wal']);
  expect(life).toBe(-1);
});
