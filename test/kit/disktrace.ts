/** The trace of disktrace.c: compiled, preloaded, read back. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCE = join(import.meta.dirname, '../crash/disktrace.c');

export type TracedFile = 'db' | 'wal' | 'socket' | 'marks';
export interface TraceRecord {
  /** `failed`: one of the others that was made to fail */
  readonly kind: 'write' | 'sync' | 'truncate' | 'unlink' | 'failed';
  readonly file: TracedFile;
  /** where it was written, or the size after a truncation */
  readonly offset: number;
  readonly bytes: Buffer;
}

/** Builds the library into `folder`; the environment that makes a process trace itself. */
export function tracing(folder: string): { env: Record<string, string>; read(): TraceRecord[] } {
  const library = join(folder, 'disktrace.so');
  const trace = join(folder, 'trace');
  execFileSync('gcc', ['-O2', '-Wall', '-Werror', '-shared', '-fPIC', '-o', library, SOURCE, '-ldl', '-lpthread']);
  return { env: { LD_PRELOAD: library, DISKTRACE: trace }, read: () => records(readFileSync(trace)) };
}

/** What a script of test/crash prints, a line of JSON each, on a disk that is made to fail; not traced. */
export function toldBy<T>(script: string, folder: string, args: readonly string[], env: Record<string, string>): T[] {
  const { LD_PRELOAD } = tracing(folder).env;
  const path = join(import.meta.dirname, '../crash', script);
  const run = spawnSync(process.execPath, [path, folder, ...args], {
    env: { ...process.env, LD_PRELOAD, ...env },
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`${script} ended with ${run.status}: ${run.stderr}`);
  return run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

const KINDS = ['write', 'sync', 'truncate', 'unlink', 'failed'] as const;
const FILES = ['db', 'wal', 'socket', 'marks'] as const;
const HEAD = 24;

function records(trace: Buffer): TraceRecord[] {
  const found: TraceRecord[] = [];
  for (let at = 0; at + HEAD <= trace.length; ) {
    const kind = KINDS[trace.readUInt32LE(at) - 1];
    const file = FILES[trace.readUInt32LE(at + 4) - 1];
    const length = Number(trace.readBigUInt64LE(at + 16));
    if (kind === undefined || file === undefined) throw new Error(`trace: not a record at ${at}`);
    found.push({
      kind,
      file,
      offset: Number(trace.readBigUInt64LE(at + 8)),
      bytes: trace.subarray(at + HEAD, at + HEAD + length),
    });
    at += HEAD + length;
  }
  return found;
}
