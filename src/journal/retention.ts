/**
 * What may go, in which order, and who loses it.
 *
 * - A telemetry segment goes when every feed has passed it. Room is made of the oldest segment first. Rows are stored once for all feeds, so giving
 *   up for one feed what another still wants would free nothing: a feed that stays behind longer than its `keep` loses the oldest segment only when
 *   nobody else wants it, and for a full disk the feeds of least `priority`, which alone hold the oldest segments or share them, lose them in that order.
 * - Alarms, acks, command results and forms go when they are ALARM_DAYS old, or while all rows of this kind take more than half the budget. Nobody's
 *   telemetry is spared at their cost.
 * - Before anything goes the views of those who lose it are run over it (measure.ts), and what they were entitled to becomes their gap, in the
 *   transaction in which the rows go: they and the gap are there together or not at all.
 * - Nothing is too old by a clock that is not synchronised, nor for having been stored under one (ages.ts).
 * One step takes a few milliseconds, so that no commit waits long; only when a commit finds no room at all is a whole segment measured at once.
 */
import { STREAMS } from '../base/event.ts';
import { youngFrom } from './ages.ts';
import type { Behind, Fresh, Losing } from './feed.ts';
import type { Measure } from './measure.ts';
import { putAside } from './quarantine.ts';
import type { Segment, Store } from './store.ts';
import type { Streams } from './streams.ts';

const ALARM_DAYS = 180;
const DAY = 86_400_000;
const ROWS_A_STEP = 200;
const GROUPS_A_STEP = 16;
/** how long a journal is left alone to which nothing comes and from which nothing is taken */
const IDLE = 600_000;

/** A segment on its way out, and how far each feed's loss is counted. */
interface Going {
  readonly segment: Segment;
  readonly counts: Map<string, { readonly measure: Measure; at: number }>;
}

export class Retention {
  private readonly store: Store;
  private readonly streams: Streams;
  private going: Going | undefined;
  /** how the journal stood when nothing was to be done */
  private seen = { at: '', wall: 0 };
  /** whether the clock tells how old something is */
  private isTimed = false;

  constructor(store: Store, streams: Streams) {
    this.store = store;
    this.streams = streams;
  }

  /** @returns whether there is more to do at once */
  step(fresh: Fresh, synced: boolean): boolean {
    this.isTimed = synced;
    const at = `${this.store.head} ${this.streams.progress()}`;
    if (at === this.seen.at && fresh.wall - this.seen.wall < IDLE) return false;
    if (this.work(fresh)) return true;
    this.seen = { at, wall: fresh.wall };
    this.store.room.ballast();
    return false;
  }

  private work(fresh: Fresh): boolean {
    const use = this.store.room.use();
    const isOver = this.store.room.isOver(use);
    const segments = this.store.segments();
    if (this.dropRows(fresh, this.store.room.isOverWithRows(use))) return true;
    return this.dropSegment(fresh, segments, isOver, GROUPS_A_STEP);
  }

  /** A commit found no room. @returns whether some was made */
  makeRoom(fresh: Fresh): boolean {
    if (this.store.dropScrub()) return true;
    const segments = this.store.segments();
    // A disk that others filled is no reason to give up an alarm: the commit goes to memory, with everything nobody has taken.
    if (segments.length <= 1)
      return this.store.room.isOverWithRows(this.store.room.use()) && this.dropRows(fresh, true);
    while (this.store.segments().length === segments.length)
      if (!this.dropSegment(fresh, segments, true, Number.MAX_SAFE_INTEGER)) return false;
    return true;
  }

  private dropSegment(fresh: Fresh, segments: readonly Segment[], isFull: boolean, groups: number): boolean {
    const [oldest] = segments;
    // The segment being written stays.
    if (oldest === undefined || segments.length === 1) return false;
    const behind = this.streams.behind('t', oldest.last);
    const isLate = ({ keepMs }: Behind): boolean =>
      isFull || (fresh.wall - oldest.newest > keepMs && this.isOlder(oldest.last, fresh.wall - keepMs));
    if (!behind.every(isLate)) return false;
    if (this.going?.segment.n !== oldest.n) this.going = { segment: oldest, counts: new Map() };
    for (const { id } of behind) if (!this.count(this.going, id, groups, fresh)) return true;
    const { counts } = this.going;
    const plans = behind.flatMap(({ id, acked }): Losing[] => {
      const loss = counts.get(id)?.measure.behind(acked);
      return loss === undefined ? [] : [{ id, stream: 't', loss, position: oldest.last }];
    });
    this.going = undefined;
    this.streams.lose(plans, isFull ? 'disk-full' : 'kept-too-long', fresh, (db) => this.store.dropSegment(db, oldest));
    return true;
  }

  private isOlder(position: number, wall: number): boolean {
    return this.isTimed && position < youngFrom(this.store.db, wall);
  }

  /** Counts on what a feed loses; true when all is counted. */
  private count({ segment, counts }: Going, id: string, groups: number, fresh: Fresh): boolean {
    let known = counts.get(id);
    const { epoch } = this.streams.look(id).contract;
    if (known === undefined || known.measure.epoch !== epoch) {
      known = { measure: this.streams.measure(id, 't'), at: segment.first - 1 };
      counts.set(id, known);
    }
    if (known.at >= segment.last) return true;
    const rows = this.store.groupsIn(segment.n, known.at, Math.min(groups, 4096));
    putAside(this.store, this.streams, fresh);
    known.measure.add(rows);
    known.at = rows.at(-1)?.position ?? segment.last;
    return known.at >= segment.last;
  }

  /** The oldest event rows, when they are old, or for want of room. */
  private dropRows(fresh: Fresh, isOver: boolean): boolean {
    const before = fresh.wall - ALARM_DAYS * DAY;
    // Recorded times never fall along the positions, so the first rows tell; a search by time would read the whole table.
    const rows = this.store.db
      .prepare('SELECT position, recorded FROM rows ORDER BY position LIMIT ?')
      .all(ROWS_A_STEP) as {
      position: number;
      recorded: number;
    }[];
    // For want of room the older half goes: never the newest.
    const going = isOver
      ? rows.slice(0, Math.floor(rows.length / 2))
      : rows.filter((row) => row.recorded < before && this.isOlder(row.position, before));
    const last = going.at(-1)?.position;
    if (last === undefined) return false;
    const events = this.store.eventsAfter(0, going.length);
    putAside(this.store, this.streams, fresh);
    const plans = STREAMS.flatMap((stream) =>
      this.streams.behind(stream, last).flatMap(({ id, acked }): Losing[] => {
        const loss = this.streams.measure(id, stream).add(events).behind(acked);
        return loss === undefined ? [] : [{ id, stream, loss, position: last }];
      }),
    );
    this.streams.lose(plans, isOver ? 'disk-full' : 'kept-too-long', fresh, (db) => this.store.dropEvents(db, last));
    return true;
  }
}
