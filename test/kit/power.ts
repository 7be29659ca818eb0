/**
 * A card that loses its power: the trace of disktrace.c played forward, and what the journal's files hold when it ends before a record. Each file
 * holds what its last sync covered, and of the writes behind it nothing, the first ones, or some of them torn in the middle of a row of sectors.
 */
import type { TraceRecord } from './disktrace.ts';

const SECTOR = 512;
export const MODES = ['lost', 'prefix', 'torn'] as const;
export type Mode = (typeof MODES)[number];

class CardFile {
  private bytes = Buffer.alloc(1024 * 1024);
  private size = 0;
  private unsynced: TraceRecord[] = [];

  take(record: TraceRecord): void {
    if (record.kind !== 'sync') return void this.unsynced.push(record);
    for (const before of this.unsynced) this.apply(before);
    this.unsynced = [];
  }

  after(mode: Mode, random: () => number): Buffer {
    const copy = new CardFile();
    copy.bytes = Buffer.from(this.bytes.subarray(0, this.size));
    copy.size = this.size;
    const first = Math.floor(random() * (this.unsynced.length + 1));
    for (const [i, record] of this.unsynced.entries()) {
      if (mode === 'lost' || (mode === 'prefix' && i >= first)) break;
      const sectors = Math.ceil(record.bytes.length / SECTOR);
      // A card writes what it likes in any order: some whole, some in part, some not at all.
      if (mode === 'prefix') copy.apply(record);
      else if (random() < 0.7)
        copy.apply(record, Math.min(record.bytes.length, Math.floor(random() * (sectors + 1)) * SECTOR));
    }
    return copy.bytes.subarray(0, copy.size);
  }

  private apply({ kind, offset, bytes }: TraceRecord, part = bytes.length): void {
    if (kind === 'unlink') return this.resize(0);
    if (kind === 'truncate') return this.resize(offset);
    if (part === 0) return;
    if (offset + part > this.size) this.resize(offset + part);
    bytes.copy(this.bytes, offset, 0, part);
  }

  private resize(to: number): void {
    if (to > this.bytes.length) {
      const grown = Buffer.alloc(2 * to);
      this.bytes.copy(grown, 0, 0, this.size);
      this.bytes = grown;
    }
    this.bytes.fill(0, Math.min(this.size, to), Math.max(this.size, to));
    this.size = to;
  }
}

/** Only forward: a trace is played once. */
export class Card {
  private readonly trace: readonly TraceRecord[];
  private readonly files = { db: new CardFile(), wal: new CardFile() };
  private at = 0;

  constructor(trace: readonly TraceRecord[]) {
    this.trace = trace;
  }

  /** The files when power goes before record `cut`. */
  cut(cut: number, mode: Mode, random: () => number): { readonly db: Buffer; readonly wal: Buffer } {
    for (; this.at < cut; this.at++) {
      const record = this.trace[this.at];
      if (record?.file === 'db' || record?.file === 'wal') this.files[record.file].take(record);
    }
    return { db: this.files.db.after(mode, random), wal: this.files.wal.after(mode, random) };
  }
}
