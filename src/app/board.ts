/**
 * The alarm board: what the duty room sees. It holds the open alarms and tells whoever listens of each transition, once.
 *
 * An alarm reaches the board after its commit. When the store does not answer within a second or cannot take it, a red one is shown at once
 * (`held: true`) and its later commit is not shown again.
 */
import type { Alarm, Transition } from '../base/alarm.ts';

export interface BoardLine {
  readonly transition: Transition;
  readonly alarm: Alarm;
  /** shown before the store had it */
  readonly held: boolean;
}

export interface AlarmBoard {
  /** alarms open before this boot; tells nobody */
  restore(alarms: readonly Alarm[]): void;
  show(line: BoardLine): void;
  open(): readonly Alarm[];
  listen(listener: (line: BoardLine) => void): () => void;
}

export function createBoard(): AlarmBoard {
  const open = new Map<string, Alarm>();
  const listeners = new Set<(line: BoardLine) => void>();
  const keep = (alarm: Alarm): void => {
    if (alarm.open) open.set(alarm.key, alarm);
    else open.delete(alarm.key);
  };
  return {
    restore: (alarms) => alarms.forEach(keep),
    show: (line) => {
      const known = open.get(line.alarm.key);
      if (known !== undefined && known.aid === line.alarm.aid && known.rev >= line.alarm.rev) return;
      keep(line.alarm);
      for (const listener of listeners) listener(line);
    },
    open: () => [...open.values()],
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
