/**
 * Feeds: contract, cursors and the outgoing streams, computed from the rows when they are asked for and kept nowhere.
 *
 * A walker per feed and stream goes on from its head; what it made and was not acknowledged stays in a window of at most WINDOW_BYTES, so that
 * each member is made about once. Asked for an older member than the window holds, it starts again at the acknowledged cursor: the same rows,
 * contract and head give the same bytes. Cursors are written lazily; after a crash members may be made and sent again, with the same ids.
 */
import { WeinaoError } from '../base/errors/index.ts';
import { STREAMS, type Stream } from '../base/event.ts';
import type {
  ContractRow,
  Cursor,
  FeedDemand,
  FeedDepth,
  FeedState,
  Gap,
  OutMessage,
  Outward,
  Range,
  StreamHead,
} from '../base/feed.ts';
import { ulid } from '../base/ids.ts';
import type { Sqlite } from '../io/sqlite.ts';
import { loadFeeds, saveFeed } from './contracts.ts';
import { dropMarks, firstMark, isMark, type Mark, markBefore, saveMarks } from './marks.ts';
import type { Limit } from './protocol.ts';
import type { Store } from './store.ts';

const ZEROS = '0'.repeat(64);
const WINDOW_BYTES = 1024 * 1024;
const ROWS_AT_ONCE = 64;

interface Walker {
  /** head of the last member in the window */
  head: StreamHead;
  window: OutMessage[];
  bytes: number;
}

interface Feed {
  contract: ContractRow;
  keepMs: number;
  acked: { a: StreamHead; t: StreamHead };
  walkers: { a: Walker; t: Walker };
  /** heads of this epoch to be written down */
  marks: Mark[];
  /** nothing of this epoch is written yet */
  begins: boolean;
  dirty: boolean;
}

export class Streams {
  private store: Store;
  private readonly outward: Outward;
  private readonly feeds = new Map<string, Feed>();
  /** feeds somebody asked for since the start */
  private readonly wanted = new Set<string>();

  constructor(store: Store, outward: Outward) {
    this.store = store;
    this.outward = outward;
    for (const { contract, a, t } of loadFeeds(store.db))
      this.feeds.set(contract.feed, newFeed(contract, { a, t }, Number.POSITIVE_INFINITY));
  }

  open(demand: FeedDemand, entropy: Uint8Array, wall: number): FeedState {
    const known = this.feeds.get(demand.feed);
    this.wanted.add(demand.feed);
    if (known !== undefined) known.keepMs = demand.keepMs;
    if (known !== undefined && this.isSame(known.contract, demand)) return this.stateOf(known);
    const at = { position: this.store.head - 1, seq: 0, hash: ZEROS };
    const reason = known === undefined ? 'new' : 'contract';
    const contract = this.contractFor(demand, entropy, wall, reason, known);
    return this.begin(contract, known === undefined ? { a: at, t: at } : known.acked, demand.keepMs);
  }

  renew(
    id: string,
    reason: string,
    entropy: Uint8Array,
    wall: number,
    over?: { stream: Stream; position: number },
  ): FeedState {
    const known = this.get(id);
    const gap =
      over === undefined
        ? undefined
        : this.lossBetween(known.contract, over.stream, known.acked[over.stream].position, over.position, reason);
    const plain = this.contractFor({ ...known.contract, keepMs: known.keepMs }, entropy, wall, reason, known);
    const contract = gap === undefined ? plain : { ...plain, gap };
    const from =
      over === undefined
        ? known.acked
        : { ...known.acked, [over.stream]: { ...known.acked[over.stream], position: over.position } };
    return this.begin(contract, from, known.keepMs);
  }

  next(id: string, stream: Stream, { epoch, seq: after }: Cursor, limit: Limit): OutMessage[] {
    const feed = this.get(id);
    if (feed.contract.epoch !== epoch) return [];
    const walker = feed.walkers[stream];
    const first = walker.window[0]?.seq ?? walker.head.seq + 1;
    if (after + 1 < first || after > walker.head.seq) restart(walker, feed.acked[stream]);
    this.walk(feed, stream, walker, after + limit.max);
    const out: OutMessage[] = [];
    let bytes = 0;
    for (const message of walker.window) {
      if (message.seq <= after) continue;
      if (out.length >= limit.max || (out.length > 0 && bytes + message.payload.length > limit.bytes)) break;
      out.push(message);
      bytes += message.payload.length;
    }
    return out;
  }

  /** Walks from the acknowledged cursor and keeps nothing of it. */
  hashAt(id: string, stream: Stream, { epoch, seq }: Cursor): string | undefined {
    const feed = this.get(id);
    if (feed.contract.epoch !== epoch) return undefined;
    const head = this.walkTo(feed, stream, feed.acked[stream], seq)?.head;
    return head?.seq === seq ? head.hash : undefined;
  }

  /** Delivered members once more, the same bytes; none when the epoch is over or the rows are gone. */
  replay(id: string, stream: Stream, { epoch, seq: after }: Cursor, limit: Limit): OutMessage[] {
    const feed = this.get(id);
    if (feed.contract.epoch !== epoch) return [];
    const mark = markBefore(this.store.db, id, stream, after + 1);
    const walker = mark === undefined ? undefined : this.walkTo(feed, stream, mark, after);
    if (walker === undefined) return [];
    this.walk(feed, stream, walker, Math.min(after + limit.max, feed.acked[stream].seq));
    return walker.window;
  }

  ack(id: string, stream: Stream, { epoch, seq }: Cursor): void {
    const feed = this.feeds.get(id);
    if (feed === undefined || feed.contract.epoch !== epoch || seq <= feed.acked[stream].seq) return;
    const walker = feed.walkers[stream];
    const member = walker.window.find((m) => m.seq === seq);
    if (member === undefined) return;
    feed.acked[stream] = headOf(member);
    feed.dirty = true;
    const passed = walker.window.indexOf(member) + 1;
    for (const gone of walker.window.splice(0, passed)) {
      walker.bytes -= gone.payload.length;
      if (isMark(gone.seq)) feed.marks.push({ feed: id, stream, ...headOf(gone) });
    }
  }

  depth(id: string): { a: FeedDepth; t: FeedDepth } {
    const feed = this.get(id);
    const rows = (stream: Stream): number =>
      Number(
        this.store.db
          .prepare('SELECT count(*) FROM (SELECT 1 FROM rows WHERE stream = ? AND position > ? LIMIT 10000)')
          .pluck()
          .get(stream, feed.acked[stream].position),
      );
    const t = { rows: 0, samples: 0, bytes: 0 };
    for (const segment of this.store.segments()) {
      if (segment.last <= feed.acked.t.position) continue;
      // Of the segment the cursor stands in, the share behind it: exact counts would read the table.
      const whole = Math.max(1, segment.last - segment.first + 1);
      const share = Math.min(1, (segment.last - feed.acked.t.position) / whole);
      t.rows += Math.round(segment.groups * share);
      t.samples += Math.round(segment.samples * share);
      t.bytes += Math.round(segment.bytes * share);
    }
    return { a: { rows: rows('a'), samples: 0, bytes: 0 }, t: { ...t, rows: t.rows + rows('t') } };
  }

  /** Writes cursors that moved; part of somebody's transaction. */
  save(db: Sqlite): void {
    for (const [id, feed] of this.feeds) {
      if (!feed.dirty) continue;
      if (feed.begins) dropMarks(db, id);
      saveMarks(db, feed.marks.splice(0));
      saveFeed(db, { contract: feed.contract, ...feed.acked }, feed.begins);
      feed.begins = false;
      feed.dirty = false;
    }
  }

  get isDirty(): boolean {
    return [...this.feeds.values()].some((f) => f.dirty);
  }

  /** Another database came instead: each feed starts anew there, with the events its platform has not taken yet. */
  replaced(store: Store, why: string, entropy: Uint8Array, wall: number): string[] {
    this.store = store;
    for (const [i, [id, feed]] of [...this.feeds].entries()) {
      const salted = entropy.map((b) => b ^ (i + 1));
      const contract = this.contractFor({ ...feed.contract, feed: id, keepMs: feed.keepMs }, salted, wall, why, feed);
      this.feeds.set(id, beginningOf(contract, feed.acked.a.position, store.head - 1, feed.keepMs));
    }
    return [...this.feeds.keys()];
  }

  detached(): readonly string[] {
    return [...this.feeds.keys()].filter((feed) => !this.wanted.has(feed));
  }

  forget(feed: string): void {
    this.feeds.delete(feed);
  }

  /** the telemetry position every feed has passed, and who stands behind a position */
  behind(position: number): { readonly id: string; readonly keepMs: number }[] {
    return [...this.feeds]
      .filter(([, f]) => f.acked.t.position < position)
      .map(([id, f]) => ({ id, keepMs: f.keepMs }));
  }

  behindOnAlarms(): number {
    return Math.min(Number.MAX_SAFE_INTEGER, ...[...this.feeds.values()].map((f) => f.acked.a.position));
  }

  /** What a stream held for the feed between two positions, for the gap that tells of it; undefined when nothing. */
  private lossBetween(
    contract: ContractRow,
    stream: Stream,
    after: number,
    upTo: number,
    reason: string,
  ): Gap | undefined {
    let lost = 0;
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    for (let at = after; ; ) {
      const rows = this.store.rowsAfter(stream, at, ROWS_AT_ONCE).filter((row) => row.position <= upTo);
      for (const row of rows) {
        const seen = this.outward.entitled(contract, stream, row);
        if (seen === undefined) continue;
        lost += seen.units;
        from = Math.min(from, seen.from);
        to = Math.max(to, seen.to);
      }
      const last = rows.at(-1);
      if (last === undefined) break;
      at = last.position;
    }
    return lost === 0 ? undefined : { stream, reason, lost, from, to };
  }

  private get(id: string): Feed {
    const feed = this.feeds.get(id);
    if (feed === undefined) throw new WeinaoError('journal.no_feed', { feed: id });
    return feed;
  }

  private isSame(contract: ContractRow, demand: FeedDemand): boolean {
    const { source, view, selects, pseudonyms, encoding } = contract;
    const same = source === demand.source && encoding === demand.encoding && contract.encoder === this.outward.encoder;
    const sees = view === demand.view && pseudonyms === demand.pseudonyms;
    return same && sees && JSON.stringify(selects) === JSON.stringify(demand.selects);
  }

  private contractFor(
    demand: FeedDemand,
    entropy: Uint8Array,
    wall: number,
    reason: string,
    before: Feed | undefined,
  ): ContractRow {
    const { feed, source, view, selects, pseudonyms, encoding } = demand;
    const old =
      before === undefined ? {} : { old: { epoch: before.contract.epoch, a: before.acked.a, t: before.acked.t } };
    return {
      feed,
      epoch: Buffer.from(entropy.subarray(0, 8)).toString('hex'),
      source,
      view,
      selects,
      pseudonyms,
      encoder: this.outward.encoder,
      encoding,
      id: ulid(wall, entropy.subarray(8)),
      madeAt: Math.round(wall),
      reason,
      ...old,
    };
  }

  private begin(contract: ContractRow, from: { a: StreamHead; t: StreamHead }, keepMs: number): FeedState {
    const feed = beginningOf(contract, from.a.position, from.t.position, keepMs);
    this.feeds.set(contract.feed, feed);
    this.store.write((db) => this.save(db));
    return this.stateOf(feed);
  }

  private stateOf(feed: Feed): FeedState {
    const { contract, acked, walkers } = feed;
    const range = (stream: Stream): Range => ({
      first: (firstMark(this.store.db, contract.feed, stream) ?? acked[stream].seq) + 1,
      last: Math.max(acked[stream].seq, walkers[stream].head.seq),
    });
    return { contract, acked: { ...acked }, range: { a: range('a'), t: range('t') } };
  }

  /** A walker that stands on this member, with nothing in its window; undefined when the rows end before it. */
  private walkTo(feed: Feed, stream: Stream, start: StreamHead, seq: number): Walker | undefined {
    const walker: Walker = { head: start, window: [], bytes: 0 };
    while (walker.head.seq < seq) {
      const before = walker.head;
      this.walk(feed, stream, walker, seq);
      if (walker.head.seq === before.seq && walker.head.position === before.position) return undefined;
      restart(walker, walker.head);
    }
    return walker;
  }

  /** Makes members up to the one of this number, or as many as the window holds. */
  private walk(feed: Feed, stream: Stream, walker: Walker, upTo: number): void {
    const opening = feed.contract.gap?.stream === stream ? 2 : 1;
    if (walker.head.seq < opening)
      for (const member of this.outward.open(feed.contract, stream, walker.head.position))
        if (member.seq > walker.head.seq && member.seq <= upTo) add(walker, member, member.position);
    while (walker.head.seq < upTo && walker.bytes < WINDOW_BYTES) {
      const rows = this.store.rowsAfter(stream, walker.head.position, ROWS_AT_ONCE);
      if (rows.length === 0) return;
      for (const row of rows) {
        const member = this.outward.encode(feed.contract, stream, walker.head, row);
        if (member !== undefined) add(walker, member, row.position);
        else walker.head = { ...walker.head, position: row.position };
        if (walker.bytes >= WINDOW_BYTES || walker.head.seq >= upTo) return;
      }
    }
  }
}

function newFeed(contract: ContractRow, acked: { a: StreamHead; t: StreamHead }, keepMs: number): Feed {
  const walker = (head: StreamHead): Walker => ({ head, window: [], bytes: 0 });
  return {
    contract,
    keepMs,
    acked,
    walkers: { a: walker(acked.a), t: walker(acked.t) },
    marks: [],
    begins: false,
    dirty: false,
  };
}

/** A feed whose epoch begins behind these positions: its first heads are its first marks. */
function beginningOf(contract: ContractRow, a: number, t: number, keepMs: number): Feed {
  const start = (position: number): StreamHead => ({ position, seq: 0, hash: ZEROS });
  const acked = { a: start(a), t: start(t) };
  const marks = STREAMS.map((stream) => ({ feed: contract.feed, stream, ...acked[stream] }));
  return { ...newFeed(contract, acked, keepMs), marks, begins: true, dirty: true };
}

const headOf = ({ position, seq, hash }: StreamHead): StreamHead => ({ position, seq, hash });

function restart(walker: Walker, head: StreamHead): void {
  walker.head = head;
  walker.window = [];
  walker.bytes = 0;
}

function add(walker: Walker, member: OutMessage, position: number): void {
  walker.window.push(member);
  walker.bytes += member.payload.length;
  walker.head = { position, seq: member.seq, hash: member.hash };
}
