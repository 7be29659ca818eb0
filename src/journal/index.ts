/**
 * The journal: everything that must outlive a power cut, and the feeds' outgoing streams, behind one worker thread.
 *
 * Two lanes (the store, in the design): work with events is committed at once under FULL and takes all pending telemetry along; telemetry alone
 * is collected for `windowMs` and committed once. Callers never wait for the disk unless they await the answer.
 * - A commit answered `durable: true` is on the disk. A cut loses at most the telemetry of the running window.
 * - If the worker says nothing for STALL_MS, `onStalled` gets the commits that wait; they stay queued.
 * - If the worker dies it is started again after RESTART_MS and gets what was not answered once more (a commit it had finished without
 *   saying so is then there twice, with two ids). Telemetry waiting for a busy worker is bounded by MAX_GROUPS; beyond, the oldest group is dropped and counted.
 */
import { WeinaoError } from '../base/errors/index.ts';
import type { StoredEvent, Stream } from '../base/event.ts';
import type {
  Cursor,
  EraseCounts,
  EraseWhat,
  FeedDemand,
  FeedDepth,
  FeedFacts,
  FeedLedger,
  FeedState,
  KeepClass,
  KeptCounts,
  OutMessage,
} from '../base/feed.ts';
import type { Commit, Committed, Journal, JournalFacts, Restored } from '../base/journal.ts';
import type { Clock, Log, Random, Timer } from '../base/ports.ts';
import type { Reading } from '../base/reading.ts';
import type { WorkerPort } from '../io/worker.ts';
import { type Batch, membersOf } from './batch.ts';
import type { Lost } from './feed.ts';
import type { Answer, Done, Limit, Opening, Request } from './protocol.ts';
import { type Group, SampleGroups } from './samples.ts';

const STALL_MS = 1000;
const PERSIST_MS = 5000;
const STEP_MS = 20;
const MAX_GROUPS = 600;
const RESTART_MS = 500;
/** Members that landed are told to the worker with the next question, or after this time. */
const ACKS_MS = 50;
const BUDGET = 2 * 1024 ** 3;

export interface JournalDeps {
  readonly startWorker: () => WorkerPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** the database's file; its folder exists */
  readonly path: string;
  /** commit window of telemetry, ms */
  readonly windowMs: number;
  /** what pseudonyms are made with */
  readonly secret: Uint8Array;
  readonly onStalled: (waiting: readonly Commit[]) => void;
  readonly synchronous?: Opening['synchronous'];
  readonly budget?: number;
}

export interface JournalFace extends Journal {
  readonly ledger: FeedLedger;
  /** names this run of the process, in every event and group stored during it */
  readonly boot: string;
  start(): Promise<JournalFacts>;
  /** every feed the journal has a place of */
  feeds(): Promise<readonly FeedFacts[]>;
  /** The configuration changed and names these feeds; the others are detached. */
  named(feeds: readonly string[]): Promise<void>;
  /** Gives up a feed that the configuration does not name. Throws journal.no_feed and journal.still_attached. */
  forget(feed: string): Promise<void>;
  /** Takes what is about something out of the journal, for good; its feeds are told. */
  erase(what: EraseWhat): Promise<EraseCounts>;
  /** Takes what is not to be kept any longer; its feeds are told. A small step at a time, between which commits have their turn. */
  expire(classes: readonly KeepClass[], signal: AbortSignal): Promise<readonly KeptCounts[]>;
  /** feeds whose epoch changed under them (none named = all), and why */
  onRenewed(listener: RenewListener): () => void;
  /** feeds that lost what they had not taken */
  onLost(listener: (lost: Lost) => void): () => void;
}

type RenewListener = (feeds: readonly string[], why: string) => void;

export function createJournal(deps: JournalDeps): JournalFace {
  return new LiveJournal(deps);
}

interface Waiting {
  readonly request: Request;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly since: number;
  told: boolean;
}

class LiveJournal implements JournalFace {
  readonly ledger: FeedLedger;
  private readonly deps: JournalDeps;
  private readonly waiting = new Map<number, Waiting>();
  private readonly pending = new SampleGroups();
  private readonly personal: SampleGroups;
  private readonly headListeners = new Set<(head: number) => void>();
  private readonly renewListeners = new Set<RenewListener>();
  readonly boot: string;
  private readonly lostListeners = new Set<(lost: Lost) => void>();
  private worker: WorkerPort | undefined;
  private restart: Timer | undefined;
  private opened = false;
  private window: Timer | undefined;
  private housekeeping: Timer | undefined;
  /** by feed and stream, what was acknowledged and the worker has not been told yet */
  private readonly acks = new Map<string, Extract<Request, { op: 'ack' }>>();
  private ackTimer: Timer | undefined;
  private stallTimer: Timer | undefined;
  private telemetryInFlight = 0;
  private droppedBusy = 0;
  private n = 0;
  private committedAt = 0;
  private closing = false;

  constructor(deps: JournalDeps) {
    this.deps = deps;
    this.boot = Buffer.from(deps.random.bytes(8)).toString('hex');
    this.personal = new SampleGroups(() => Buffer.from(deps.random.bytes(16)).toString('hex'));
    this.ledger = this.createLedger();
  }

  async start(): Promise<JournalFacts> {
    this.launch();
    const facts = await this.ask<JournalFacts>({ op: 'open', opening: this.opening() });
    this.opened = true;
    this.committedAt = this.deps.clock.mono();
    this.keepHouse();
    return facts;
  }

  restore(): Promise<Restored> {
    return this.ask({ op: 'restore' });
  }

  async commit(commit: Commit): Promise<Committed> {
    const groups = this.takeGroups();
    this.window?.cancel();
    this.window = undefined;
    const { clock, random } = this.deps;
    const entropy = random.bytes(10 * (groups.length + commit.events.length));
    const done = await this.ask<Committed>({ op: 'commit', work: { commit, groups, now: clock.now(), entropy } });
    this.committedAt = clock.mono();
    return done;
  }

  report(readings: readonly Reading[]): void {
    for (const reading of readings) this.pending.add(reading);
    while (this.pending.groups > MAX_GROUPS) this.droppedBusy += this.pending.dropOldest();
    this.openWindow();
  }

  reportPersonal(readings: readonly Reading[]): void {
    for (const reading of readings) this.personal.add(reading);
    while (this.personal.groups > MAX_GROUPS) this.droppedBusy += this.personal.dropOldest();
    void this.flush().catch(() => {});
  }

  async flush(): Promise<void> {
    // While the disk is busy with the last window the readings wait here, where they are bounded.
    if (this.telemetryInFlight > 0 && !this.closing) return this.openWindow();
    const groups = this.takeGroups();
    if (groups.length === 0) return;
    const { clock, random } = this.deps;
    this.telemetryInFlight++;
    try {
      await this.ask({ op: 'commit', work: { groups, now: clock.now(), entropy: random.bytes(10 * groups.length) } });
      this.committedAt = clock.mono();
    } finally {
      this.telemetryInFlight--;
      if (!this.personal.isEmpty && !this.closing) void this.flush().catch(() => {});
    }
  }

  private takeGroups(): Group[] {
    return [...this.pending.take(), ...this.personal.take()];
  }

  private openWindow(): void {
    this.window ??= this.deps.clock.timer('commit window', this.deps.windowMs, () => {
      this.window = undefined;
      void this.flush().catch(() => {});
    });
  }

  async facts(): Promise<JournalFacts> {
    const facts = await this.ask<JournalFacts>({ op: 'facts' });
    return {
      ...facts,
      counters: {
        ...facts.counters,
        dropped_busy: this.droppedBusy,
        untold: this.pending.untold + this.personal.untold,
      },
    };
  }

  feeds(): Promise<readonly FeedFacts[]> {
    return this.ask({ op: 'feeds' });
  }

  named(feeds: readonly string[]): Promise<void> {
    return this.ask({ op: 'named', feeds });
  }

  async forget(feed: string): Promise<void> {
    while (!(await this.ask<boolean>({ op: 'forget', feed })));
  }

  async erase(what: EraseWhat): Promise<EraseCounts> {
    for (;;) {
      const done = await this.ask<EraseCounts | undefined>({ op: 'erase', what, wall: this.deps.clock.now().wall });
      if (done !== undefined) return done;
    }
  }

  async expire(classes: readonly KeepClass[], signal: AbortSignal): Promise<readonly KeptCounts[]> {
    const { clock } = this.deps;
    for (;;) {
      if (this.closing || signal.aborted) throw new WeinaoError('journal.gone', { detail: 'stopped' });
      const done = await this.ask<readonly KeptCounts[] | undefined>({ op: 'expire', classes, wall: clock.now().wall });
      if (done !== undefined) return done;
    }
  }

  onHead(listener: (head: number) => void): () => void {
    this.headListeners.add(listener);
    return () => void this.headListeners.delete(listener);
  }

  onRenewed(listener: RenewListener): () => void {
    this.renewListeners.add(listener);
    return () => void this.renewListeners.delete(listener);
  }

  onLost(listener: (lost: Lost) => void): () => void {
    this.lostListeners.add(listener);
    return () => void this.lostListeners.delete(listener);
  }

  lastCommit(): number {
    return this.committedAt;
  }

  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    for (const timer of [this.window, this.housekeeping, this.restart]) timer?.cancel();
    if (this.worker === undefined) {
      this.stallTimer?.cancel();
      return;
    }
    await this.flush().catch(() => {});
    await this.ask({ op: 'close' }).catch(() => {});
    this.stallTimer?.cancel();
    await this.worker.terminate();
  }

  private launch(): void {
    const worker = this.deps.startWorker();
    this.worker = worker;
    worker.onMessage((message) => this.answered(message as Answer));
    worker.onExit((why) => this.died(worker, why));
  }

  private died(worker: WorkerPort, why: string): void {
    if (this.closing || this.worker !== worker) return;
    this.deps.log.error('journal.worker_died', { why });
    this.worker = undefined;
    if (!this.opened) {
      // It never ran: whoever starts the gateway must know, and starting it again and again would not help.
      for (const waiting of this.waiting.values()) waiting.reject(new WeinaoError('journal.gone', { detail: why }));
      return this.waiting.clear();
    }
    this.restart = this.deps.clock.timer('store restart', RESTART_MS, () => this.relaunch());
  }

  private relaunch(): void {
    const again = [...this.waiting];
    this.launch();
    this.ask({ op: 'open', opening: this.opening() }).catch(() => {});
    for (const [n, { request }] of again) if (request.op !== 'open') this.worker?.post({ ...request, n });
    for (const listener of this.renewListeners) listener([], 'restart');
  }

  private opening(): Opening {
    const { path, random, clock, secret, synchronous = 'FULL', budget = BUDGET } = this.deps;
    return { path, secret, boot: this.boot, entropy: random.bytes(8), now: clock.now(), synchronous, budget };
  }

  private ask<T>(request: Request): Promise<T> {
    this.postAcks();
    const n = ++this.n;
    return new Promise<T>((resolve, reject) => {
      const waiting = {
        request,
        resolve: resolve as (value: never) => void,
        reject,
        since: this.deps.clock.mono(),
        told: false,
      };
      this.waiting.set(n, waiting);
      this.worker?.post({ ...request, n });
      if (request.op === 'commit') this.watchStall();
    });
  }

  /** PUBACKs come by the dozen: the last one counts, told before whatever is asked next. Nothing answers it. */
  private ack(feed: string, stream: Stream, upTo: Cursor): void {
    const key = `${stream} ${feed}`;
    const before = this.acks.get(key)?.upTo;
    if (before?.epoch === upTo.epoch && before.seq >= upTo.seq) return;
    this.acks.set(key, { op: 'ack', feed, stream, upTo });
    this.ackTimer ??= this.deps.clock.timer('acks', ACKS_MS, () => this.postAcks());
  }

  private postAcks(): void {
    this.ackTimer?.cancel();
    this.ackTimer = undefined;
    for (const ack of this.acks.values()) this.worker?.post({ ...ack, n: 0 });
    this.acks.clear();
  }

  private answered(answer: Answer): void {
    if ('head' in answer) {
      // The feeds hear of it first: an alarm is handed to their senders before anything is done because of it.
      for (const listener of this.headListeners) listener(answer.head);
      for (const done of answer.done) this.done(done);
      return;
    }
    if ('renewed' in answer) {
      for (const listener of this.renewListeners) listener(answer.renewed, answer.why);
      return;
    }
    if ('lost' in answer) {
      const { renewed, why } = answer.lost;
      if (renewed.length > 0) for (const listener of this.renewListeners) listener(renewed, why);
      for (const listener of this.lostListeners) listener(answer.lost);
      return;
    }
    const waiting = this.waiting.get(answer.n);
    this.waiting.delete(answer.n);
    if (waiting === undefined) return;
    if ('value' in answer) waiting.resolve(answer.value as never);
    else
      waiting.reject(
        'code' in answer.error ? new WeinaoError(answer.error.code, answer.error.params) : new Error(answer.error.text),
      );
  }

  private done({ n, durable, stored }: Done): void {
    const waiting = this.waiting.get(n);
    this.waiting.delete(n);
    if (waiting?.request.op !== 'commit') return;
    const drafts = waiting.request.work.commit?.events ?? [];
    const { boot } = this;
    // The worker says where they stand, not what they are: that is still here.
    const events = stored.flatMap((placed, i): StoredEvent[] => {
      const draft = drafts[i];
      return draft === undefined ? [] : [{ ...draft, ...placed, boot }];
    });
    waiting.resolve({ durable, events } satisfies Committed as never);
  }

  /** One timer for all waiting commits. */
  private watchStall(): void {
    this.stallTimer ??= this.deps.clock.timer('store stall', STALL_MS, () => {
      this.stallTimer = undefined;
      const now = this.deps.clock.mono();
      const waiting = [...this.waiting.values()].filter((w) => w.request.op === 'commit');
      const stalled = waiting.filter((w) => !w.told && now - w.since >= STALL_MS);
      for (const w of stalled) w.told = true;
      const commits = stalled.flatMap((w) =>
        w.request.op === 'commit' && w.request.work.commit !== undefined ? [w.request.work.commit] : [],
      );
      if (commits.length > 0) this.deps.onStalled(commits);
      if (waiting.length > 0) this.watchStall();
    });
  }

  /** Cursors are written, and what is old is dropped, now and then; a long work in small steps, between which commits have their turn. */
  private keepHouse(afterMs = PERSIST_MS): void {
    this.housekeeping = this.deps.clock.timer('journal housekeeping', afterMs, () => {
      const { clock, random } = this.deps;
      this.ask<boolean>({ op: 'persist', now: clock.now(), entropy: random.bytes(18) })
        .catch((error: unknown) => this.deps.log.warn('journal.housekeeping', { detail: String(error) }))
        .then(
          (isMore) => this.closing || this.keepHouse(isMore === true ? STEP_MS : PERSIST_MS),
          () => {},
        );
    });
  }

  private createLedger(): FeedLedger {
    const entropy = (): Uint8Array => this.deps.random.bytes(18);
    const wall = (): number => this.deps.clock.now().wall;
    return {
      open: (demand: FeedDemand): Promise<FeedState> =>
        this.ask({ op: 'feed', demand, entropy: entropy(), wall: wall() }),
      renew: (feed, reason, over): Promise<FeedState> =>
        this.ask({
          op: 'renew',
          feed,
          reason,
          entropy: entropy(),
          wall: wall(),
          ...(over === undefined ? {} : { over }),
        }),
      next: async (feed: string, stream: Stream, after: Cursor, limit: Limit): Promise<readonly OutMessage[]> =>
        membersOf(await this.ask<Batch>({ op: 'next', feed, stream, after, limit })),
      replay: async (feed: string, stream: Stream, after: Cursor, limit: Limit): Promise<readonly OutMessage[]> =>
        membersOf(await this.ask<Batch>({ op: 'replay', feed, stream, after, limit })),
      hashAt: (feed: string, stream: Stream, at: Cursor): Promise<string | undefined> =>
        this.ask({ op: 'hash', feed, stream, at }),
      ack: (feed, stream, upTo) => this.ack(feed, stream, upTo),
      gone: (feed, stream, reason, asked) =>
        void this.ask({ op: 'gone', feed, stream, reason, asked, wall: wall() }).catch(() => {}),
      depth: (feed): Promise<{ a: FeedDepth; t: FeedDepth }> => this.ask({ op: 'depth', feed }),
      remember: (feed, key, body) => void this.ask({ op: 'remember', feed, key, body }).catch(() => {}),
      heads: () => this.ask({ op: 'heads' }),
      recall: async (feed) =>
        new Map((await this.ask<{ key: string; body: string }[]>({ op: 'recall', feed })).map((r) => [r.key, r.body])),
    };
  }
}
