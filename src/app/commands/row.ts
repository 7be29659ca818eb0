/** A command as the journal keeps it: an intent before anything is done, its result for seven days afterwards. */
import type { Command } from '../../base/command.ts';
import type { MemoryRow } from '../../base/journal.ts';
import { feedNumber, type JsonObject } from '../../base/json.ts';
import type { Value } from '../../base/reading.ts';

/** stands where a device's id stands in the journal's memory; no device can have it */
export const DEVICE = '@commands';

/** `waits`: for somebody's yes. `goes`: whether it reached its device is not known before it is over. */
export type Stage = 'waits' | 'goes' | 'over';

export interface Row {
  readonly feed: string;
  readonly command: Command;
  /** UTC ms of its receipt */
  readonly at: number;
  /** by a clock that was not synchronised: its days begin when it is */
  readonly unsynced?: true;
  readonly stage: Stage;
  /** whose rate it was taken from */
  readonly grant?: string;
  /** who must say yes */
  readonly confirm?: string;
  readonly confirmedBy?: string;
  /** how it ended, as it was told */
  readonly result?: JsonObject;
}

export const keyOf = (feed: string, { source, id }: Pick<Command, 'source' | 'id'>): string =>
  JSON.stringify([feed, source, id]);

export const memoryRow = (row: Row): MemoryRow => ({
  device: DEVICE,
  key: keyOf(row.feed, row.command),
  body: JSON.stringify(row),
});

export const forgetRow = (key: string): MemoryRow => ({ device: DEVICE, key, body: null });

/** Oldest first; what cannot be read is nothing. */
export function readRows(memory: readonly MemoryRow[]): Row[] {
  const rows = memory.flatMap(({ device, body }): Row[] => {
    if (device !== DEVICE || body === null) return [];
    try {
      return [JSON.parse(body) as Row];
    } catch {
      return [];
    }
  });
  return rows.sort((a, b) => a.at - b.at);
}

export interface Told {
  readonly reason?: string;
  readonly readBack?: Value;
  readonly ms?: number;
}

/** The data of a `command.result`. What a form holds is not repeated. */
export function resultOf({ feed, command, confirmedBy }: Row, outcome: string, told: Told = {}): JsonObject {
  const { id, source, ask, by, why, signer } = command;
  const { reason, readBack, ms } = told;
  const about: JsonObject =
    ask.do === 'write'
      ? { device: ask.device, point: ask.point, value: ask.value }
      : ask.do === 'snapshot'
        ? { device: ask.device }
        : ask.do === 'form'
          ? { form: ask.form }
          : ask.do === 'maint'
            ? { what: ask.what }
            : { aid: ask.aid, ...(ask.do === 'ack' ? { rev: ask.rev } : {}) };
  return {
    feed,
    id,
    source,
    do: ask.do,
    outcome,
    by,
    ...about,
    ...(why === undefined ? {} : { why }),
    ...(signer === undefined ? {} : { signer }),
    ...(confirmedBy === undefined ? {} : { confirmed_by: confirmedBy }),
    ...(reason === undefined ? {} : { reason }),
    ...(readBack === undefined ? {} : { read_back: tellable(readBack) }),
    ...(ms === undefined ? {} : { ms: Math.round(ms) }),
  };
}

const tellable = (value: Value): Value => (typeof value === 'number' ? (feedNumber(value) ?? String(value)) : value);
