/**
 * The journal read back, oldest first, without touching it: for the history of alarms and for replaying rules. A second, read-only connection;
 * it works beside a running gateway and when none runs. Rows are read in pages, so memory stays what a page takes.
 */

import { WeinaoError } from '../base/errors/index.ts';
import type { EventDraft } from '../base/event.ts';
import { unpack } from '../base/pack.ts';
import { exists } from '../io/process.ts';
import { openSqliteReadOnly, type Sqlite } from '../io/sqlite.ts';

const PAGE = 500;
const MOST_BYTES = 128 * 1024;

export interface PastEvent {
  readonly kind: 'event';
  readonly position: number;
  readonly id: string;
  readonly recorded: number;
  readonly event: EventDraft;
}

/** One sample of a telemetry group, as it was stored. */
export interface PastSample {
  readonly d: string;
  readonly p: string;
  /** ISO time */
  readonly t: string;
  readonly v?: boolean | number | string;
  readonly q?: 'uncertain' | 'bad';
  readonly why?: string;
}

export interface PastSamples {
  readonly kind: 'samples';
  readonly position: number;
  readonly id: string;
  readonly recorded: number;
  readonly samples: readonly PastSample[];
}

export interface History {
  /** @param from UTC ms, inclusive; @param to exclusive */
  rows(from: number, to: number): Generator<PastEvent | PastSamples>;
  /** the newest alarm transitions, newest first */
  alarms(limit: number, wanted: (event: EventDraft) => boolean): PastEvent[];
}

/** A look at the history, over when the work is. Throws journal.none. */
export function withHistory<T>(path: string, work: (history: History) => T): T {
  if (!exists(path)) throw new WeinaoError('journal.none', { path });
  const db = openSqliteReadOnly(path);
  try {
    return work(historyOf(db));
  } finally {
    db.close();
  }
}

/** The same for a look that takes its time. */
export async function throughHistory<T>(path: string, work: (history: History) => Promise<T>): Promise<T> {
  if (!exists(path)) throw new WeinaoError('journal.none', { path });
  const db = openSqliteReadOnly(path);
  try {
    return await work(historyOf(db));
  } finally {
    db.close();
  }
}

const historyOf = (db: Sqlite): History => ({
  rows: (from, to) => merged(events(db, from, to), samples(db, from, to)),
  alarms: (limit, wanted) => newestAlarms(db, limit, wanted),
});

interface Row {
  readonly position: number;
  readonly id: string;
  readonly recorded: number;
  readonly body: string;
}

const eventOf = ({ position, id, recorded, body }: Row): PastEvent => ({
  kind: 'event',
  position,
  id,
  recorded,
  event: JSON.parse(body) as EventDraft,
});

function* events(db: Sqlite, from: number, to: number): Generator<PastEvent> {
  for (const row of pages<Row>(db, 'rows', 'id, body', from, to)) yield eventOf(row);
}

function* samples(db: Sqlite, from: number, to: number): Generator<PastSamples> {
  const segments = db.prepare('SELECT n FROM segments ORDER BY n').pluck().all() as number[];
  for (const n of segments) {
    const rows = pages<{ position: number; id: string; recorded: number; body: Uint8Array }>(
      db,
      `tel_${n}`,
      'id, body',
      from,
      to,
    );
    for (const { position, id, recorded, body } of rows)
      yield { kind: 'samples', position, id, recorded, samples: samplesOf(body) };
  }
}

/** Rows of a table recorded in [from, to), a page at a time, from where that begins. */
function* pages<T extends { readonly position: number; readonly recorded: number }>(
  db: Sqlite,
  table: string,
  columns: string,
  from: number,
  to: number,
): Generator<T> {
  const page = db.prepare(
    `SELECT position, recorded, ${columns} FROM ${table} WHERE position > ? ORDER BY position LIMIT ?`,
  );
  for (let after = firstPosition(db, table, from) - 1; ; ) {
    const rows = page.all(after, PAGE) as T[];
    for (const row of rows) {
      if (row.recorded >= to) return;
      yield row;
    }
    if (rows.length < PAGE) return;
    after = rows.at(-1)?.position ?? after;
  }
}

/** Recorded times never fall along the positions: found by halving. */
export function firstPosition(db: Sqlite, table: string, from: number): number {
  const at = db.prepare(`SELECT position, recorded FROM ${table} WHERE position >= ? ORDER BY position LIMIT 1`);
  // Each end for itself: asked together they are found by reading the whole table.
  const ends = db
    .prepare(`SELECT (SELECT min(position) FROM ${table}) AS low, (SELECT max(position) FROM ${table}) AS high`)
    .get() as {
    low: number | null;
    high: number | null;
  };
  let [low, high] = [ends.low ?? 0, (ends.high ?? 0) + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = at.get(middle) as { recorded: number } | undefined;
    if (row === undefined || row.recorded >= from) high = middle;
    else low = middle + 1;
  }
  return low;
}

function samplesOf(body: Uint8Array): readonly PastSample[] {
  const data = JSON.parse(Buffer.from(unpack(body, MOST_BYTES)).toString('utf8')) as
    | readonly PastSample[]
    | { readonly samples: readonly PastSample[] };
  return 'samples' in data ? data.samples : data;
}

/** Two streams of one counter. */
function* merged(a: Generator<PastEvent>, b: Generator<PastSamples>): Generator<PastEvent | PastSamples> {
  let [x, y] = [a.next(), b.next()];
  for (;;) {
    if (x.done === true && y.done === true) return;
    if (y.done === true || (x.done !== true && x.value.position < y.value.position)) {
      if (x.done !== true) yield x.value;
      x = a.next();
    } else {
      yield y.value;
      y = b.next();
    }
  }
}

function newestAlarms(db: Sqlite, limit: number, wanted: (event: EventDraft) => boolean): PastEvent[] {
  const page = db.prepare(
    "SELECT position, id, recorded, body FROM rows WHERE position < ? AND kind LIKE 'alarm.%' ORDER BY position DESC LIMIT ?",
  );
  const found: PastEvent[] = [];
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const rows = page.all(before, PAGE) as Row[];
    for (const row of rows) {
      const past = eventOf(row);
      if (wanted(past.event)) found.push(past);
      if (found.length >= limit) return found;
    }
    if (rows.length < PAGE) return found;
    before = rows.at(-1)?.position ?? 0;
  }
}
