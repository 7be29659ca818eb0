/** The independent slaves of test/peer/slaves.c: compiled once per test, started, and their function for comparing. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const SOURCE = join(import.meta.dirname, '../peer/slaves.c');

export interface Peer {
  /** ends it; what it counted */
  stop(): Promise<{ readonly requests: number; readonly registers: number }>;
}

/** What a register said in a second. */
export const peerValue = (slave: number, register: number, second: number): number =>
  (slave * 211 + register * 7 + second) % 65_536;

export function buildPeer(folder: string): string {
  const program = join(folder, 'slaves');
  execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, SOURCE, '-lmodbus']);
  return program;
}

export async function startPeer(program: string, args: readonly (string | number)[]): Promise<Peer> {
  const child: ChildProcess = spawn(program, args.map(String), { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let failed = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    failed += bytes.toString();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (said.includes('ready\n')) resolve();
    });
    void ended.then(() => reject(new Error(`slaves ended: ${failed}`)));
  });
  return {
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      return JSON.parse(said.slice(said.indexOf('{'))) as { requests: number; registers: number };
    },
  };
}
