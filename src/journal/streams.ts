/**
 * Feeds: contract, cursors and the outgoing streams, computed from the rows when they are asked for and kept nowhere.
 *
 * A walker per feed and stream goes on from its head; what it made and was not acknowledged stays in a bounded window, but for its payload, which goes
 * with the answer. So each member is made about once; asked for one that was given out, it starts again at the acknowledged cursor: the same rows,
 * contract and head give the same bytes. Cursors are written lazily; after a crash members may be made and sent again, with the same ids.
 *
 * What may have left is known after a crash too: before members are given out, a position ahead of them is written down (`sent`, AHEAD positions at a
 * time). Rows behind it surely never left: they may go with a gap inside the running epoch. Rows before it go only with a new epoch.
 */
import { WeinaoError } from '../base/errors/index.ts';
import { STREAMS, type Stream } from '../base/event.ts';
import type {
  ContractRow,
  Cursor,
  FeedDemand,
  FeedState,
  Gap,
  GapReason,
  JournalRow,
  OutMessage,
  Outward,
  Range,
  StreamHead,
} from '../base/feed.ts';
import type { Sqlite } from '../io/sqlite.ts';
import { loadFeeds, type Standing, saveFeed } from './contracts.ts';
import { Disclosures } from './disclosures.ts';
import {
  type Behind,
  beginningOf,
  contractFor,
  count,
  type Feed,
  type Fresh,
  gapId,
  isSame,
  type Losing,
  newFeed,
  oldOf,
  type StreamHooks,
} from './feed.ts';
import { addLoss, gapsBetween, isAnswered, lastGap, putGap, tidyGaps } from './gaps.ts';
import { type Heads, headsOf } from './heads.ts';
import { leftOf, tellLeft } from './left.ts';
import { lostCursors, reasonOf, tellFeed } from './losses.ts';
import { dropMarks, firstMark, isMark, markBefore, saveMarks } from './marks.ts';
import { Measure, type Measured } from './measure.ts';
import type { Limit } from './protocol.ts';
import { putAside } from './quarantine.ts';
import type { Store } from './store.ts';
import { type Course, give, headOf, passed, restart, take, type Walker, walk, walkTo } from './walker.ts';

/** Few enough that what becomes of them is dead before the young generation is full. */
const ROWS_AT_ONCE = 32;
const AHEAD = 1024;

/** what a cursor passed */
export type Counted = Pick<Standing, 'delivered' | 'withheld' | 'dropped'>;
type Own = Pick<Gap, 'reason' | 'asked' | 'erased' | 'loss'>;

export class Streams {
  readonly outward: Outward;
  readonly disclosures: Disclosures;
  private store: Store;
  private readonly hooks: StreamHooks;
  private readonly feeds = new Map<string, Feed>();
  /** losses of a transaction under way */
  private counted: { readonly id: string; readonly reason: GapReason; readonly lost: number }[] = [];
  /** feeds somebody asked for since the start */
  private readonly wanted = new Set<string>();

  constructor(store: Store, outward: Outward, hooks: StreamHooks) {
    this.store = store;
    this.hooks = hooks;
    this.outward = outward;
    this.disclosures = new Disclosures(store.db);
    for (const { contract, a, t, standing } of loadFeeds(store.db)) {
      const known = newFeed(contract, { a, t }, standing);
      known.gaps = { a: lastGap(store.db, contract.feed, 'a'), t: lastGap(store.db, contract.feed, 't') };
      this.feeds.set(contract.feed, known);
    }
  }

  open(demand: FeedDemand, fresh: Fresh): FeedState {
    const { feed: id, keepMs, priority } = demand;
    const known = this.feeds.get(id);
    this.wanted.add(id);
    if (known === undefined) return this.openNew(demand, fresh);
    if (known.standing.keepMs !== keepMs || known.standing.priority !== priority) {
      Object.assign(known.standing, { keepMs, priority });
      known.dirty = true;
    }
    if (isSame(known.contract, demand, this.outward.encoder)) return this.stateOf(known);
    return this.begin(
      contractFor(demand, fresh, 'contract', this.outward.encoder, oldOf(known)),
      known.acked,
      known.standing,
    );
  }

  /** @param over the row there is passed over, with a gap */
  renew(id: string, reason: string, fresh: Fresh, over?: { stream: Stream; position: number }): FeedState {
    const known = this.get(id);
    // An older copy of the journal does not know what left after it was made.
    if (reason === 'restored') known.standing.sent = { a: this.store.head - 1, t: this.store.head - 1 };
    const refused =
      over === undefined
        ? undefined
        : this.measure(id, over.stream)
            .add(this.rowsOf(id, over.stream, over.position - 1).filter((r) => r.position === over.position))
            .behind(over.position - 1);
    this.persist((db) => {
      const next = this.renewed(known, reason, fresh);
      if (over !== undefined && refused !== undefined)
        this.addGap(db, next, over.stream, refused, over.position, 'refused', fresh);
    });
    return this.stateOf(this.get(id));
  }

  next(id: string, stream: Stream, { epoch, seq: after }: Cursor, limit: Limit): OutMessage[] {
    const feed = this.get(id);
    if (feed.contract.epoch !== epoch) return [];
    const walker = feed.walkers[stream];
    if (after < walker.given || after > walker.head.seq) restart(walker, feed.acked[stream]);
    walk(this.course(feed, stream), walker, after + limit.max);
    // A damaged row on the way may have begun a new epoch.
    if (this.feeds.get(id) !== feed) return [];
    // What the view withholds is passed without a member.
    if (walker.window.length === 0 && walker.head.seq === feed.acked[stream].seq) {
      feed.acked[stream] = walker.head;
      count(feed.standing, passed(walker));
    }
    this.reserve(feed, stream, walker);
    const out = give(walker, after, limit);
    if (out.length > 0) feed.untold = false;
    return out;
  }

  /** Walks from the acknowledged cursor and keeps nothing of it. */
  hashAt(id: string, stream: Stream, { epoch, seq }: Cursor): string | undefined {
    const feed = this.get(id);
    if (feed.contract.epoch !== epoch) return undefined;
    const head = walkTo(this.course(feed, stream), feed.acked[stream], seq)?.head;
    return head?.seq === seq ? head.hash : undefined;
  }

  /** Delivered members once more, the same bytes; none when the epoch is over or the rows are gone. */
  replay(id: string, stream: Stream, { epoch, seq: after }: Cursor, limit: Limit): OutMessage[] {
    const feed = this.get(id);
    if (feed.contract.epoch !== epoch) return [];
    const mark = markBefore(this.store.db, id, stream, after + 1);
    const walker = mark === undefined ? undefined : walkTo(this.course(feed, stream), mark, after);
    if (walker === undefined) return [];
    walk(this.course(feed, stream), walker, Math.min(after + limit.max, feed.acked[stream].seq));
    return give(walker, after, limit);
  }

  ack(id: string, stream: Stream, { epoch, seq }: Cursor): void {
    const feed = this.feeds.get(id);
    if (feed === undefined || feed.contract.epoch !== epoch || seq <= feed.acked[stream].seq) return;
    const walker = feed.walkers[stream];
    const index = seq - (walker.window[0]?.seq ?? 0);
    const member = walker.window[index];
    if (member === undefined) return;
    feed.acked[stream] = headOf(member);
    feed.dirty = true;
    const { members } = count(feed.standing, take(walker, index + 1));
    for (const gone of members) {
      this.disclosures.add(id, gone);
      if (isMark(gone.seq)) feed.marks.push({ feed: id, stream, ...headOf(gone) });
    }
  }

  /** A replay asked for what cannot be made any more: told once, as the next member of the stream. */
  gone(id: string, stream: Stream, reason: GapReason, asked: NonNullable<Gap['asked']>, wall: number): void {
    if (!isAnswered(this.store.db, id, reason, asked)) this.append(id, stream, wall, { reason, asked });
  }

  /** A row of the feed alone, behind all others. */
  append(id: string, stream: Stream, wall: number, body: Own): void {
    this.store.write((db) => this.appendTo(db, id, stream, wall, body));
  }

  /** The same as part of a transaction. */
  appendTo(db: Sqlite, id: string, stream: Stream, wall: number, body: Own): void {
    const feed = this.get(id);
    const position = this.store.head++;
    const gap: Gap = { id: gapId(feed, stream, position, wall), madeAt: Math.round(wall), ...body };
    this.store.keepClock();
    putGap(db, { feed: id, stream, position }, gap);
    feed.gaps[stream] = position;
  }

  /** What a feed would have got of rows. */
  measure(id: string, stream: Stream): Measure {
    return new Measure(this.outward, this.get(id).contract, stream);
  }

  /**
   * Rows go, and those who lose them get their gaps in the same transaction. A feed to which some of them may have been sent begins a new epoch.
   */
  lose(losses: readonly Losing[], why: GapReason, { entropy, wall }: Fresh, drop: (db: Sqlite) => void): void {
    const renewed = new Map<string, Feed>();
    this.persist((db) => {
      renewed.clear();
      for (const [i, { id, stream, loss, position }] of losses.entries()) {
        const fresh = { entropy: entropy.map((b) => b ^ (i + 1)), wall };
        const feed = this.get(id);
        if (loss.first <= feed.standing.sent[stream] && !feed.untold) renewed.set(id, this.renewed(feed, why, fresh));
        this.addGap(db, this.get(id), stream, loss, position, why, fresh);
      }
      drop(db);
    });
    for (const stream of STREAMS) {
      const feeds = losses.filter((l) => l.stream === stream).map((l) => l.id);
      if (feeds.length > 0) this.hooks.lost({ feeds, renewed: feeds.filter((id) => renewed.has(id)), stream, why });
    }
  }

  private quarantine(): boolean {
    return putAside(this.store, this, this.hooks.fresh());
  }

  private gaveUp(id: string, reason: GapReason, lost: number): void {
    const feed = this.get(id);
    feed.standing.dropped[reason] = (feed.standing.dropped[reason] ?? 0) + lost;
    feed.dirty = true;
  }

  /** Writes cursors that moved; part of somebody's transaction. Afterwards: `saved`. */
  save(db: Sqlite): void {
    for (const [id, feed] of this.feeds) {
      if (!feed.dirty) continue;
      if (feed.begins) dropMarks(db, id);
      saveMarks(db, feed.marks);
      for (const stream of STREAMS) if (feed.gaps[stream] > 0) tidyGaps(db, id, stream, feed.acked[stream].position);
      const { contract, acked, standing } = feed;
      saveFeed(db, { contract, ...acked, standing }, feed.begins);
    }
    this.disclosures.save(db);
  }

  /** What was saved is on the disk. */
  saved(): void {
    for (const feed of this.feeds.values()) {
      if (!feed.dirty) continue;
      feed.marks = [];
      feed.begins = false;
      feed.dirty = false;
    }
  }

  /** Saves in a transaction of its own, with what else belongs there. */
  persist(also: (db: Sqlite) => void = () => {}): void {
    this.store.write((db) => {
      // What was counted in a transaction that did not come about.
      for (const { id, reason, lost } of this.counted.splice(0)) this.gaveUp(id, reason, -lost);
      also(db);
      this.save(db);
    });
    this.counted = [];
    this.saved();
  }

  get isDirty(): boolean {
    return [...this.feeds.values()].some((f) => f.dirty);
  }

  /** Another database came instead: each feed starts anew there, with what its platform has not taken yet. Not saved yet. */
  replaced(
    store: Store,
    why: string,
    { entropy, wall }: Fresh,
    from: (feed: string) => (Readonly<Record<Stream, number>> & Partial<Counted>) | undefined = () => undefined,
  ): string[] {
    this.store = store;
    this.disclosures.again();
    for (const [i, [id, feed]] of [...this.feeds].entries()) {
      const fresh = { entropy: entropy.map((b) => b ^ (i + 1)), wall };
      const contract = contractFor(feed.contract, fresh, why, this.outward.encoder, oldOf(feed));
      const { a, t, ...counted } = from(id) ?? { a: feed.acked.a.position, t: feed.acked.t.position };
      const next = beginningOf(contract, { a, t }, { ...feed.standing, ...counted });
      next.gaps = { a: lastGap(store.db, id, 'a'), t: lastGap(store.db, id, 't') };
      this.feeds.set(id, next);
    }
    return [...this.feeds.keys()];
  }

  readonly ids = (): readonly string[] => [...this.feeds.keys()];
  readonly heads = (): Heads => headsOf(this.feeds);

  /** changes whenever a cursor moves */
  progress(): number {
    return [...this.feeds.values()].reduce((sum, { acked }) => sum + acked.a.position + acked.t.position, 0);
  }

  /** Only these are still in the configuration. */
  keepWanted(feeds: readonly string[]): void {
    for (const id of this.wanted) if (!feeds.includes(id)) this.wanted.delete(id);
  }

  isWanted(feed: string): boolean {
    return this.wanted.has(feed);
  }

  forget(feed: string): void {
    this.feeds.delete(feed);
  }

  /** Feeds that have not taken all up to a position, the least important first. */
  behind(stream: Stream, position: number): Behind[] {
    return [...this.feeds]
      .filter(([, f]) => f.acked[stream].position < position)
      .map(
        ([
          id,
          {
            acked,
            standing: { keepMs, priority },
          },
        ]) => ({
          id,
          keepMs,
          priority: this.wanted.has(id) ? priority : -1,
          acked: acked[stream].position,
        }),
      )
      .sort((x, y) => x.priority - y.priority);
  }

  /** contract, cursors and losses of a feed */
  look(id: string): Pick<Feed, 'contract' | 'acked' | 'walkers' | 'standing'> {
    return this.get(id);
  }

  stateOf({ contract, acked, walkers }: Pick<Feed, 'contract' | 'acked' | 'walkers'>): FeedState {
    const range = (stream: Stream): Range => ({
      first: (firstMark(this.store.db, contract.feed, stream) ?? acked[stream]).seq + 1,
      last: Math.max(acked[stream].seq, walkers[stream].head.seq),
    });
    return { contract, acked: { ...acked }, range: { a: range('a'), t: range('t') } };
  }

  private openNew(demand: FeedDemand, fresh: Fresh): FeedState {
    const { feed, keepMs, priority } = demand;
    const { db, head } = this.store;
    const left = leftOf(db, feed);
    const lost = left === undefined ? lostCursors(db) : undefined;
    // A store that forgot where its feeds stood gives each of them all it has.
    const since = lost === undefined ? head - 1 : 0;
    const standing: Standing = { keepMs, priority, since, sent: { a: head - 1, t: head - 1 }, dropped: {} };
    const reason = lost === undefined ? (left === undefined ? 'new' : 're-added') : reasonOf(lost);
    const contract = contractFor(demand, fresh, reason, this.outward.encoder, left?.old);
    this.feeds.set(feed, beginningOf(contract, { a: since, t: since }, standing));
    this.persist((db) => {
      if (left !== undefined) tellLeft(db, this, { feed, left, wall: fresh.wall });
      if (lost !== undefined) tellFeed(db, this.store, this, { feed, lost, wall: fresh.wall });
    });
    return this.stateOf(this.get(feed));
  }

  private addGap(
    db: Sqlite,
    feed: Feed,
    stream: Stream,
    measured: Measured,
    position: number,
    reason: GapReason,
    { wall }: Fresh,
  ): void {
    const { first: _, ...loss } = measured;
    const place = { feed: feed.contract.feed, stream, position };
    const id = gapId(feed, stream, position, wall);
    addLoss(db, place, { id, reason, madeAt: Math.round(wall), loss }, feed.standing.sent[stream]);
    feed.gaps[stream] = Math.max(feed.gaps[stream], position);
    this.gaveUp(place.feed, reason, loss.lost);
    this.counted.push({ id: place.feed, reason, lost: loss.lost });
    this.store.counters.dropped_unsent = (this.store.counters.dropped_unsent ?? 0) + loss.lost;
  }

  /** Members up to here may leave: written down before the first of them does. */
  private reserve(feed: Feed, stream: Stream, { window }: Walker): void {
    const last = window.at(-1)?.position ?? 0;
    if (last <= feed.standing.sent[stream]) return;
    feed.standing.sent[stream] = last + AHEAD;
    feed.dirty = true;
    this.persist();
  }

  private course(feed: Feed, stream: Stream): Course {
    const { outward } = this;
    return {
      outward,
      contract: feed.contract,
      stream,
      rows: (after) => this.rowsOf(feed.contract.feed, stream, after),
    };
  }

  /** The journal's rows and the feed's gaps, which stand in the place of rows. */
  rowsOf(id: string, stream: Stream, after: number): readonly JournalRow[] {
    let rows = this.store.rowsAfter(stream, after, ROWS_AT_ONCE);
    if (this.quarantine()) rows = this.store.rowsAfter(stream, after, ROWS_AT_ONCE);
    const last = this.get(id).gaps[stream];
    if (last <= after) return rows;
    const end = rows.length < ROWS_AT_ONCE ? last : (rows.at(-1)?.position ?? last);
    const gaps = gapsBetween(this.store.db, id, stream, after, end);
    const told = new Set(gaps.map((g) => g.position));
    return [...rows.filter((r) => !told.has(r.position)), ...gaps].sort((x, y) => x.position - y.position);
  }

  private get(id: string): Feed {
    const feed = this.feeds.get(id);
    if (feed === undefined) throw new WeinaoError('journal.no_feed', { feed: id });
    return feed;
  }

  /** The same contract in a new epoch; not saved yet. */
  private renewed(feed: Feed, reason: string, fresh: Fresh): Feed {
    const contract = contractFor(feed.contract, fresh, reason, this.outward.encoder, oldOf(feed));
    const next = beginningOf(contract, { a: feed.acked.a.position, t: feed.acked.t.position }, feed.standing);
    next.gaps = { ...feed.gaps };
    this.feeds.set(contract.feed, next);
    return next;
  }

  private begin(contract: ContractRow, from: Record<Stream, StreamHead>, standing: Standing): FeedState {
    const feed = beginningOf(contract, { a: from.a.position, t: from.t.position }, standing);
    feed.gaps = { ...this.get(contract.feed).gaps };
    this.feeds.set(contract.feed, feed);
    this.persist();
    return this.stateOf(feed);
  }
}
