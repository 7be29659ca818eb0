/** The command line's process, for main.ts: streams, signals, environment. */
import { isoTime } from '../base/time.ts';
import { systemClock } from '../io/clock.ts';
import { onSignal } from '../io/process.ts';
import { endWithReader, fileLines, flushOut, stdinLines, writeErr, writeOut } from '../io/terminal.ts';

export function processWorld() {
  let broken: (detail: string) => void = () => {};
  endWithReader((detail) => broken(detail));
  let stop: AbortController | undefined;
  // `run` has its own end; a verb that does not look at this one is ended by Ctrl-C as any program is.
  const stopping = (): AbortSignal => {
    if (stop !== undefined) return stop.signal;
    const made = new AbortController();
    stop = made;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) onSignal(signal, () => made.abort());
    return made.signal;
  };
  return {
    env: process.env,
    out: writeOut,
    err: writeErr,
    isTty: process.stdout.isTTY === true,
    now: () => isoTime(systemClock().now().wall),
    stdin: stdinLines,
    lines: fileLines,
    get stop() {
      return stopping();
    },
    onBroken: (listener: typeof broken) => {
      broken = listener;
    },
    flush: flushOut,
  };
}
