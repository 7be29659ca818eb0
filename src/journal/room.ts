/**
 * How much the journal may hold. The file is bounded by the budget (`max_page_count`), and by what the disk has left beside it: a floor stays free
 * for others and for the write-ahead log. Telemetry stops at a share of that, so that the newest alarm always finds room. A ballast file gives the
 * first bytes back when somebody else filled the disk: without them not even dropping rows would find room for its log.
 */
import type { Sqlite } from '../io/sqlite.ts';
import { diskBytes, dropFile, reserveFile } from '../io/store-files.ts';

/** what is kept free on the disk */
const FLOOR = 32 * 1024 * 1024;
const BALLAST = 4 * 1024 * 1024;
/** above this share of the limit telemetry goes */
const SHED_AT = 0.9;
/** above this share of the budget no telemetry comes in: the rest is for alarms */
const TELEMETRY_UP_TO = 0.95;
const ALARMS_UP_TO = 0.5;

const MOST_BUDGET = 8 * 1024 ** 3;

/** Half of the disk, at most MOST_BUDGET. */
export const budgetFor = (folder: string): number => Math.min(MOST_BUDGET, (diskBytes(folder) ?? MOST_BUDGET) / 2);

/** what a group takes besides its body, about */
export const ROW_BYTES = 100;

/** Where the file lies. */
export interface Disk {
  readonly path: string;
  /** bytes the disk of a file has left */
  free(path: string): number;
}

export interface Use {
  /** bytes of pages that hold something */
  readonly used: number;
  /** bytes that may be used */
  readonly limit: number;
  /** bytes of event rows, alarms and states, about */
  readonly rows: number;
}

export class Room {
  readonly budget: number;
  /** pages that hold zeros for a while (scrub.ts): as good as free */
  zeroed = 0;
  private readonly db: Sqlite;
  private readonly disk: Disk | undefined;
  private readonly pageSize: number;

  /** @param disk none for a database in memory */
  constructor(db: Sqlite, budget: number, disk?: Disk) {
    this.db = db;
    this.disk = disk;
    this.budget = budget;
    this.pageSize = this.pragma('page_size');
    db.pragma(`max_page_count = ${Math.max(64, Math.floor(budget / this.pageSize))}`);
  }

  use(): Use {
    const pages = this.pragma('page_count');
    const used = (pages - this.pragma('freelist_count') - this.zeroed) * this.pageSize;
    const free = this.disk?.free(this.disk.path) ?? Number.POSITIVE_INFINITY;
    const file = pages * this.pageSize;
    // However full others made the disk: what they leave us is at least half of what we have.
    const limit = Math.min(this.budget, Math.max(file / 2, file + free - FLOOR));
    const { bytes, groups } = this.db
      .prepare('SELECT coalesce(sum(bytes), 0) AS bytes, coalesce(sum(groups), 0) AS groups FROM segments')
      .get() as { bytes: number; groups: number };
    // The pages of telemetry are nearly full.
    return { used, limit, rows: Math.max(0, used - 1.05 * (bytes + ROW_BYTES * groups)) };
  }

  isOver({ used, limit }: Use): boolean {
    return used > SHED_AT * limit;
  }

  isOverWithRows({ rows }: Use): boolean {
    return rows > ALARMS_UP_TO * this.budget;
  }

  /** whether telemetry still comes in */
  takesTelemetry(): boolean {
    return (
      (this.pragma('page_count') - this.pragma('freelist_count') - this.zeroed) * this.pageSize <
      TELEMETRY_UP_TO * this.budget
    );
  }

  /** Lays the ballast when the disk has room for it. */
  ballast(): void {
    if (this.disk === undefined) return;
    const { path, free } = this.disk;
    if (free(path) > FLOOR + 2 * BALLAST) reserveFile(`${path}.ballast`, BALLAST);
  }

  /** @returns whether there was any */
  dropBallast(): boolean {
    return this.disk !== undefined && dropFile(`${this.disk.path}.ballast`);
  }

  private pragma(name: string): number {
    return Number(this.db.pragma(name, { simple: true }));
  }
}
