/** A log that remembers its lines. */
import type { Log, LogFields } from '../../src/base/ports.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: LogFields;
}

export interface MemoryLog extends Log {
  readonly lines: LogLine[];
}

export function memoryLog(lines: LogLine[] = [], base: LogFields = {}): MemoryLog {
  const put =
    (level: LogLine['level']) =>
    (event: string, fields: LogFields = {}) =>
      void lines.push({ level, event, fields: { ...base, ...fields } });
  return {
    lines,
    debug: put('debug'),
    info: put('info'),
    warn: put('warn'),
    error: put('error'),
    child: (fields) => memoryLog(lines, { ...base, ...fields }),
  };
}
