/**
 * One feed and its broker. Senders know nothing of each other: a broker that is absent, slow or refuses costs only its own feed.
 *
 * - The journal holds the queue; the sender holds a window. Stream `a` may have WINDOW_A members in flight and goes first; telemetry in flight
 *   is bounded by what the link carried in the last second (at least one message) and by the feed's `rate`.
 * - A PUBACK of the unbroken beginning moves the cursor (`ack: broker`), or the platform's own ack does (`ack: app`): never beyond what the
 *   broker took, never back, never of another epoch.
 * - After a break everything in flight is forgotten and sent again from the cursor: the same bytes, the same ids.
 * - A member refused three times, or larger than the broker takes, is passed over: new epoch that tells the gap, technical alarm.
 * - At each connect the gateway reads its own retained proofs: an epoch known there with members this journal cannot make means that the
 *   journal is an older copy; the feed begins a new epoch.
 */
import { WeinaoError } from '../base/errors/index.ts';
import { STREAMS, type Stream } from '../base/event.ts';
import type { FeedLedger, FeedState, OutMessage } from '../base/feed.ts';
import type { JsonObject } from '../base/json.ts';
import type { FeedModel } from '../base/model.ts';
import type { Clock, Log, Random, Timer } from '../base/ports.ts';
import { type BrokerConnection, Refused } from '../io/mqtt.ts';
import { greet, isOurs, publishState, streamName } from './greeting.ts';
import { Incoming, type Said } from './incoming.ts';
import { Pace } from './pace.ts';
import { publishMember } from './packet.ts';
import { ProofSchedule, proofOf, type Signing } from './proof.ts';
import { Replay } from './replay.ts';
import { Resend } from './resend.ts';
import { FlightWindow } from './window.ts';

const WINDOW_A = 50;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 60_000;
const STATE_EVERY = 300_000;
const REFUSALS = 3;
const PROOF_WAIT = 500;

export interface SenderDeps {
  readonly feed: FeedModel;
  readonly site: string;
  readonly source: string;
  readonly ledger: FeedLedger;
  readonly connect: (
    feed: FeedModel,
    will: { topic: string; payload: string; delaySeconds: number },
  ) => Promise<BrokerConnection>;
  readonly signer: Signing;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** the device model as the feed may see it, by device */
  readonly catalog: () => ReadonlyMap<string, JsonObject>;
  readonly onRefused: (feed: string, detail: string) => void;
  /** the broker has everything the journal holds for the feed; said again and again */
  readonly onCaughtUp: (feed: string) => void;
  /** with `ack: app`: the platform has acknowledged nothing for a day, or does again */
  readonly onSilent: (feed: string, silent: boolean) => void;
}

export interface SenderStatus {
  readonly id: string;
  readonly state: 'connected' | 'connecting' | 'stopped';
  readonly error?: string;
  readonly seq: { readonly a: number; readonly t: number };
  readonly acked: { readonly a: number; readonly t: number };
  readonly counters: Readonly<Record<string, number>>;
}

export class FeedSender {
  readonly feed: FeedModel;
  private readonly deps: SenderDeps;
  private readonly base: string;
  private readonly session: string;
  private since = 0;
  private readonly counters: Record<string, number> = {
    published: 0,
    refused: 0,
    resent: 0,
    connects: 0,
    commands_refused: 0,
    bad_input: 0,
  };
  private state: FeedState | undefined;
  private windows = { a: new FlightWindow('', 0), t: new FlightWindow('', 0) };
  private readonly proofs = { a: new ProofSchedule(), t: new ProofSchedule() };
  private readonly refusals = new Map<string, number>();
  private readonly replay: Replay;
  private readonly resend: Resend;
  /** last member the platform itself acknowledged */
  private heard = { a: 0, t: 0 };
  private connection: BrokerConnection | undefined;
  private incoming: Incoming | undefined;
  private timers: Partial<Record<'connect' | 'state' | 'rate', Timer>> = {};
  private error: WeinaoError | undefined;
  private failures = 0;
  private stopped = true;
  /** the connection is greeted and the cursors are known: members may flow */
  private flowing = false;
  /** the journal began a new epoch: members are asked for anew */
  private epochOver = false;
  private pumping = false;
  private again = false;
  private readonly pace: Pace;

  constructor(deps: SenderDeps) {
    this.deps = deps;
    this.feed = deps.feed;
    this.base = `wn/1/${deps.feed.id}/${deps.site}`;
    this.replay = new Replay(deps.ledger, deps.feed.id);
    this.resend = new Resend({
      clock: deps.clock,
      feed: deps.feed.id,
      again: () => {
        this.count('resent');
        void this.rewind().catch((error: unknown) => this.lost(error, this.connection));
      },
      onSilent: (silent) => deps.onSilent(deps.feed.id, silent),
    });
    this.pace = new Pace(deps.feed.rate, deps.clock.mono());
    this.session = Buffer.from(deps.random.bytes(2)).toString('hex');
  }

  /** Resolves when the feed's cursor stands in the journal: what happens from now on is the feed's, however long its broker is away. */
  async start(): Promise<void> {
    this.stopped = false;
    this.state = await this.open();
    void this.tryConnect();
  }

  /** The journal has something new, or began a new epoch for this feed. */
  poke(renewed = false): void {
    if (renewed) this.epochOver = true;
    void this.pump();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of Object.values(this.timers)) timer.cancel();
    this.resend.stop();
    const { connection } = this;
    this.connection = undefined;
    if (connection === undefined) return;
    await connection
      .publish(`${this.base}/up/state`, JSON.stringify({ online: false, session: this.session, why: 'stop' }), {
        retain: true,
      })
      .catch(() => {});
    await connection.close();
  }

  status(): SenderStatus {
    const { windows, feed, error, counters } = this;
    return {
      id: feed.id,
      state: this.stopped ? 'stopped' : this.connection === undefined ? 'connecting' : 'connected',
      ...(error === undefined ? {} : { error: error.code }),
      seq: { a: windows.a.sent, t: windows.t.sent },
      acked: { a: windows.a.acked, t: windows.t.acked },
      counters: { ...counters },
    };
  }

  private async tryConnect(): Promise<void> {
    const will = {
      topic: `${this.base}/up/state`,
      payload: JSON.stringify({ online: false, session: this.session, why: 'lost' }),
      delaySeconds: 30,
    };
    try {
      const connection = await this.deps.connect(this.feed, will);
      if (this.stopped) return void (await connection.close());
      this.count('connects');
      connection.onClose((why) => this.lost(new Error(why), connection));
      this.connection = connection;
      this.since = this.deps.clock.now().wall;
      await this.begin(connection);
    } catch (error) {
      this.lost(error);
    }
  }

  private open(): Promise<FeedState> {
    const { ledger, feed, source } = this.deps;
    const { id, encoding, keepMs } = feed;
    return ledger.open({ feed: id, source, view: 'everything.1', selects: 'everything', encoding, keepMs });
  }

  private async begin(connection: BrokerConnection): Promise<void> {
    this.flowing = false;
    this.state = await this.open();
    this.incoming = new Incoming(this.base, this.deps.clock);
    connection.onMessage((topic, payload) => this.take(topic, payload));
    await connection.subscribe([
      `${this.base}/dn/ack`,
      `${this.base}/dn/cmd`,
      `${this.base}/dn/replay`,
      `${this.base}/up/proof/a`,
      `${this.base}/up/proof/t`,
    ]);
    await this.deps.clock.sleep(`proofs ${this.feed.id}`, PROOF_WAIT);
    await this.checkProofs();
    if (this.connection !== connection) return;
    await this.fromCursor();
    await greet(connection, this.base, this.state, this.deps);
    await this.publishState(connection);
    if (this.error !== undefined) this.deps.log.info('feed.connected', { feed: this.feed.id });
    this.error = undefined;
    this.failures = 0;
    this.flowing = true;
    this.armState();
    await this.pump();
  }

  /** A retained proof of this epoch that this journal cannot make: the journal is an older copy of itself. */
  private async checkProofs(): Promise<void> {
    for (const stream of STREAMS) {
      const proof = this.incoming?.proofs[stream];
      if (proof === undefined || this.state === undefined) continue;
      if (await isOurs(this.deps.ledger, this.state, stream, proof)) continue;
      this.deps.log.warn('feed.journal_restored', { feed: this.feed.id, stream });
      this.state = await this.deps.ledger.renew(this.feed.id, 'restored');
      return;
    }
  }

  /** Forgets what is in flight and stands where the journal's cursor stands. */
  private async fromCursor(): Promise<void> {
    this.epochOver = false;
    this.state = await this.open();
    const { contract, acked } = this.state;
    this.heard = { a: acked.a.seq, t: acked.t.seq };
    this.windows = {
      a: new FlightWindow(contract.epoch, acked.a.seq),
      t: new FlightWindow(contract.epoch, acked.t.seq),
    };
  }

  private publishState(connection: BrokerConnection): Promise<void> {
    return publishState(connection, this.base, this.session, this.since, this.deps);
  }

  private armState(): void {
    this.timers.state?.cancel();
    this.timers.state = this.deps.clock.timer(`state ${this.feed.id}`, STATE_EVERY, () => {
      const { connection } = this;
      if (connection !== undefined)
        this.publishState(connection).catch((error: unknown) => this.lost(error, connection));
      this.armState();
    });
  }

  private lost(cause: unknown, of?: BrokerConnection): void {
    if (of !== undefined && this.connection !== of) return;
    const { connection } = this;
    this.connection = undefined;
    this.flowing = false;
    for (const window of Object.values(this.windows)) window.forget();
    void connection?.close().catch(() => {});
    if (this.stopped) return;
    const detail = cause instanceof Error ? cause.message : String(cause);
    const error = new WeinaoError('uplink.connect_failed', { feed: this.feed.id, url: this.feed.to, detail });
    if (this.error === undefined) this.deps.log.warn('feed.lost', { feed: this.feed.id, code: error.code, detail });
    this.error = error;
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.failures) * (0.5 + this.deps.random.next());
    this.failures++;
    this.timers.connect?.cancel();
    this.timers.connect = this.deps.clock.timer(`connect ${this.feed.id}`, pause, () => void this.tryConnect());
  }

  private async pump(): Promise<void> {
    this.again = true;
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (this.again && this.flowing && this.connection !== undefined) {
        this.again = false;
        if (this.epochOver) await this.renew(this.connection);
        const waiting = await this.pumpStream('a', this.connection);
        // Telemetry waits until every alarm is on its way.
        if (!waiting) await this.pumpStream('t', this.connection);
      }
    } catch (error) {
      this.deps.log.error('feed.pump', { feed: this.feed.id, detail: String(error) });
      this.lost(error, this.connection);
    } finally {
      this.pumping = false;
    }
  }

  /** true when members of the stream could not be sent yet */
  private async pumpStream(stream: Stream, connection: BrokerConnection): Promise<boolean> {
    const window = this.windows[stream];
    const room =
      stream === 'a'
        ? Math.min(WINDOW_A, connection.limits.receiveMaximum) - window.count
        : this.roomForTelemetry(window);
    if (room <= 0) return true;
    const bytes = stream === 'a' ? 1024 * 1024 : Math.max(1, this.pace.linkBytes - window.bytes);
    const batch = await this.deps.ledger.next(
      this.feed.id,
      stream,
      { epoch: window.epoch, seq: window.sent },
      { max: room, bytes },
    );
    if (this.connection !== connection || this.windows[stream] !== window) return true;
    const first = batch[0];
    if (first === undefined) {
      if (stream === 't' && window.count === 0) this.deps.onCaughtUp(this.feed.id);
      return false;
    }
    for (const message of batch) {
      window.fly(message);
      if (stream === 't') this.pace.spend();
      this.publish(connection, window, message);
    }
    this.again = true;
    return batch.length >= room;
  }

  private roomForTelemetry(window: FlightWindow): number {
    const { room, waitMs } = this.pace.room(window.count, window.bytes, this.deps.clock.mono());
    if (waitMs !== undefined)
      this.timers.rate ??= this.deps.clock.timer(`rate ${this.feed.id}`, waitMs, () => {
        delete this.timers.rate;
        void this.pump();
      });
    return room;
  }

  private put(connection: BrokerConnection, message: OutMessage): Promise<void> {
    return publishMember(
      connection,
      `${this.base}/up/${message.stream}`,
      this.feed.encoding,
      message,
      this.deps.clock.now().wall,
    );
  }

  private publish(connection: BrokerConnection, window: FlightWindow, message: OutMessage): void {
    this.count('published');
    this.put(connection, message).then(
      () => this.landed(connection, window, message),
      (error: unknown) => {
        if (error instanceof Refused) void this.refused(connection, window, message, error);
        else this.lost(error, connection);
      },
    );
  }

  private landed(connection: BrokerConnection, window: FlightWindow, message: OutMessage): void {
    if (this.windows[message.stream] !== window) return;
    this.pace.measure(message.payload.length, this.deps.clock.mono());
    this.refusals.delete(message.id);
    const landed = window.land(message);
    const last = landed.at(-1);
    if (last !== undefined) {
      if (this.feed.ack === 'broker')
        this.deps.ledger.ack(this.feed.id, last.stream, { epoch: window.epoch, seq: last.seq });
      else this.resend.sent();
      for (const member of landed)
        if (this.proofs[member.stream].due(member, this.deps.clock.mono())) this.prove(connection, last);
    }
    void this.pump();
  }

  private prove(connection: BrokerConnection, member: OutMessage): void {
    if (this.state === undefined) return;
    const proof = proofOf(streamName(this.state, member.stream), member.seq, member.hash, this.deps.signer);
    connection
      .publish(`${this.base}/up/proof/${member.stream}`, proof, { retain: true })
      .catch((error: unknown) => this.lost(error, connection));
  }

  private async refused(
    connection: BrokerConnection,
    window: FlightWindow,
    message: OutMessage,
    error: Refused,
  ): Promise<void> {
    this.count('refused');
    const times = (this.refusals.get(message.id) ?? 0) + 1;
    this.refusals.set(message.id, times);
    // Only the first that is not delivered may be passed over: what stands before another would go with it.
    if (times >= REFUSALS && message.seq === window.acked + 1) {
      this.refusals.clear();
      this.deps.onRefused(this.feed.id, `${message.type} ${message.id}: ${error.message}`);
      await this.deps.ledger.renew(this.feed.id, 'refused', { stream: message.stream, position: message.position });
    }
    this.lost(error, connection);
  }

  private async renew(connection: BrokerConnection): Promise<void> {
    await this.fromCursor();
    if (this.state !== undefined) await greet(connection, this.base, this.state, this.deps);
  }

  private async rewind(): Promise<void> {
    await this.fromCursor();
    void this.pump();
  }

  private take(topic: string, payload: Uint8Array): void {
    const { incoming, state } = this;
    if (incoming === undefined || state === undefined) return;
    const said = incoming.take(topic, payload);
    if (said === undefined) return;
    if (said.kind === 'command') this.count('commands_refused');
    if (said.kind === 'bad') this.count('bad_input');
    if (said.kind === 'replay') this.replayed(said, state);
    if (said.kind !== 'ack' || this.feed.ack !== 'app') return;
    const stream = STREAMS.find((s) => streamName(state, s) === said.stream);
    if (stream === undefined || said.seq > this.windows[stream].acked) {
      this.count('bad_input');
      return;
    }
    this.heard[stream] = Math.max(this.heard[stream], said.seq);
    this.resend.acked(STREAMS.every((s) => this.heard[s] >= this.windows[s].acked));
    this.deps.ledger.ack(this.feed.id, stream, { epoch: state.contract.epoch, seq: said.seq });
  }

  private replayed(asked: Extract<Said, { kind: 'replay' }>, state: FeedState): void {
    const { connection } = this;
    const stream = STREAMS.find((s) => streamName(state, s) === asked.stream);
    if (stream === undefined || connection === undefined || asked.to > this.windows[stream].acked) {
      this.count('bad_input');
      return;
    }
    const { from, to } = asked;
    this.replay
      .run({ stream, epoch: state.contract.epoch, from, to }, (message) => this.put(connection, message))
      .then((sent) => {
        this.count('replayed', sent);
      })
      .catch((error: unknown) => this.lost(error, connection));
  }

  private count(what: string, by = 1): void {
    this.counters[what] = (this.counters[what] ?? 0) + by;
  }
}
