/** The process's own streams: bounded lines in, text out, and a quiet end when the reader of a pipe has gone. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { WeinaoError } from '../base/errors/index.ts';

const MAX_LINE = 1024 * 1024;

/** Lines of a stream; one over MAX_LINE is cut, so that no input can fill the memory. */
async function* linesOf(stream: Readable): AsyncIterable<string> {
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }))
    yield line.slice(0, MAX_LINE);
}

export const stdinLines = (): AsyncIterable<string> => linesOf(process.stdin);

export async function* fileLines(path: string): AsyncIterable<string> {
  try {
    yield* linesOf(createReadStream(path));
  } catch (error) {
    throw new WeinaoError('cli.unreadable', { path, detail: error instanceof Error ? error.message : String(error) });
  }
}

export function writeOut(text: string): void {
  process.stdout.write(text);
}

export function writeErr(text: string): void {
  process.stderr.write(text);
}

/** `weinao watch | head` ends without a stack trace; a full disk behind `weinao export > FILE` is told to the listener. */
export function endWithReader(onBroken: (detail: string) => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    onBroken(error.message);
  });
}

/** When all that went out is out: undefined, or why it is not. */
export const flushOut = (): Promise<string | undefined> =>
  new Promise((resolve) => process.stdout.write('', (error) => resolve(error?.message)));

/** Lets signals and errors of streams come through in the middle of long work. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
