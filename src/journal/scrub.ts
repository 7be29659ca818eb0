/**
 * What lies in free pages is written over, some at a time: tables of zeros take all of them and give them back one by one, so that nothing here is
 * one long transaction. What the zeros take counts as free (room.ts), and whoever finds no room gets it at once; the rest is then left for the next run.
 */
import { emptyLog } from './file.ts';
import type { Store } from './store.ts';

const PAGES_A_STEP = 256;
const PAGES_A_TABLE = 4096;

export class Scrub {
  private readonly store: Store;
  /** nobody came in between */
  isWhole = true;
  private filling = true;
  private pages = 0;

  constructor(store: Store) {
    this.store = store;
  }

  /** @returns whether there is more to do */
  step(): boolean {
    const { store } = this;
    const free = Number(store.db.pragma('freelist_count', { simple: true }));
    // Somebody needed the room.
    if (this.filling && store.room.zeroed < this.pages) {
      this.filling = false;
      this.isWhole = false;
    }
    if (this.filling && free > 0) {
      // The tables need a page or two for themselves: the last are taken singly, so that none is left and few are new.
      this.fill(Math.min(PAGES_A_STEP, Math.max(1, free - 4)));
      return true;
    }
    this.filling = false;
    if (store.dropScrub()) return true;
    emptyLog(store);
    return false;
  }

  private fill(count: number): void {
    const { store } = this;
    const bytes = Number(store.db.pragma('page_size', { simple: true })) - 100;
    const table = `scrub_${Math.floor(this.pages / PAGES_A_TABLE)}`;
    store.write((db) => {
      db.exec(`CREATE TABLE IF NOT EXISTS ${table} (x BLOB)`);
      const insert = db.prepare(`INSERT INTO ${table} VALUES (zeroblob(?))`);
      for (let i = 0; i < count; i++) insert.run(bytes);
    });
    this.pages += count;
    store.room.zeroed += count;
  }
}
