/**
 * Erasure (design, section 4): what the journal holds of a person, a device or a form is taken out of it, a few rows at a time beside the running
 * gateway, and does not come back.
 *
 * - An event keeps its envelope and loses its body; a telemetry group loses the samples. Of members that may have been sent the hash of their data stays
 *   with the feed it was made for (`erased`), so that a replay still verifies; members not yet sent go out as erased. Each feed that may have got some is
 *   told their ids (`feed.erased`), and nothing else.
 * - Rows are overwritten where they stand, padded to their old length, so that no page keeps an older copy beside them. The small tables are written
 *   anew. Then free pages are filled with zeros and the write-ahead log is emptied (scrub.ts), and a file of at most VACUUM_BYTES is rebuilt (erasure.ts).
 * - Members that left are told in the transaction that takes their content.
 * Not promised: what the card itself keeps of blocks it replaced; files that were copied away before; damaged files that were set aside.
 */
import { type Alarm, withoutContent, withoutPictures } from '../base/alarm.ts';
import type { EventDraft } from '../base/event.ts';
import { STREAMS, type Stream } from '../base/event.ts';
import type { EraseCounts, ErasedMark, ErasedMarks, EraseWhat, JournalRow } from '../base/feed.ts';
import { pack, padded, unpack } from '../base/pack.ts';
import type { Sqlite } from '../io/sqlite.ts';
import { ZEROS } from './feed.ts';
import { isAbout, isSampleOf, mentions, type PastSample } from './matching.ts';
import { type EventRow, eventCrc, type GroupRow, groupCrc } from './rows.ts';
import type { Segment, Store } from './store.ts';
import type { Streams } from './streams.ts';
import { recount } from './tally.ts';

const ROWS_A_STEP = 200;
const GROUPS_A_STEP = 32;
const MOST_BYTES = 1024 * 1024;
const SMALL = ['alarms', 'states', 'memory', 'feed_memory', 'gaps', 'quarantine'] as const;

const NOWHERE = { position: 0, seq: 0, hash: ZEROS };

/** rows that go, and the feeds that may hold them */
type Told = readonly { readonly feed: string; readonly stream: Stream; readonly id: string }[];

/** Which rows are looked at: behind `after`, up to `upTo`. */
export interface Span {
  readonly after: number;
  readonly upTo: number;
  /** only alarms that are over and did not change since, UTC ms; rule states and open alarms tell of now */
  readonly unchangedSince?: number;
}

export class Eraser {
  readonly what: EraseWhat;
  private readonly store: Store;
  private readonly streams: Streams;
  /** something was deleted or written over */
  touched = false;
  private readonly span: Span;
  private readonly counts = { events: 0, groups: 0, samples: 0, alarms: 0, states: 0 };
  private at: number;
  private end: number;
  private segments: Segment[];
  private small: readonly (typeof SMALL)[number][] = SMALL;
  private phase: 'rows' | 'groups' | 'tables' | 'small' | 'done' = 'rows';

  constructor(store: Store, streams: Streams, what: EraseWhat, span: Span = { after: 0, upTo: store.head - 1 }) {
    this.store = store;
    this.streams = streams;
    this.what = what;
    this.span = span;
    this.at = span.after;
    this.end = span.upTo;
    this.segments = store.segments().filter(({ first, last }) => last > span.after && first <= span.upTo);
  }

  /** @returns what was erased, when it is done; what lies in free pages is then still to be written over */
  step(wall: number): EraseCounts | undefined {
    if (this.phase === 'rows') this.rows(wall);
    else if (this.phase === 'groups') this.groups(wall);
    else if (this.phase === 'tables') this.tables();
    else if (this.phase === 'small') this.rewriteOne();
    return this.phase === 'done' ? this.counts : undefined;
  }

  private rows(wall: number): void {
    const { store, what } = this;
    const query = store.db.prepare('SELECT * FROM rows WHERE position > ? AND position <= ? ORDER BY position LIMIT ?');
    const rows = query.all(this.at, this.end, ROWS_A_STEP) as EventRow[];
    const hit = rows.filter((row) => isAbout(JSON.parse(row.body) as EventDraft, what));
    if (hit.length > 0) {
      const { marks, told } = this.marksOf(store.eventsAfter((hit[0]?.position ?? 1) - 1, ROWS_A_STEP), hit);
      store.write((db) => {
        for (const row of hit) this.eraseEvent(db, row, marks.get(row.position) ?? {});
        recount(db, 'events', hit[0]?.position ?? 0, hit.at(-1)?.position ?? 0);
        this.tell(db, wall, told);
      });
      this.counts.events += hit.length;
    }
    this.at = rows.at(-1)?.position ?? this.end;
    if (rows.length < ROWS_A_STEP) this.next('groups');
  }

  private groups(wall: number): void {
    const { store, what } = this;
    const [segment] = this.segments;
    if (segment === undefined) return this.next('tables');
    const exists = store.segments().some((s) => s.n === segment.n);
    const query = exists
      ? store.db.prepare(
          `SELECT * FROM tel_${segment.n} WHERE position > ? AND position <= ? ORDER BY position LIMIT ?`,
        )
      : undefined;
    const rows = (query?.all(this.at, this.end, GROUPS_A_STEP) ?? []) as GroupRow[];
    const hit = rows.flatMap((row) => {
      const kept = rest(row, what);
      return kept === undefined ? [] : [{ row, kept }];
    });
    if (hit.length > 0) {
      const positions = new Set(hit.map(({ row }) => row.position));
      const before = store.groupsIn(segment.n, this.at, GROUPS_A_STEP).filter((row) => positions.has(row.position));
      const { marks, told } = this.marksOf(
        before,
        hit.map(({ row }) => row),
      );
      store.write((db) => {
        for (const { row, kept } of hit) this.eraseGroup(db, segment.n, row, kept, marks.get(row.position) ?? {});
        recount(db, 'groups', hit[0]?.row.position ?? 0, hit.at(-1)?.row.position ?? 0);
        this.tell(db, wall, told);
      });
      for (const { row, kept } of hit) this.counts.samples += row.count - kept.count;
      this.counts.groups += hit.length;
    }
    this.at = rows.at(-1)?.position ?? this.at;
    if (rows.length < GROUPS_A_STEP) this.segments = this.segments.slice(1);
  }

  /** What each feed was told, or would have been, of rows that go. */
  private marksOf(
    rows: readonly JournalRow[],
    hit: readonly { readonly position: number; readonly id: string }[],
  ): { readonly marks: ReadonlyMap<number, ErasedMarks>; readonly told: Told } {
    const told: Told[number][] = [];
    const ids = new Map(hit.map(({ position, id }) => [position, id]));
    const found = new Map<number, Record<string, ErasedMark>>();
    for (const row of rows) {
      const id = ids.get(row.position);
      if (id === undefined || row.kind === 'gap') continue;
      const marks: Record<string, ErasedMark> = { ...row.erased };
      for (const feed of this.streams.ids())
        for (const stream of STREAMS) {
          const made = this.toldOf(feed, stream, row);
          if (made === undefined) continue;
          const isOld = marks[feed]?.epoch !== undefined && marks[feed].epoch !== '';
          if (!isOld) marks[feed] = markOf(made.payload, made.mayHaveLeft ? made.epoch : '');
          if (made.mayHaveLeft) told.push({ feed, stream, id });
        }
      found.set(row.position, marks);
    }
    return { marks: found, told };
  }

  /** The member a row makes for a feed, and whether it may have been sent; undefined when it is not for it. */
  private toldOf(feed: string, stream: Stream, row: JournalRow): Made | undefined {
    const { contract, acked, standing } = this.streams.look(feed);
    if (row.position <= standing.since) return undefined;
    const member = this.streams.outward.encode(contract, stream, NOWHERE, row);
    if (member === undefined) return undefined;
    const payload = contract.encoding === 'json+zstd' ? unpack(member.payload, MOST_BYTES) : member.payload;
    const mayHaveLeft = row.position <= Math.max(acked[stream].position, standing.sent[stream]);
    return { epoch: contract.epoch, payload, mayHaveLeft };
  }

  /** Part of the transaction that takes the content: nobody who holds it stays untold. */
  private tell(db: Sqlite, wall: number, told: Told): void {
    for (const feed of new Set(told.map((one) => one.feed)))
      for (const stream of STREAMS) {
        const erased = told.filter((one) => one.feed === feed && one.stream === stream).map(({ id }) => id);
        if (erased.length > 0) this.streams.appendTo(db, feed, stream, wall, { reason: 'erased', erased });
      }
  }

  private eraseEvent(db: Sqlite, row: EventRow, marks: ErasedMarks): void {
    const draft = JSON.parse(row.body) as EventDraft;
    const text = JSON.stringify({ ...draft, data: { erased: true } });
    const body = text + ' '.repeat(Math.max(0, Buffer.byteLength(row.body) - Buffer.byteLength(text)));
    const crc = row.crc === null ? null : eventCrc({ ...row, body });
    db.prepare('UPDATE rows SET body = ?, crc = ? WHERE position = ?').run(body, crc, row.position);
    this.store.markErased(db, row.position, marks);
  }

  private eraseGroup(db: Sqlite, n: number, row: GroupRow, kept: Kept, marks: ErasedMarks): void {
    const { count, oldest, newest } = kept;
    const body = padded(pack(kept.bytes), row.body.length);
    const crc = row.crc === null ? null : groupCrc({ ...row, count, oldest, newest, body });
    db.prepare(`UPDATE tel_${n} SET count = ?, oldest = ?, newest = ?, body = ?, crc = ? WHERE position = ?`).run(
      count,
      oldest,
      newest,
      body,
      crc,
      row.position,
    );
    this.store.markErased(db, row.position, marks);
  }

  /** What is kept by key: gone where it is about them. */
  private tables(): void {
    const { store, what, counts } = this;
    const { upTo, unchangedSince } = this.span;
    store.write((db) => {
      const { changes } = db.prepare('DELETE FROM quarantine WHERE position <= ?').run(upTo);
      this.alarms(db);
      this.touched = changes + counts.events + counts.groups + counts.alarms > 0;
      if (unchangedSince !== undefined) return;
      for (const { key, body } of db.prepare('SELECT key, body FROM states').all() as { key: string; body: string }[])
        if (mentions(key, body, what)) counts.states += db.prepare('DELETE FROM states WHERE key = ?').run(key).changes;
      for (const { device, key, body } of db.prepare('SELECT * FROM memory').all() as Record<string, string>[])
        if (what.person !== undefined && (body ?? '').includes(what.person))
          db.prepare('DELETE FROM memory WHERE device = ? AND key = ?').run(device, key);
    });
    if (!this.touched && unchangedSince !== undefined) this.small = [];
    this.next('small');
  }

  private alarms(db: Sqlite): void {
    const { pictures = [] } = this.what;
    const { unchangedSince } = this.span;
    for (const { key, body, open } of db.prepare('SELECT key, body, open FROM alarms').all() as AlarmRow[]) {
      const alarm = JSON.parse(body) as Alarm;
      const isMeant = mentions(key, body, this.what);
      if (isMeant && unchangedSince !== undefined && (open === 1 || alarm.changed >= unchangedSince)) continue;
      const left = isMeant ? withoutContent(alarm) : withoutPictures(alarm, pictures);
      if (left === alarm) continue;
      this.counts.alarms++;
      if (isMeant && open === 0) db.prepare('DELETE FROM alarms WHERE key = ?').run(key);
      else db.prepare('UPDATE alarms SET body = ? WHERE key = ?').run(JSON.stringify(left), key);
    }
  }

  /** Written anew, so that nothing older stays in its pages. */
  private rewriteOne(): void {
    const [table, ...rest] = this.small;
    if (table === undefined) return this.next('done');
    const { db } = this.store;
    db.pragma('secure_delete = ON');
    this.store.write((tx) => rewrite(tx, table));
    db.pragma('secure_delete = FAST');
    this.small = rest;
  }

  private next(phase: Eraser['phase']): void {
    this.phase = phase;
    this.at = this.span.after;
  }
}

interface Made {
  readonly epoch: string;
  readonly payload: Uint8Array;
  readonly mayHaveLeft: boolean;
}

interface AlarmRow {
  readonly key: string;
  readonly body: string;
  readonly open: number;
}

interface Kept {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly oldest: number;
  readonly newest: number;
}

/** What stays of a group; undefined when nothing of it goes. */
function rest(row: GroupRow, what: EraseWhat): Kept | undefined {
  let text: string;
  try {
    text = new TextDecoder().decode(unpack(row.body, MOST_BYTES));
  } catch {
    // Damaged: put aside when it is read for a feed, and the quarantine is emptied here.
    return undefined;
  }
  const parsed = JSON.parse(text) as PastSample[] | { salt: string; samples: PastSample[] };
  const samples = Array.isArray(parsed) ? parsed : parsed.samples;
  const kept = samples.filter((sample) => !isSampleOf(sample, what));
  if (kept.length === samples.length) return undefined;
  const times = kept.map((s) => Date.parse(s.t));
  const left = Array.isArray(parsed) ? kept : { salt: parsed.salt, samples: kept };
  return {
    bytes: new TextEncoder().encode(JSON.stringify(kept.length === 0 ? [] : left)),
    count: kept.length,
    oldest: kept.length === 0 ? row.oldest : Math.min(...times),
    newest: kept.length === 0 ? row.newest : Math.max(...times),
  };
}

function markOf(payload: Uint8Array, epoch: string): ErasedMark {
  const { wndata, time, subject } = JSON.parse(new TextDecoder().decode(payload)) as Record<string, string>;
  return { epoch, wndata: wndata ?? '', time: time ?? '', ...(subject === undefined ? {} : { subject }) };
}

function rewrite(db: Sqlite, table: (typeof SMALL)[number]): void {
  const rows = db.prepare(`SELECT * FROM ${table}`).raw().all() as unknown[][];
  db.exec(`DELETE FROM ${table}`);
  const marks = Array.from({ length: rows[0]?.length ?? 0 }, () => '?').join(', ');
  if (marks === '') return;
  const insert = db.prepare(`INSERT INTO ${table} VALUES (${marks})`);
  for (const row of rows) insert.run(...row);
}
