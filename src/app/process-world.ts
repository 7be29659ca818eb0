/** The command line's process, for main.ts: streams, signals, environment. */
import { isoTime } from '../base/time.ts';
import { systemClock } from '../io/clock.ts';
import { onSignal } from '../io/process.ts';
import { endWithReader, fileLines, stdinLines, writeErr, writeOut } from '../io/terminal.ts';

export function processWorld() {
  const stop = new AbortController();
  endWithReader();
  // `run` has its own end; for the other verbs a second Ctrl-C is not needed.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) onSignal(signal, () => stop.abort());
  return {
    env: process.env,
    out: writeOut,
    err: writeErr,
    isTty: process.stdout.isTTY === true,
    now: () => isoTime(systemClock().now().wall),
    stdin: stdinLines,
    lines: fileLines,
    stop: stop.signal,
  };
}
