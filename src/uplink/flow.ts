/**
 * The members of one feed through their windows. Knows the journal and a way to send, and nothing of connections.
 *
 * - The journal holds the queue; a window holds what is in flight. Stream `a` may have WINDOW_A members in flight and goes first; telemetry in
 *   flight is bounded by what the link carries (pace.ts; at least one message) and by the feed's `rate`.
 * - What landed is the unbroken beginning of a window. After a break everything in flight is forgotten and read again from the cursor: the same
 *   bytes, the same ids.
 * - A member refused three times is passed over: new epoch that tells the gap.
 */
import type { Stream } from '../base/event.ts';
import type { FeedLedger, FeedState, OutMessage } from '../base/feed.ts';
import type { FeedModel } from '../base/model.ts';
import type { Clock, Log, Timer } from '../base/ports.ts';
import type { Entitlement } from '../base/view.ts';
import { Refused } from '../io/mqtt.ts';
import { Pace } from './pace.ts';
import { FlightWindow } from './window.ts';

const WINDOW_A = 50;
const REFUSALS = 3;

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
  private windows = { a: new FlightWindow('', 0), t: new FlightWindow('', 0) };
  private way: Way | undefined;
  private rateTimer: Timer | undefined;
  /** the journal began a new epoch: members are asked for anew */
  private epochOver = false;
  private pumping = false;
  private again = false;

  constructor(deps: FlowDeps) {
    this.deps = deps;
    this.pace = new Pace(deps.feed.rate, deps.clock.mono());
  }

  /** contract and cursors as last read from the journal */
  get state(): FeedState | undefined {
    return this.current;
  }

  /** by stream, the last member handed to the way */
  get sent(): Readonly<Record<Stream, number>> {
    return { a: this.windows.a.sent, t: this.windows.t.sent };
  }

  /** by stream, the last member of the unbroken row that landed */
  get landed(): Readonly<Record<Stream, number>> {
    return { a: this.windows.a.acked, t: this.windows.t.acked };
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
    this.windows = {
      a: new FlightWindow(contract.epoch, acked.a.seq),
      t: new FlightWindow(contract.epoch, acked.t.seq),
    };
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
    for (const window of Object.values(this.windows)) window.forget();
  }

  stop(): void {
    this.way = undefined;
    this.rateTimer?.cancel();
  }

  renewed(): void {
    this.epochOver = true;
  }

  async pump(): Promise<void> {
    this.again = true;
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (this.again && this.way !== undefined) {
        this.again = false;
        const { way } = this;
        if (this.epochOver) await this.deps.onEpoch(await this.rewind());
        const waiting = await this.pumpStream('a', way);
        // Telemetry waits until every alarm is on its way.
        if (!waiting) await this.pumpStream('t', way);
      }
    } catch (error) {
      this.deps.log.error('feed.pump', { feed: this.deps.feed.id, detail: String(error) });
      this.broken(error, this.way);
    } finally {
      this.pumping = false;
    }
  }

  /** true when members of the stream could not be sent yet */
  private async pumpStream(stream: Stream, way: Way): Promise<boolean> {
    const { ledger, feed } = this.deps;
    const window = this.windows[stream];
    const room = stream === 'a' ? Math.min(WINDOW_A, way.atOnce) - window.count : this.roomForTelemetry(window);
    if (room <= 0) return true;
    const bytes = stream === 'a' ? 1024 * 1024 : Math.max(1, this.pace.linkBytes - window.bytes);
    const batch = await ledger.next(feed.id, stream, { epoch: window.epoch, seq: window.sent }, { max: room, bytes });
    if (this.way !== way || this.windows[stream] !== window) return true;
    const first = batch[0];
    if (first === undefined) {
      if (stream === 't' && window.count === 0) this.deps.onCaughtUp();
      return false;
    }
    for (const message of batch) {
      window.fly(message);
      if (stream === 't') this.pace.spend();
      this.send(way, window, message);
    }
    this.again = true;
    return batch.length >= room;
  }

  private roomForTelemetry(window: FlightWindow): number {
    const { room, waitMs } = this.pace.room(window.count, window.bytes, this.deps.clock.mono());
    if (waitMs !== undefined)
      this.rateTimer ??= this.deps.clock.timer(`rate ${this.deps.feed.id}`, waitMs, () => {
        this.rateTimer = undefined;
        void this.pump();
      });
    return room;
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
    if (this.windows[message.stream] !== window) return;
    this.pace.measure(message.payload.length, sentAt, this.deps.clock.mono());
    this.refusals.delete(message.id);
    const landed = window.land(message);
    if (landed.length > 0) this.deps.onLanded(landed, window.epoch);
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

  /** A way that is no longer taken may break as it likes. */
  private broken(cause: unknown, way: Way | undefined): void {
    if (way !== undefined && this.way === way) this.deps.onBroken(cause);
  }
}
