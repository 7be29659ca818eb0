/** The log: one JSON line per event on the given descriptor, through pino. journald adds time and host, so lines carry neither there. */
import { pino } from 'pino';
import type { Log } from '../base/ports.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** 1 = stdout (the daemon), 2 = stderr (verbs whose stdout is their result) */
  readonly descriptor: 1 | 2;
  readonly time: boolean;
}

export function pinoLog(options: LogOptions): Log {
  const root = pino(
    { level: options.level, base: null, timestamp: options.time ? pino.stdTimeFunctions.isoTime : false },
    pino.destination({ fd: options.descriptor, sync: true }),
  );
  return wrap(root);
}

function wrap(logger: pino.Logger): Log {
  return {
    debug: (event, fields) => logger.debug(fields ?? {}, event),
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
    child: (fields) => wrap(logger.child(fields)),
  };
}
