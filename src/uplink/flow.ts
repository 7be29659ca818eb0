/**
 * The members of one feed through their windows. Knows the journal and a way to send, and nothing of connections.
 *
 * - The journal holds the queue; a window holds what is in flight. Stream `a` may have WINDOW_A members in flight and goes first; telemetry in
 *   flight is bounded by what the link carries (pace.ts; at least one message) and by the feed's `rate`.
 * - Members are read ahead of the windows (ahead.ts) while these are full, so that each PUBACK is followed by the next member at once: a stream
 *   of single messages, no bursts, which a far end with Nagle's algorithm would answer 40 ms late. Telemetry goes only when no alarm waits, read
 *   ahead or in the journal as far as it has said; what is read ahead counts as nothing in flight.
 * - What landed is the unbroken beginning of a window. After a break everything in flight and read ahead is forgotten and read again from the
 *   cursor: the same bytes, the same ids. So it is with a new epoch, before any further member goes.
 * - A member refused three times is passed over: new epoch that tells the gap.
 */
import type { Stream } from '../base/event.ts';
import type { FeedLedger, FeedState, OutMessage } from '../base/feed.ts';
import type { FeedModel } from '../base/model.ts';
import type { Clock, Log, Timer } from '../base/ports.ts';
import type { Entitlement } from '../base/view.ts';
import { Refused } from '../io/mqtt.ts';
import { type Bounds, ReadAhead } from './ahead.ts';
import { Pace } from './pace.ts';
import { FlightWindow } from './window.ts';

const WINDOW_A = 50;
const REFUSALS = 3;
/** An answer of the store's thread is fetched while half of this flows; a group of telemetry takes it many times an event's time. */
const AHEAD_A: Bounds = { members: 128, bytes: 256 * 1024, atOnce: 64 };
const AHEAD_T: Bounds = { members: 32, bytes: 256 * 1024, atOnce: 16 };

/** One stream: what is in flight, and what is read ahead of it. */
interface Lane {
  readonly stream: Stream;
  readonly window: FlightWindow;
  readonly ahead: ReadAhead;
}
type Lanes = Readonly<Record<Stream, Lane>>;

/** Where members go as long as a connection lasts. */
export interface Way {
  /** members the far end takes at once */
  readonly atOnce: number;
  /** resolves when the far end has it; rejects with `Refused` when it said no, with anything else when the connection is no good */
  send(message: OutMessage): Promise<void>;
}

export interface FlowDeps {
  readonly feed: FeedModel;
  readonly source: string;
  readonly entitlement: Entitlement;
  readonly ledger: FeedLedger;
  readonly clock: Clock;
  readonly log: Log;
  readonly count: (what: string) => void;
  /** the far end has these, oldest first: an unbroken row behind what it had before */
  readonly onLanded: (members: readonly OutMessage[], epoch: string) => void;
  /** the journal began a new epoch while members flowed; they wait for the promise */
  readonly onEpoch: (state: FeedState) => Promise<void>;
  /** the journal has nothing more for the feed */
  readonly onCaughtUp: () => void;
  /** a member was passed over */
  readonly onPassedOver: (detail: string) => void;
  /** nothing more can be sent this way */
  readonly onBroken: (cause: unknown) => void;
}

export class Flow {
  private readonly deps: FlowDeps;
  private readonly pace: Pace;
  private readonly refusals = new Map<string, number>();
  private current: FeedState | undefined;
  private lanes: Lanes;
  private way: Way | undefined;
  private rateTimer: Timer | undefined;
  /** the journal began a new epoch: members are asked for anew */
  private epochOver = false;
  private pumping = false;
  private again = false;

  constructor(deps: FlowDeps) {
    this.deps = deps;
    this.pace = new Pace(deps.feed.rate, deps.clock.mono());
    this.lanes = this.lanesFrom('', { a: 0, t: 0 });
  }

  /** contract and cursors as last read from the journal */
  get state(): FeedState | undefined {
    return this.current;
  }

  /** by stream, the last member handed to the way */
  get sent(): Readonly<Record<Stream, number>> {
    return { a: this.lanes.a.window.sent, t: this.lanes.t.window.sent };
  }

  /** by stream, the last member of the unbroken row that landed */
  get landed(): Readonly<Record<Stream, number>> {
    return { a: this.lanes.a.window.acked, t: this.lanes.t.window.acked };
  }

  async open(): Promise<FeedState> {
    this.current = await this.look();
    return this.current;
  }

  /** How the feed stands in the journal, also when the members in flight are of an epoch that is over. */
  look(): Promise<FeedState> {
    const { ledger, feed, source, entitlement } = this.deps;
    const { id, encoding, keepMs, priority } = feed;
    return ledger.open({ feed: id, source, ...entitlement, encoding, keepMs, priority });
  }

  /** Forgets what is in flight and stands where the journal's cursor stands. */
  async rewind(): Promise<FeedState> {
    this.epochOver = false;
    const state = await this.open();
    const { contract, acked } = state;
    this.lanes = this.lanesFrom(contract.epoch, { a: acked.a.seq, t: acked.t.seq });
    return state;
  }

  /** The cursors are known and the far end is greeted: members may flow. */
  begin(way: Way): Promise<void> {
    this.way = way;
    return this.pump();
  }

  /** What is in flight is lost. */
  halt(): void {
    this.way = undefined;
    this.lanes = this.lanesFrom(this.lanes.a.window.epoch, this.landed);
  }

  stop(): void {
    this.way = undefined;
    this.rateTimer?.cancel();
  }

  renewed(): void {
    this.epochOver = true;
  }

  /** @param news the journal may have more than it said */
  async pump(news = false): Promise<void> {
    if (news) for (const { ahead } of Object.values(this.lanes)) ahead.news();
    this.again = true;
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (this.again && this.way !== undefined) {
        this.again = this.epochOver;
        if (this.epochOver) await this.deps.onEpoch(await this.rewind());
        else this.fill(this.way);
      }
    } catch (error) {
      this.failed(error, this.way);
    } finally {
      this.pumping = false;
    }
  }

  private lanesFrom(epoch: string, acked: Readonly<Record<Stream, number>>): Lanes {
    const { ledger, feed } = this.deps;
    const lane = (stream: Stream): Lane => ({
      stream,
      window: new FlightWindow(epoch, acked[stream]),
      ahead: new ReadAhead((seq, limit) => ledger.next(feed.id, stream, { epoch, seq }, limit), acked[stream]),
    });
    return { a: lane('a'), t: lane('t') };
  }

  /** What may go now goes, and what may be read is read in the background. */
  private fill(way: Way): void {
    const { a, t } = this.lanes;
    const most = Math.min(WINDOW_A, way.atOnce);
    for (let next = a.ahead.first; next !== undefined && a.window.count < most; next = a.ahead.first)
      this.launch(way, a, next);
    this.readAhead(way, a, AHEAD_A);
    // Telemetry waits until every alarm is on its way.
    if (!a.ahead.isDry) return;
    for (let next = t.ahead.first; next !== undefined && this.hasRoomForTelemetry(t.window); next = t.ahead.first) {
      this.pace.spend();
      this.launch(way, t, next);
    }
    this.readAhead(way, t, { ...AHEAD_T, bytes: Math.min(AHEAD_T.bytes, this.pace.linkBytes) });
    if (t.ahead.isDry && t.window.count === 0) this.deps.onCaughtUp();
  }

  private launch(way: Way, { window, ahead }: Lane, message: OutMessage): void {
    ahead.shift();
    window.fly(message);
    this.send(way, window, message);
  }

  private readAhead(way: Way, lane: Lane, bounds: Bounds): void {
    lane.ahead.fill(bounds)?.then(
      () => void this.pump(),
      (error: unknown) => {
        if (this.lanes[lane.stream] === lane) this.failed(error, way);
      },
    );
  }

  private hasRoomForTelemetry(window: FlightWindow): boolean {
    const { room, waitMs } = this.pace.room(window.count, window.bytes, this.deps.clock.mono());
    if (waitMs !== undefined)
      this.rateTimer ??= this.deps.clock.timer(`rate ${this.deps.feed.id}`, waitMs, () => {
        this.rateTimer = undefined;
        void this.pump();
      });
    return room > 0;
  }

  private send(way: Way, window: FlightWindow, message: OutMessage): void {
    this.deps.count('published');
    const sentAt = this.deps.clock.mono();
    way.send(message).then(
      () => this.land(window, message, sentAt),
      (error: unknown) => {
        if (error instanceof Refused) void this.refused(way, window, message, error);
        else this.broken(error, way);
      },
    );
  }

  private land(window: FlightWindow, message: OutMessage, sentAt: number): void {
    const lane = this.lanes[message.stream];
    if (lane.window !== window) return;
    this.pace.measure(message.payload.length, sentAt, this.deps.clock.mono());
    this.refusals.delete(message.id);
    const landed = window.land(message);
    if (landed.length > 0) {
      this.deps.onLanded(landed, window.epoch);
      lane.ahead.news();
    }
    void this.pump();
  }

  private async refused(way: Way, window: FlightWindow, message: OutMessage, error: Refused): Promise<void> {
    const { ledger, feed } = this.deps;
    this.deps.count('refused');
    const times = (this.refusals.get(message.id) ?? 0) + 1;
    this.refusals.set(message.id, times);
    // Only the first that is not delivered may be passed over: what stands before another would go with it.
    if (times >= REFUSALS && message.seq === window.acked + 1) {
      this.refusals.clear();
      this.deps.onPassedOver(`${message.type} ${message.id}: ${error.message}`);
      await ledger.renew(feed.id, 'refused', { stream: message.stream, position: message.position });
    }
    this.broken(error, way);
  }

  private failed(error: unknown, way: Way | undefined): void {
    this.deps.log.error('feed.pump', { feed: this.deps.feed.id, detail: String(error) });
    this.broken(error, way);
  }

  /** A way that is no longer taken may break as it likes. */
  private broken(cause: unknown, way: Way | undefined): void {
    if (way !== undefined && this.way === way) this.deps.onBroken(cause);
  }
}
