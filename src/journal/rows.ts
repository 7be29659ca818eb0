/**
 * Rows as they lie in the tables, each with a checksum over all of it: a bit that flipped anywhere in a row is found when the row is read, and the row
 * counts as damaged instead of telling something else. (SQLite checks the shape of its pages, not what they hold.)
 */
import { crc32 } from 'node:zlib';
import type { EventDraft, Stream } from '../base/event.ts';
import type { JournalRow } from '../base/feed.ts';
import { unpack } from '../base/pack.ts';

/** a group's samples: 64 KB and its last reading */
const MOST_BYTES = 128 * 1024;
const DAY = 86_400_000;

export interface EventRow {
  readonly position: number;
  readonly id: string;
  readonly stream: Stream;
  readonly kind: string;
  readonly recorded: number;
  readonly boot: string;
  readonly body: string;
  /** null in rows of older versions */
  readonly crc: number | null;
}

export interface GroupRow {
  readonly position: number;
  readonly id: string;
  readonly recorded: number;
  readonly oldest: number;
  readonly newest: number;
  readonly count: number;
  readonly boot: string;
  readonly mono: number;
  readonly synced: number;
  readonly body: Uint8Array;
  readonly crc: number | null;
}

/** What is still known of a row that cannot be believed. */
export interface DamagedRow {
  readonly table: string;
  readonly position: number;
  /** the streams it may have been of */
  readonly streams: readonly Stream[];
  readonly count: number;
  /** times of its content where they can be believed, UTC ms */
  readonly from?: number;
  readonly to?: number;
  readonly why: string;
}

export function eventCrc({ position, id, stream, kind, recorded, boot, body }: Omit<EventRow, 'crc'>): number {
  return crc32(body, crc32(`${position}\0${id}\0${stream}\0${kind}\0${recorded}\0${boot}\0`));
}

export function groupCrc(row: Omit<GroupRow, 'crc'>): number {
  const { position, id, recorded, oldest, newest, count, boot, mono, synced, body } = row;
  return crc32(
    body,
    crc32(`${position}\0${id}\0${recorded}\0${oldest}\0${newest}\0${count}\0${boot}\0${mono}\0${synced}`),
  );
}

export function readEvent(row: EventRow): JournalRow | DamagedRow {
  const { position, id, recorded, boot } = row;
  try {
    if (row.crc !== null && row.crc !== eventCrc(row)) throw new Error('checksum');
    const event = { ...(JSON.parse(row.body) as EventDraft), id, position, recorded, boot };
    return { position, kind: 'event', event };
  } catch (error) {
    const streams: readonly Stream[] = row.stream === 'a' || row.stream === 't' ? [row.stream] : ['a', 't'];
    return { table: 'rows', position, streams, count: 1, why: String(error) };
  }
}

export function readGroup(n: number, row: GroupRow): JournalRow | DamagedRow {
  const { position, id, recorded, oldest, newest, count, boot, mono } = row;
  try {
    if (row.crc !== null && row.crc !== groupCrc(row)) throw new Error('checksum');
    const samples = unpack(row.body, MOST_BYTES);
    return {
      position,
      kind: 'group',
      id,
      recorded,
      oldest,
      newest,
      count,
      boot,
      mono,
      synced: row.synced === 1,
      samples,
    };
  } catch (error) {
    const known = Number.isSafeInteger(count) && count >= 1 && count <= 1000 ? count : 1;
    const times = oldest > 0 && oldest <= newest && newest <= recorded + DAY ? { from: oldest, to: newest } : {};
    return { table: `tel_${n}`, position, streams: ['t'], count: known, ...times, why: String(error) };
  }
}

export const isDamagedRow = (row: JournalRow | DamagedRow): row is DamagedRow => 'table' in row;

/** Rows as they were asked for, behind a position and rising. Where a page was overwritten in part, SQLite may find rows that are none: damage, too. */
export function inOrder<T extends { readonly position: number }>(rows: readonly T[], after: number): readonly T[] {
  let last = after;
  for (const { position } of rows) {
    if (!(position > last)) throw Object.assign(new Error('rows out of order'), { code: 'SQLITE_CORRUPT' });
    last = position;
  }
  return rows;
}
