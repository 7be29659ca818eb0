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

/** `weinao watch | head` ends without a stack trace. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
}
