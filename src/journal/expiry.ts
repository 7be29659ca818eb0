/**
 * `keep_days`: what was stored before its class's day goes, as an erasure takes it (eraser.ts), and wins over any other retention.
 *
 * - A class is looked through from where its last run ended, so that a day costs what a day brought; a class that names other things than it did is
 *   looked through from the beginning. Age is that of storing: what came late is kept its days from when it came.
 * - Telemetry is written in groups that several devices share; of such a group the samples that go are taken, and the others stay: it is written once
 *   more where it stands. Whole groups only would keep a sample for as long as its neighbours are kept.
 * - Alarms that are over go with their last change. An open alarm and the state of a rule tell of now, and stay while they last: to drop them would
 *   lose the alarm.
 * - What retention dropped leaves its content in free pages; they are written over once a day when anything was dropped or erased,
 *   and in the first run of a process. That costs as many
 *   bytes as are free in the file.
 * One step is one short transaction.
 */
import { createHash } from 'node:crypto';
import type { KeepClass, KeptCounts } from '../base/feed.ts';
import { youngFrom } from './ages.ts';
import { Eraser } from './eraser.ts';
import { firstPosition } from './history.ts';
import { readMeta, setMeta } from './meta.ts';
import { Scrub } from './scrub.ts';
import type { Store } from './store.ts';
import type { Streams } from './streams.ts';

const META = 'kept';

/** How far each class was looked through, by its days, and what was gone when free pages were written over. */
interface Done {
  readonly classes: Readonly<Record<string, { readonly mark: string; readonly upTo: number }>>;
  readonly scrubbed?: string;
}

export class Expiry {
  readonly classes: readonly KeepClass[];
  private readonly store: Store;
  private readonly streams: Streams;
  private readonly counts: KeptCounts[] = [];
  private left: readonly KeepClass[];
  private eraser: Eraser | undefined;
  private upTo = 0;
  private scrub: Scrub | undefined;
  private touched: boolean;

  /** @param isFirst of this process: the one before may have been cut short */
  constructor(store: Store, streams: Streams, classes: readonly KeepClass[], isFirst: boolean) {
    this.store = store;
    this.streams = streams;
    this.classes = classes;
    this.left = classes;
    this.touched = isFirst;
  }

  /** @returns what went of each class, when it is done */
  step(wall: number): readonly KeptCounts[] | undefined {
    const [kept] = this.left;
    if (kept !== undefined) this.expire(kept, wall);
    else if (this.scrub !== undefined) return this.finish(this.scrub);
    else if (this.touched || this.done().scrubbed !== this.gone()) this.scrub = new Scrub(this.store);
    else return this.counts;
    return undefined;
  }

  private expire(kept: KeepClass, wall: number): void {
    const { store } = this;
    if (this.eraser === undefined) {
      const known = this.done().classes[kept.days];
      const after = known?.mark === markOf(kept) ? known.upTo : 0;
      this.upTo = Math.max(after, lastBefore(store, kept.before));
      const span = { after, upTo: this.upTo, unchangedSince: kept.before };
      this.eraser = new Eraser(store, this.streams, kept.what, span);
    }
    const counts = this.eraser.step(wall);
    if (counts === undefined) return;
    this.touched ||= this.eraser.touched;
    this.eraser = undefined;
    this.counts.push({ ...counts, days: kept.days });
    this.left = this.left.slice(1);
    this.save((done) => ({ ...done, classes: this.marked(done, kept) }));
  }

  private marked({ classes }: Done, kept: KeepClass): Done['classes'] {
    const current = new Set(this.classes.map(({ days }) => String(days)));
    const others = Object.entries(classes).filter(([days]) => current.has(days));
    return { ...Object.fromEntries(others), [kept.days]: { mark: markOf(kept), upTo: this.upTo } };
  }

  private finish(scrub: Scrub): readonly KeptCounts[] | undefined {
    if (scrub.step()) return undefined;
    if (scrub.isWhole) this.save((done) => ({ ...done, scrubbed: this.gone() }));
    return this.counts;
  }

  /** changes when retention drops something */
  private gone(): string {
    const row = this.store.db.prepare('SELECT min(position) FROM rows').pluck().get();
    return `${this.store.segments()[0]?.n ?? 0} ${String(row)}`;
  }

  private done(): Done {
    const text = readMeta(this.store.db, META);
    return text === undefined ? { classes: {} } : (JSON.parse(text) as Done);
  }

  private save(change: (done: Done) => Done): void {
    const body = JSON.stringify(change(this.done()));
    this.store.write((db) => setMeta(db, META, body));
  }
}

const markOf = ({ what }: KeepClass): string =>
  createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 16);

/** The last position that was stored before a time. */
function lastBefore(store: Store, before: number): number {
  return Math.min(youngFrom(store.db, before) - 1, lastRecordedBefore(store, before));
}

function lastRecordedBefore(store: Store, before: number): number {
  const rows = firstPosition(store.db, 'rows', before) - 1;
  const segments = store.segments().filter(({ groups }) => groups > 0);
  for (const { n, first } of segments.reverse()) {
    const group = firstPosition(store.db, `tel_${n}`, before) - 1;
    if (group >= first) return Math.max(rows, group);
  }
  return rows;
}
