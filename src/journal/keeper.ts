/** The store's thread, without the thread: takes batches of requests, answers each. Commits that wait together share one transaction. */
import { isWeinaoError, WeinaoError } from '../base/errors/index.ts';
import type { Outward } from '../base/feed.ts';
import { forgetDetached, reattach } from './detached.ts';
import type { Answer, Numbered, Opening, Request, Work } from './protocol.ts';
import { prune } from './retention.ts';
import { Store } from './store.ts';
import { Streams } from './streams.ts';

const PERSIST_EVERY_COMMITS = 64;

export class StoreKeeper {
  private readonly outward: Outward;
  private readonly answer: (answer: Answer) => void;
  private opening: Opening | undefined;
  private store: Store | undefined;
  private streams: Streams | undefined;
  private sincePersist = 0;

  constructor(outward: Outward, answer: (answer: Answer) => void) {
    this.outward = outward;
    this.answer = answer;
  }

  /** the store as it is now; undefined before it was opened */
  get current(): Store | undefined {
    return this.store;
  }

  take(batch: readonly Numbered[]): void {
    for (let i = 0; i < batch.length; i++) {
      const request = batch[i];
      if (request === undefined) continue;
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
      // The feeds hear of it first: an alarm is handed to their senders before anything is done because of it.
      this.answer({ head: store.head });
      for (const [i, { n }] of together.entries())
        this.answer({ n, value: { durable: store.durable, events: stored[i] ?? [] } });
    } catch (error) {
      for (const { n } of together) this.fail(n, error);
    }
  }

  private one(request: Numbered, run: () => unknown): void {
    try {
      this.answer({ n: request.n, value: run() });
    } catch (error) {
      this.fail(request.n, error);
    }
  }

  private fail(n: number, error: unknown): void {
    if (isWeinaoError(error)) this.answer({ n, error: { code: error.code, params: error.params } });
    else this.answer({ n, error: { text: error instanceof Error ? error.message : String(error) } });
  }

  private opened(): { store: Store; streams: Streams } {
    if (this.store === undefined || this.streams === undefined)
      throw new WeinaoError('journal.gone', { detail: 'not open' });
    return { store: this.store, streams: this.streams };
  }

  private run(request: Exclude<Request, { op: 'commit' }>): unknown {
    if (request.op === 'open') return this.open(request.opening);
    const { store, streams } = this.opened();
    switch (request.op) {
      case 'restore':
        return store.restore();
      case 'facts':
        return store.facts();
      case 'feed':
        reattach(store, request.demand.feed);
        return streams.open(request.demand, request.entropy, request.wall);
      case 'renew':
        return streams.renew(request.feed, request.reason, request.entropy, request.wall, request.over);
      case 'next':
        return streams.next(request.feed, request.stream, request.after, request.limit);
      case 'replay':
        return streams.replay(request.feed, request.stream, request.after, request.limit);
      case 'hash':
        return streams.hashAt(request.feed, request.stream, request.at);
      case 'ack':
        return streams.ack(request.feed, request.stream, request.upTo);
      case 'depth':
        return streams.depth(request.feed);
      case 'remember':
        return this.remember(request.feed, request.key, request.body);
      case 'recall':
        return store.db.prepare('SELECT key, body FROM feed_memory WHERE feed = ?').all(request.feed);
      case 'persist':
        return this.persist(request.wall, request.entropy);
      case 'close':
        if (streams.isDirty) store.write((db) => streams.save(db));
        store.close();
        return undefined;
    }
  }

  private open(opening: Opening): unknown {
    this.opening = opening;
    const store = new Store(opening, (replaced, why) => {
      const renewed =
        this.streams?.replaced(replaced, `store: ${why}`.slice(0, 80), opening.entropy, opening.now.wall) ?? [];
      replaced.db.transaction(() => this.streams?.save(replaced.db))();
      this.answer({ renewed, why });
    });
    this.store = store;
    this.streams = new Streams(store, this.outward.keyed(opening.secret));
    return store.facts();
  }

  private remember(feed: string, key: string, body: string | null): void {
    this.opened().store.write((db) => {
      if (body === null) db.prepare('DELETE FROM feed_memory WHERE feed = ? AND key = ?').run(feed, key);
      else db.prepare('INSERT OR REPLACE INTO feed_memory VALUES (?, ?, ?)').run(feed, key, body);
    });
  }

  private persist(wall: number, entropy: Uint8Array): void {
    const { store, streams } = this.opened();
    if (streams.isDirty) store.write((db) => streams.save(db));
    forgetDetached(store, streams, wall);
    const { renewed, why } = prune(store, streams, wall, this.opening?.budget ?? Number.POSITIVE_INFINITY, entropy);
    if (renewed.length > 0) this.answer({ renewed, why });
  }
}
