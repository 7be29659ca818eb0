/**
 * One feed and its broker: connecting, backing off, greeting, and what the platform says back. Senders know nothing of each other: a broker that is
 * absent, slow or refuses costs only its own feed. The members themselves go through `Flow`.
 *
 * - A PUBACK of the unbroken beginning moves the cursor (`ack: broker`), or the platform's own ack does (`ack: app`): never beyond what the
 *   broker took, never back, never of another epoch.
 * - After a break everything in flight is sent again from the cursor; a member refused three times, or larger than the broker takes, is passed
 *   over with a technical alarm.
 * - At each connect the gateway reads its own retained proofs: an epoch known there with members this journal cannot make means that the
 *   journal is an older copy; the feed begins a new epoch.
 */
import type { Arrival } from '../base/command.ts';
import { textOf, WeinaoError } from '../base/errors/index.ts';
import { STREAMS } from '../base/event.ts';
import type { FeedLedger, FeedState, OutMessage } from '../base/feed.ts';
import type { JsonObject } from '../base/json.ts';
import type { FeedModel } from '../base/model.ts';
import type { Clock, Log, Random, Timer } from '../base/ports.ts';
import type { Text } from '../base/text.ts';
import type { Entitlement } from '../base/view.ts';
import type { Beside, BrokerConnection } from '../io/mqtt.ts';
import type { Codec, Heard, Packet } from './codec.ts';
import { createCodec } from './codecs/index.ts';
import { Courier } from './courier.ts';
import { Flow } from './flow.ts';
import { greet, isOurs, publishState, streamName } from './greeting.ts';
import { Incoming } from './incoming.ts';
import { CommandIntake } from './intake.ts';
import { pauseMs } from './pause.ts';
import { ProofSchedule, proofOf, type Signing } from './proof.ts';
import { Replay, type ReplayAsk } from './replay.ts';
import { Resend } from './resend.ts';
import { ThingIntake } from './thing-intake.ts';

const STATE_EVERY = 300_000;
const PROOF_WAIT = 500;
const GOODBYE_MS = 2000;
const TOPICS_AT_ONCE = 100;

export interface Will {
  readonly topic: string;
  readonly payload: string;
  readonly delaySeconds: number;
}

export interface SenderDeps {
  readonly feed: FeedModel;
  readonly site: string;
  readonly source: string;
  readonly entitlement: Entitlement;
  readonly ledger: FeedLedger;
  readonly connect: (feed: FeedModel, will: Will | undefined) => Promise<BrokerConnection>;
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
  /** the platform asks for something, or what came for a command was none; left out where nothing is carried out */
  readonly onCommand?: (arrival: Arrival) => void;
}

export interface SenderStatus {
  readonly id: string;
  readonly state: 'connected' | 'connecting' | 'stopped';
  /** why it is not connected: code, and what a person reads */
  readonly error?: string;
  readonly says?: Text;
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
    commands: 0,
    commands_refused: 0,
    bad_input: 0,
  };
  private readonly flow: Flow;
  private readonly proofs = { a: new ProofSchedule(), t: new ProofSchedule() };
  private readonly replay: Replay;
  private readonly intake: CommandIntake;
  private readonly resend: Resend;
  /** last member the platform itself acknowledged */
  private heard = { a: 0, t: 0 };
  private readonly codec: Codec;
  private readonly things: ThingIntake;
  private connection: BrokerConnection | undefined;
  private courier: Courier | undefined;
  private incoming: Incoming | undefined;
  private timers: Partial<Record<'connect' | 'state', Timer>> = {};
  private error: WeinaoError | undefined;
  private failures = 0;
  private stopped = true;

  constructor(deps: SenderDeps) {
    this.deps = deps;
    this.feed = deps.feed;
    this.base = `wn/1/${deps.feed.id}/${deps.site}`;
    this.replay = new Replay(deps.ledger, deps.feed.id);
    this.intake = new CommandIntake({
      ...deps,
      connection: () => this.connection,
      onCommand: (arrival) => this.command(arrival),
    });
    this.resend = new Resend({
      clock: deps.clock,
      feed: deps.feed.id,
      again: () => {
        this.count('resent');
        void this.rewind().catch((error: unknown) => this.lost(error, this.connection));
      },
      onSilent: (silent) => deps.onSilent(deps.feed.id, silent),
    });
    this.flow = new Flow({
      ...deps,
      count: (what) => this.count(what),
      onLanded: (members, epoch) => this.landed(members, epoch),
      onEpoch: (state) => this.greet(state),
      onCaughtUp: () => {
        if (!this.codec.isWhole && this.flow.sent.a === this.flow.landed.a) this.well();
        deps.onCaughtUp(deps.feed.id);
      },
      onPassedOver: (detail) => deps.onRefused(deps.feed.id, detail),
      onBroken: (cause) => this.lost(cause, this.connection),
    });
    const { feed, site, catalog } = deps;
    this.codec = createCodec({ feed, site, catalog, onUntold: (reason) => this.count(`untold_${reason}`) });
    this.things = new ThingIntake({
      ...deps,
      answer: (packet) => this.answer(packet),
      onCommand: (arrival) => this.command(arrival),
    });
    this.session = Buffer.from(deps.random.bytes(2)).toString('hex');
  }

  get entitlement(): Entitlement {
    return this.deps.entitlement;
  }

  /** Resolves when the feed's cursor stands in the journal: what happens from now on is the feed's, however long its broker is away. */
  async start(): Promise<void> {
    this.stopped = false;
    await this.flow.open();
    void this.tryConnect();
  }

  /** The journal has something new, or began a new epoch for this feed. */
  poke(renewed = false): void {
    if (renewed) this.flow.renewed();
    void this.flow.pump(true);
  }

  /** The manifest has something new to say. */
  regreet(): void {
    const { connection, flow, codec } = this;
    if (connection === undefined || flow.state === undefined || !codec.isWhole) return;
    greet(connection, this.base, flow.state, this.deps).catch((error: unknown) => this.lost(error, connection));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of Object.values(this.timers)) timer.cancel();
    this.flow.stop();
    this.resend.stop();
    const { connection } = this;
    this.connection = undefined;
    if (connection === undefined) return;
    this.courier?.end();
    const state = JSON.stringify({ online: false, session: this.session, why: 'stop' });
    const said = new AbortController();
    const goodbye = this.codec.isWhole
      ? Promise.all([
          ...STREAMS.map((s) => this.proofs[s].unproved).map((head) => head && this.prove(head, connection)),
          connection.publish(`${this.base}/up/state`, state, { retain: true }),
        ])
      : Promise.resolve();
    const patience = this.deps.clock.sleep(`goodbye ${this.feed.id}`, GOODBYE_MS, said.signal);
    await Promise.race([goodbye, patience]).catch(() => {});
    said.abort();
    await Promise.allSettled([patience, connection.close()]);
  }

  status(): SenderStatus {
    const { flow, feed, error, counters } = this;
    return {
      id: feed.id,
      // One that was lost is back when the far end has taken something, not when it was opened again.
      state: this.stopped
        ? 'stopped'
        : this.connection === undefined || error !== undefined
          ? 'connecting'
          : 'connected',
      ...(error === undefined ? {} : { error: error.code, says: textOf(error) }),
      seq: flow.sent,
      acked: flow.landed,
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
      const connection = await this.deps.connect(this.feed, this.codec.isWhole ? will : undefined);
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

  private async begin(connection: BrokerConnection): Promise<void> {
    const state = await this.flow.open();
    const { topics, isWhole } = this.codec;
    this.incoming = new Incoming(this.base, this.deps.clock);
    const courier = new Courier(connection, this.feed.id, this.deps.clock);
    this.courier = courier;
    connection.onMessage((topic, payload, beside) =>
      isWhole ? this.take(topic, payload, beside) : this.hear(courier, this.codec.hears(topic, payload), beside.retain),
    );
    for (let i = 0; i < topics.length; i += TOPICS_AT_ONCE)
      await connection.subscribe(topics.slice(i, i + TOPICS_AT_ONCE));
    if (isWhole) {
      await this.deps.clock.sleep(`proofs ${this.feed.id}`, PROOF_WAIT);
      await this.checkProofs(state);
    }
    if (this.connection !== connection) return;
    await this.greet(await this.flow.rewind(), connection);
    if (isWhole) await this.publishState(connection);
    if (isWhole) {
      this.well();
      this.armState();
    }
    const { receiveMaximum: atOnce } = connection.limits;
    await this.flow.begin({ atOnce, send: (message) => this.put(courier, message) });
  }

  /** The far end takes what it is given. A copy's platform shows that only by taking members: a connection is no reply. */
  private well(): void {
    if (this.error !== undefined) this.deps.log.info('feed.connected', { feed: this.feed.id });
    this.error = undefined;
    this.failures = 0;
  }

  /** A retained proof of this epoch that this journal cannot make: the journal is an older copy of itself. */
  private async checkProofs(state: FeedState): Promise<void> {
    for (const stream of STREAMS) {
      const proof = this.incoming?.proofs[stream];
      if (proof === undefined || (await isOurs(this.deps.ledger, state, stream, proof))) continue;
      this.deps.log.warn('feed.journal_restored', { feed: this.feed.id, stream });
      await this.deps.ledger.renew(this.feed.id, 'restored');
      return;
    }
  }

  private async greet(state: FeedState, connection = this.connection): Promise<void> {
    this.stand(state);
    if (connection === undefined) return;
    if (this.codec.isWhole) await greet(connection, this.base, state, this.deps);
    else await this.courier?.send(this.codec.greeting());
  }

  /** The platform's own acknowledgements count from the journal's cursor. */
  private stand({ acked }: FeedState): void {
    this.heard = { a: acked.a.seq, t: acked.t.seq };
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
    this.flow.halt();
    this.courier?.end();
    this.courier = undefined;
    void connection?.close().catch(() => {});
    if (this.stopped) return;
    const detail = cause instanceof Error ? cause.message : String(cause);
    const connect = { feed: this.feed.id, url: this.feed.to, detail };
    const error = cause instanceof WeinaoError ? cause : new WeinaoError('uplink.connect_failed', connect);
    if (this.error === undefined) this.deps.log.warn('feed.lost', { feed: this.feed.id, code: error.code, detail });
    this.error = error;
    const pause = pauseMs(cause, this.failures++, this.deps.random.next());
    this.timers.connect?.cancel();
    this.timers.connect = this.deps.clock.timer(`connect ${this.feed.id}`, pause, () => void this.tryConnect());
  }

  private put(courier: Courier, message: OutMessage): Promise<void> {
    return courier.send(this.codec.packets(message, this.deps.clock.now()));
  }

  private landed(members: readonly OutMessage[], epoch: string): void {
    const last = members.at(-1);
    if (last === undefined) return;
    if (!this.codec.isWhole) this.well();
    // A copy is delivered when it landed: the courier has waited for the platform's own reply.
    if (this.feed.ack === 'broker' || !this.codec.isWhole)
      this.deps.ledger.ack(this.feed.id, last.stream, { epoch, seq: last.seq });
    else this.resend.sent();
    if (!this.codec.isWhole) return;
    const { sent, landed } = this.flow;
    const isRest = sent[last.stream] === landed[last.stream];
    const due = members.map((m) => this.proofs[m.stream].due(m, this.deps.clock.mono(), isRest && m === last));
    if (due.includes(true)) void this.prove(last);
  }

  private async prove(member: OutMessage, connection = this.connection): Promise<void> {
    const { flow } = this;
    if (flow.state === undefined || connection === undefined) return;
    const proof = proofOf(streamName(flow.state, member.stream), member.seq, member.hash, this.deps.signer);
    await connection
      .publish(`${this.base}/up/proof/${member.stream}`, proof, { retain: true })
      .catch((error: unknown) => this.lost(error, connection));
  }

  private async rewind(): Promise<void> {
    this.stand(await this.flow.rewind());
    void this.flow.pump();
  }

  private take(topic: string, payload: Uint8Array, beside: Beside): void {
    if (topic === `${this.base}/dn/cmd`) return this.intake.take(payload, beside);
    const { incoming } = this;
    const { state, landed } = this.flow;
    if (incoming === undefined || state === undefined) return;
    const said = incoming.take(topic, payload);
    if (said === undefined) return;
    if (said.kind === 'bad') this.count('bad_input');
    if (said.kind === 'replay') this.replayed(said);
    if (said.kind !== 'ack' || this.feed.ack !== 'app') return;
    const stream = STREAMS.find((s) => streamName(state, s) === said.stream);
    if (stream === undefined || said.seq > landed[stream]) {
      this.count('bad_input');
      return;
    }
    this.heard[stream] = Math.max(this.heard[stream], said.seq);
    this.resend.acked(STREAMS.every((s) => this.heard[s] >= landed[s]));
    this.deps.ledger.ack(this.feed.id, stream, { epoch: state.contract.epoch, seq: said.seq });
    // The journal keeps so many members that are not acknowledged, and makes more.
    void this.flow.pump(true);
  }

  /** What a thing-model platform says: replies to packets, and commands. */
  private hear(courier: Courier, heard: Heard | undefined, retain: boolean): void {
    if (heard === undefined) return;
    if (heard.kind === 'bad' || (heard.kind === 'reply' && !courier.reply(heard))) this.count('bad_input');
    if (heard.kind === 'command') this.things.take(heard, retain);
  }

  private command(arrival: Arrival): void {
    this.count('refusal' in arrival ? 'commands_refused' : 'commands');
    this.deps.onCommand?.(arrival);
  }

  private answer(packet: Packet): void {
    // The result stands in the journal; an answer that is lost is asked for again.
    this.courier?.send([packet]).catch(() => {});
  }

  /**
   * Delivered members once more, for the platform or a person; what cannot be made any more is told as a gap.
   * @returns how many were sent; rejects with uplink.no_such_members and uplink.not_connected
   */
  async again(ask: ReplayAsk): Promise<number> {
    const { courier, flow } = this;
    if (courier === undefined) throw new WeinaoError('uplink.not_connected', { feed: this.feed.id });
    const sent = await this.replay.run(ask, await flow.look(), flow.landed, (message) => this.put(courier, message));
    this.count('replayed', sent);
    return sent;
  }

  private replayed(asked: ReplayAsk): void {
    const { connection } = this;
    this.again(asked).catch((error: unknown) => {
      if (error instanceof WeinaoError && error.code === 'uplink.no_such_members') this.count('bad_input');
      else this.lost(error, connection);
    });
  }

  private count(what: string, by = 1): void {
    this.counters[what] = (this.counters[what] ?? 0) + by;
  }
}
