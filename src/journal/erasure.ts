/** An erasure that somebody asked for, from the first row to the last free page. */
import type { EraseCounts, EraseWhat } from '../base/feed.ts';
import { Eraser } from './eraser.ts';
import { emptyLog } from './file.ts';
import { Scrub } from './scrub.ts';
import type { Store } from './store.ts';
import type { Streams } from './streams.ts';

const VACUUM_BYTES = 64 * 1024 * 1024;

export class Erasure {
  readonly what: EraseWhat;
  private readonly store: Store;
  private readonly eraser: Eraser;
  private readonly scrub: Scrub;
  private counts: EraseCounts | undefined;

  constructor(store: Store, streams: Streams, what: EraseWhat) {
    this.store = store;
    this.what = what;
    this.eraser = new Eraser(store, streams, what);
    this.scrub = new Scrub(store);
  }

  /** @returns what was erased, when it is done */
  step(wall: number): EraseCounts | undefined {
    if (this.counts === undefined) this.counts = this.eraser.step(wall);
    else if (!this.scrub.step()) return this.rebuilt(this.counts);
    return undefined;
  }

  private rebuilt(counts: EraseCounts): EraseCounts {
    const { db, durable, room } = this.store;
    if (durable && room.use().used <= VACUUM_BYTES) {
      db.exec('VACUUM');
      emptyLog(this.store);
    }
    return counts;
  }
}
