/** The store's thread, without the thread: takes batches of requests, answers each. Commits that wait together share one transaction. */
import { createHash } from 'node:crypto';
import { isWeinaoError, WeinaoError } from '../base/errors/index.ts';
import type { EraseCounts, EraseWhat, KeepClass, KeptCounts, Outward } from '../base/feed.ts';
import type { Instant } from '../base/time.ts';
import { sqliteCode } from '../io/sqlite.ts';
import { freeBytes } from '../io/store-files.ts';
import { tellDisclosures } from './audit.ts';
import { batchOf } from './batch.ts';
import { depthOf, feedFacts } from './depth.ts';
import { Erasure } from './erasure.ts';
import { Expiry } from './expiry.ts';
import type { Fresh } from './feed.ts';
import { BACK, Homecoming } from './homecoming.ts';
import { Leaving, overdue, reattach } from './leaving.ts';
import { forgetCursors, lostCursors, tellLost, untold } from './losses.ts';
import type { Answer, Numbered, Opening, Request, Work } from './protocol.ts';
import { beginAnew } from './restored.ts';
import { Retention } from './retention.ts';
import { Store } from './store.ts';
import { Streams } from './streams.ts';

const PERSIST_EVERY_COMMITS = 64;

/** What is open. */
interface Open {
  readonly store: Store;
  readonly streams: Streams;
  readonly retention: Retention;
}

export class StoreKeeper {
  private readonly outward: Outward;
  private readonly free: (path: string) => number;
  private readonly answer: (answer: Answer) => void;
  private open: Open | undefined;
  private leaving: Leaving | undefined;
  private erasing: Erasure | undefined;
  private expiring: Expiry | undefined;
  private hasExpired = false;
  private home: Homecoming | undefined;
  /** of the file that was open last */
  private epoch: string | undefined;
  private sincePersist = 0;

  /** @param free bytes the disk of a file has left */
  constructor(outward: Outward, answer: (answer: Answer) => void, free = freeBytes) {
    this.outward = outward;
    this.free = free;
    this.answer = answer;
  }

  /** the store as it is now; undefined before it was opened */
  get current(): Store | undefined {
    return this.open?.store;
  }

  take(batch: readonly Numbered[]): void {
    for (let i = 0; i < batch.length; i++) {
      const request = batch[i];
      if (request === undefined) continue;
      if (request.op === 'ack') {
        this.open?.streams.ack(request.feed, request.stream, request.upTo);
        continue;
      }
      if (request.op !== 'commit') {
        this.one(request, () => this.run(request));
        continue;
      }
      const together: { n: number; work: Work }[] = [];
      for (let next = batch[i]; next?.op === 'commit'; next = batch[++i]) together.push({ n: next.n, work: next.work });
      i--;
      this.commit(together);
    }
  }

  private commit(together: readonly { n: number; work: Work }[]): void {
    try {
      const { store, streams } = this.opened();
      const save = ++this.sincePersist >= PERSIST_EVERY_COMMITS && streams.isDirty;
      if (save) this.sincePersist = 0;
      const stored = store.commit(
        together.map((t) => t.work),
        save ? (db) => streams.save(db) : undefined,
      );
      if (save) streams.saved();
      // One message: waking the other thread costs more than what it is told.
      const { durable } = store;
      const done = together.map(({ n }, i) => ({ n, durable, stored: stored[i] ?? [] }));
      this.answer({ head: store.head, done });
    } catch (error) {
      for (const { n } of together) this.fail(n, error);
    }
  }

  private one(request: Numbered, run: () => unknown): void {
    try {
      this.answer({ n: request.n, value: this.survive(run) });
    } catch (error) {
      this.fail(request.n, error);
    }
  }

  /** Pages found damaged while reading end the file's life, as does what fails while it is written: another one takes its place, and is asked. */
  private survive(run: () => unknown): unknown {
    try {
      return run();
    } catch (error) {
      if (this.open?.store.durable !== true || !isOver(error)) throw error;
      this.open.store.abandon(error);
      return run();
    }
  }

  private fail(n: number, error: unknown): void {
    if (isWeinaoError(error)) this.answer({ n, error: { code: error.code, params: error.params } });
    else this.answer({ n, error: { text: error instanceof Error ? error.message : String(error) } });
  }

  private opened(): Open {
    if (this.open === undefined) throw new WeinaoError('journal.gone', { detail: 'not open' });
    return this.open;
  }

  private run(request: Exclude<Request, { op: 'commit' | 'ack' }>): unknown {
    if (request.op === 'open') return this.start(request.opening);
    const { store, streams } = this.opened();
    switch (request.op) {
      case 'restore':
        return store.restore();
      case 'facts':
        return store.facts();
      case 'feed':
        reattach(store, request.demand.feed);
        return streams.open(request.demand, request);
      case 'renew':
        return streams.renew(request.feed, request.reason, request, request.over);
      case 'next':
        return batchOf(request.stream, streams.next(request.feed, request.stream, request.after, request.limit));
      case 'replay':
        return batchOf(request.stream, streams.replay(request.feed, request.stream, request.after, request.limit));
      case 'hash':
        return streams.hashAt(request.feed, request.stream, request.at);
      case 'gone':
        streams.gone(request.feed, request.stream, request.reason, request.asked, request.wall);
        return this.answer({ head: store.head, done: [] });
      case 'depth':
        return depthOf(store, streams, request.feed);
      case 'feeds':
        return streams.ids().map((id) => feedFacts(store, streams, id));
      case 'named':
        return streams.keepWanted(request.feeds);
      case 'forget':
        return this.forget(request.feed);
      case 'erase':
        return this.erase(request.what, request.wall);
      case 'expire':
        return this.expire(request.classes, request.wall);
      case 'remember':
        return this.remember(request.feed, request.key, request.body);
      case 'heads':
        return streams.heads();
      case 'recall':
        return store.db
          .prepare("SELECT key, body FROM feed_memory WHERE feed = ? AND key NOT LIKE '@%'")
          .all(request.feed);
      case 'persist':
        return this.persist(request);
      case 'close':
        // How long the gateway was off is told by the last thing it did, which may have made no row.
        streams.persist(() => store.keepClock());
        store.close();
        return undefined;
    }
  }

  private start(opening: Opening): unknown {
    // Unique in this process's life, for what nobody outside asked for.
    let epochs = 0;
    const fresh = (): Fresh => ({
      entropy: createHash('sha256').update(opening.entropy).update(String(epochs++)).digest().subarray(0, 18),
      wall: Math.max(opening.now.wall, this.open?.store.newest ?? 0),
    });
    const store = new Store(opening, {
      replaced: (replaced, why) => {
        if (this.open === undefined) return;
        const { streams } = this.open;
        const lost = untold(replaced.db) ?? { why, segments: [], unknown: [], cursors: false };
        const renewed = tellLost(replaced, streams, lost, fresh());
        if (!replaced.durable) this.home?.leave(replaced, this.epoch, undefined);
        this.anew(replaced, streams);
        this.answer({ renewed, why });
      },
      free: this.free,
      makeRoom: () => this.opened().retention.makeRoom(fresh()),
    });
    const streams = this.streamsOf(store, opening, fresh);
    streams.disclosures.at(opening.now);
    this.home = new Homecoming(opening);
    if (!store.durable) this.home.leave(store, undefined, undefined);
    this.anew(store, streams);
    // What their platforms have not taken goes out in a new epoch, and what is missing of it is told.
    const lost = untold(store.db);
    if (lost !== undefined) tellLost(store, streams, lost, fresh());
    beginAnew(store, streams, fresh);
    return store.facts();
  }

  /** Nothing goes on that was begun on another database. */
  private anew(store: Store, streams: Streams): void {
    if (store.durable) this.epoch = store.epoch;
    this.open = { store, streams, retention: new Retention(store, streams) };
    this.leaving = undefined;
    this.erasing = undefined;
    this.expiring = undefined;
  }

  private comeHome(mono: number, fresh: () => Fresh): void {
    const { store, streams } = this.opened();
    const renewed = this.home?.step(store, streams, mono, fresh);
    if (renewed === undefined) return;
    this.anew(store, streams);
    this.answer({ renewed, why: BACK });
    this.answer({ head: store.head, done: [] });
  }

  private streamsOf(store: Store, opening: Opening, fresh: () => Fresh): Streams {
    const make = (): Streams =>
      new Streams(store, this.outward.keyed(opening.secret), { fresh, lost: (lost) => this.answer({ lost }) });
    try {
      return make();
    } catch (error) {
      if (!store.durable) throw error;
      store.abandon(error);
      return make();
    }
  }

  private erase(what: EraseWhat, wall: number): EraseCounts | undefined {
    const { store, streams } = this.opened();
    if (JSON.stringify(this.erasing?.what) !== JSON.stringify(what)) this.erasing = new Erasure(store, streams, what);
    const done = this.erasing?.step(wall);
    if (done === undefined) return undefined;
    this.erasing = undefined;
    this.answer({ head: store.head, done: [] });
    return done;
  }

  private expire(classes: readonly KeepClass[], wall: number): readonly KeptCounts[] | undefined {
    const { store, streams } = this.opened();
    if (JSON.stringify(this.expiring?.classes) !== JSON.stringify(classes))
      this.expiring = new Expiry(store, streams, classes, !this.hasExpired);
    const done = this.expiring?.step(wall);
    if (done === undefined) return undefined;
    this.expiring = undefined;
    this.hasExpired = true;
    this.answer({ head: store.head, done: [] });
    return done;
  }

  private remember(feed: string, key: string, body: string | null): void {
    this.opened().store.write((db) => {
      if (body === null) db.prepare('DELETE FROM feed_memory WHERE feed = ? AND key = ?').run(feed, key);
      else db.prepare('INSERT OR REPLACE INTO feed_memory VALUES (?, ?, ?)').run(feed, key, body);
    });
  }

  private forget(feed: string): boolean {
    const { store, streams } = this.opened();
    if (this.leaving?.feed !== feed) {
      if (!streams.ids().includes(feed)) throw new WeinaoError('journal.no_feed', { feed });
      if (streams.isWanted(feed)) throw new WeinaoError('journal.still_attached', { feed });
      this.leaving = new Leaving(store, streams, feed);
    }
    const isGone = this.leaving.step();
    if (isGone) this.leaving = undefined;
    return isGone;
  }

  /** Housekeeping, a small step at a time. @returns whether there is more to do at once */
  private persist({ now, entropy }: { readonly now: Instant; readonly entropy: Uint8Array }): boolean {
    const { store } = this.opened();
    const fresh = { entropy, wall: now.wall };
    if (!store.durable) this.comeHome(now.mono, () => ({ ...fresh, entropy: entropy.map((b) => b ^ 0x5a) }));
    const { streams, retention } = this.opened();
    if (tellDisclosures(store, streams, now, entropy)) this.answer({ head: store.head, done: [] });
    if (streams.isDirty) streams.persist();
    if (lostCursors(store.db) !== undefined) store.write(forgetCursors);
    const gone = this.leaving?.feed ?? overdue(store, streams, now);
    if (gone !== undefined && !this.forget(gone)) return true;
    return retention.step(fresh, now.synced);
  }
}

const isOver = (error: unknown): boolean =>
  /^SQLITE_(CORRUPT|IOERR_(FSYNC|DIR_FSYNC|WRITE|TRUNCATE))/.test(sqliteCode(error) ?? '');
