/**
 * The house: builds the floors from one configuration and lets a value travel through them.
 *
 * Order of start: store (its newest time floors the wall clock), the feeds' places in it, rules and alarms restored, then the field. Stopping
 * goes the other way: the field first, so that nothing new comes; then rules, feeds, and last the store with all it was given.
 * Guarantees: a stop after a failed start, or twice, does no harm; a reload is all or nothing and restarts only what changed.
 * It does not promise delivery: that is the feeds' business, against the journal.
 */
import { drivers } from '../../drivers/index.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { Commit, JournalFacts, Restored } from '../base/journal.ts';
import type { FeedModel, SiteModel } from '../base/model.ts';
import type { Clock, Log, Random } from '../base/ports.ts';
import type { Reading, Value } from '../base/reading.ts';
import type { Answer, Look, Maintenance, Operation } from '../base/rules.ts';
import { type Entitlement, viewLabel } from '../base/view.ts';
import { createEngine, type DeviceChange, type Engine } from '../engine/index.ts';
import type { SystemClock } from '../io/clock.ts';
import { type Keyring, openGatewayKey, openPseudonymKey } from '../io/keys.ts';
import { ensureFolder } from '../io/process.ts';
import { createJournal, type JournalFace } from '../journal/index.ts';
import { journalFile } from '../journal/path.ts';
import { budgetFor } from '../journal/room.ts';
import { createUplink, type Uplink } from '../uplink/index.ts';
import { type Describe, describer } from './about.ts';
import { type AlarmBoard, createBoard } from './board.ts';
import { catalogOf } from './catalog.ts';
import type { CheckedSite } from './check.ts';
import type { CommandDesk } from './commands/desk.ts';
import { createCommands } from './commands/index.ts';
import { type EraseAsk, type Erasing, eraseFrom } from './erase.ts';
import { Evidence, type Hand } from './evidence.ts';
import { lostFault, refusedFault, setAsideFault, silentFault, storeFault } from './faults.ts';
import { createKeepDays, type KeepDays } from './keep-days.ts';
import { createMadePoints } from './made.ts';
import { writeByHand } from './manual.ts';
import type { MediaStore } from './media.ts';
import { createPerformer, type Outcome, type Performer } from './perform.ts';
import { openMedia, picture } from './pictures.ts';
import { createPipeline, type Pipeline, readingsInput } from './pipeline.ts';
import type { Doors } from './ports.ts';
import { Reporter } from './reporter.ts';
import { createSettled } from './settled.ts';
import { StatDesk } from './stats.ts';
import { createTechnical, type TechnicalFault } from './technical.ts';
import { resolveView } from './views.ts';
import { createWatchHub, type WatchHub } from './watch.ts';

const ANSWER_WITHIN = 2000;

export interface HouseDeps {
  readonly clock: Pick<SystemClock, keyof Clock | 'floor'>;
  readonly random: Random;
  readonly log: Log;
  readonly doors: Doors;
}

export interface ReloadReport {
  readonly restarted: readonly string[];
  readonly started: readonly string[];
  readonly stopped: readonly string[];
  readonly kept: number;
}

export interface House {
  readonly engine: Engine;
  readonly journal: JournalFace;
  readonly uplink: Uplink;
  readonly board: AlarmBoard;
  readonly hub: WatchHub;
  /** what platforms asked for */
  readonly commands: CommandDesk;
  readonly evidence: Evidence;
  keys(): Pick<Keyring, 'kid' | 'publicKey' | 'changes'>;
  readonly media: MediaStore;
  model(): SiteModel;
  start(): Promise<void>;
  apply(site: CheckedSite, hand: Hand): Promise<ReloadReport>;
  raise(fault: TechnicalFault): void;
  clear(topic: string, instance: string): void;
  /** what a person asks of alarms, maintenance and forms */
  operate(ask: Operation): Promise<Answer>;
  /** A person switches an output; its control keeps off for a while. Throws device.no_output and device.value_out_of_range. */
  write(output: string, value: Value, by: string): Promise<Outcome>;
  /** takes what is about something out of journal and memory, for good */
  erase(ask: EraseAsk): Erasing;
  maintenance(): readonly Maintenance[];
  /** the instances of a rule as they stand */
  look(rule: string): readonly Look[];
  /** points read since the start */
  pointsRead(): number;
  /** the wall clock began to follow a time source */
  synced(): void;
  /** ends polling, commits everything, leaves feeds and store open */
  quiesce(): Promise<void>;
  stop(): Promise<void>;
}

/** What must be open before anything can run. */
interface Opened {
  readonly journal: JournalFace;
  readonly signer: Keyring;
  /** the secret pseudonyms are made with, by its id */
  readonly pseudonyms: string;
  readonly facts: JournalFacts;
  readonly restored: Restored;
  onStalled(listener: (waiting: readonly Commit[]) => void): void;
}

/** Opens store and key, and builds the house over them; nothing is polled or sent yet. */
export async function openHouse(deps: HouseDeps, site: CheckedSite): Promise<House> {
  const { clock, random, log } = deps;
  const { data, commitWindowMs, budget } = site.model.gateway;
  ensureFolder(data);
  const signer = await openGatewayKey(data);
  const pseudonyms = await openPseudonymKey(data);
  let stalled: (waiting: readonly Commit[]) => void = () => {};
  const journal = createJournal({
    clock,
    random,
    log,
    path: journalFile(data),
    secret: pseudonyms.secret,
    windowMs: commitWindowMs,
    budget: budget ?? budgetFor(data),
    startWorker: deps.doors.startStore,
    onStalled: (waiting) => stalled(waiting),
  });
  try {
    const facts = await journal.start();
    // A board without a clock battery wakes up in the past; the journal knows better.
    clock.floor(facts.newest);
    const restored = await journal.restore();
    const onStalled = (listener: typeof stalled): void => {
      stalled = listener;
    };
    return new LiveHouse(deps, site, { journal, signer, pseudonyms: pseudonyms.kid, facts, restored, onStalled });
  } catch (error) {
    await journal.close();
    throw error;
  }
}

class LiveHouse implements House {
  readonly engine: Engine;
  readonly journal: JournalFace;
  readonly uplink: Uplink;
  readonly board = createBoard();
  readonly hub = createWatchHub();
  readonly media: MediaStore;
  readonly erase = (ask: EraseAsk): Erasing => eraseFrom(this, this.pipeline, ask, this.deps.clock);
  private readonly deps: HouseDeps;
  private readonly pipeline: Pipeline;
  private readonly performer: Performer;
  readonly commands: CommandDesk;
  readonly evidence: Evidence;
  private readonly technical = createTechnical();
  private readonly made = createMadePoints();
  private readonly stats: StatDesk;
  private readonly keepDays: KeepDays;
  private readonly opened: Opened;
  private site: CheckedSite;
  private describe: Describe = (draft) => draft;
  private readonly reporter: Reporter;
  private read = 0;
  private stopped = false;

  constructor(deps: HouseDeps, site: CheckedSite, opened: Opened) {
    const { clock, random, log } = deps;
    this.deps = deps;
    this.site = site;
    this.opened = opened;
    this.journal = opened.journal;
    this.reporter = new Reporter(this.journal);
    this.pipeline = createPipeline({
      clock,
      log,
      board: this.board,
      technical: this.technical,
      describe: (draft) => this.describe(draft),
      commit: (work) => this.journal.commit(work),
      perform: (act) => void this.performer.perform(act),
      onSkipped: (act, why) => this.performer.skipped(act, why),
      onMade: (readings) => this.keepMade(readings),
      onShadow: ({ transition, alarm }) => {
        log.info('rule.shadow', { key: alarm.key, transition, level: alarm.level });
        this.hub.shadow({ transition, alarm, held: false });
      },
      onCommitted: ({ durable }) => {
        if (durable) this.clear('store', 'gateway');
        else this.raise(storeFault());
      },
    });
    this.stats = new StatDesk(clock, (effects) => this.pipeline.carry(effects));
    this.media = openMedia(deps, () => this.site.model);
    this.keepDays = createKeepDays(deps, this, opened.restored.memory, (drafts, rows) =>
      this.pipeline.keep(drafts, rows),
    );
    this.performer = createPerformer({
      clock,
      log,
      person: (name) => this.site.model.people.get(name),
      isFeedUp: (feed) => this.uplink.status().some((s) => s.id === feed && s.state === 'connected'),
      write: (device, point, value, signal) => this.engine.write(device, point, value, signal),
      snapshot: (device, signal) => picture(device, this, signal),
      post: deps.doors.post,
      publish: deps.doors.publish,
      onEvent: (draft) => this.pipeline.event(draft),
      onInput: (input) => this.pipeline.input(input),
    });
    this.board.listen((line) => {
      this.hub.alarm(line);
      if (line.transition === 'raised') this.stats.raised(line.alarm);
    });
    this.commands = createCommands({
      clock,
      log,
      site: () => this.site.model,
      openAlarms: () => this.board.open(),
      keep: (events, memory) => this.pipeline.keep(events, memory),
      operate: (ask) => this.operate(ask),
      perform: (act) => this.performer.perform(act),
      byHand: (device, point) => void this.pipeline.input({ kind: 'manual', device, point }),
      probe: (device, points, signal) => this.engine.probe(device, points, signal),
    });
    this.evidence = new Evidence(
      {
        clock,
        log,
        keyring: opened.signer,
        site: () => this.site.model,
        heads: () => this.journal.ledger.heads(),
        keep: (events, memory) => this.pipeline.keep(events, memory),
        onKey: () => this.uplink.regreet(),
      },
      opened.restored.memory,
    );
    this.take(site);
    this.uplink = createUplink({
      clock,
      random,
      log,
      ledger: this.journal.ledger,
      signer: opened.signer,
      connect: (feed, will) => deps.doors.connectFeed(feed, will, this.site.model, deps.clock),
      entitlement: (feed) => this.entitlement(feed),
      catalog: ({ selects }) => catalogOf(this.site.model, this.site.machine.made, selects),
      onRefused: (feed, detail) => this.raise(refusedFault(feed, detail)),
      // What was lost stays told in the feed; the fault is over when nothing waits any more.
      onCaughtUp: (feed) => this.clear('shed', feed),
      onSilent: (feed, silent) => (silent ? this.raise(silentFault(feed)) : this.clear('silent', feed)),
      onCommand: (arrival) => this.commands.arrive(arrival),
    });
    this.engine = createEngine({
      clock,
      random,
      log,
      drivers,
      openPort: deps.doors.openPort,
      listen: deps.doors.listen,
      intake: {
        connect: (channel, take) => deps.doors.connectIntake(channel, take, this.site.model),
        serve: deps.doors.serveIntake,
        settled: createSettled(clock, () => this.pipeline.answered()),
        submit: (...entry) => this.submitted(...entry),
      },
      http: deps.doors.http,
      udp: deps.doors.udp,
      secret: deps.doors.secret,
      memory: opened.restored.memory.filter(({ device }) => !device.startsWith('@')),
      alarmRelevant: (device, point) => this.site.machine.reads(device, point),
      onReadings: (readings) => this.see(readings),
      onReport: (readings) => this.reporter.report(readings),
      onDevice: (change) => this.deviceChanged(change),
      onMemory: (row) => this.pipeline.remember(row),
    });
    this.journal.onHead(() => this.uplink.poke());
    this.journal.onRenewed((feeds) => {
      this.uplink.renewed(feeds);
      // Whether the store that is under them now is on the disk is told by its first commit.
      void this.pipeline.keep([], []);
    });
    this.journal.onLost(({ feeds, stream, why }) => {
      for (const feed of feeds) this.raise(lostFault(feed, stream, why));
    });
    opened.onStalled((waiting) => this.pipeline.stalled(waiting));
  }

  model(): SiteModel {
    return this.site.model;
  }

  keys(): Keyring {
    return this.opened.signer;
  }

  async start(): Promise<void> {
    const { site, gateway, feeds } = this.site.model;
    this.commands.restore(this.opened.restored.memory);
    // Before anything can happen: what happens now is for every feed, also for one that is new today.
    await this.uplink.apply(site.id, gateway.id, feeds);
    const { restored, facts } = this.opened;
    this.stats.start(this.site, restored.states);
    this.pipeline.restore(this.site.machine, restored, facts.newest);
    if (facts.setAside !== undefined) this.raise(setAsideFault(facts.setAside, facts.durable));
    this.media.start();
    await this.engine.apply(this.site.model);
    void this.commands.takeUp();
    void this.evidence.start();
    this.keepDays.start();
  }

  async apply(site: CheckedSite, hand: Hand): Promise<ReloadReport> {
    this.site = site;
    this.take(site);
    this.stats.replace(site);
    this.pipeline.replace(site.machine);
    const applied = await this.engine.apply(site.model);
    this.pipeline.input(readingsInput([...this.engine.latest()]));
    await this.uplink.apply(site.model.site.id, site.model.gateway.id, site.model.feeds);
    await this.journal.named([...site.model.feeds.keys()]);
    this.evidence.configured(hand);
    this.keepDays.look();
    return { ...applied, kept: applied.kept.length };
  }

  raise(fault: TechnicalFault): void {
    this.pipeline.raise(fault);
  }

  clear(topic: string, instance: string): void {
    this.pipeline.clear(topic, instance);
  }

  async operate(ask: Operation): Promise<Answer> {
    const answer = this.asked(ask);
    // On the disk before it is said to be done; a disk that stalls does not keep the duty room waiting.
    await Promise.race([this.pipeline.settled(), this.deps.clock.sleep('answer', ANSWER_WITHIN).catch(() => {})]);
    return answer;
  }

  write(output: string, value: Value, by: string): Promise<Outcome> {
    const { pipeline, performer, site } = this;
    return writeByHand({ clock: this.deps.clock, site, pipeline, performer }, output, value, by);
  }

  private asked(ask: Operation): Answer {
    if (ask.kind === 'ack') {
      const acked = this.technical.ack(ask.aid, ask.by, this.deps.clock.now());
      if (acked !== undefined) {
        this.pipeline.show(acked);
        return { ok: true, alarm: acked.alarm };
      }
    }
    return this.pipeline.input(ask) ?? { ok: false, code: 'cli.starting', params: {} };
  }

  /** An entry that another system made. */
  private submitted(by: string, form: string, fields: Readonly<Record<string, unknown>>, id?: string): string {
    const answer = this.asked({ kind: 'form', form, fields, by, ...(id === undefined ? {} : { id }) });
    if (!answer.ok) throw new WeinaoError(answer.code, answer.params);
    return answer.id ?? '';
  }

  maintenance(): readonly Maintenance[] {
    const running = this.pipeline.machine();
    return running?.machine.maintenance(running.state, this.deps.clock.now()) ?? [];
  }

  look(rule: string): readonly Look[] {
    const running = this.pipeline.machine();
    return running?.machine.look(running.state, rule, this.deps.clock.now()) ?? [];
  }

  pointsRead(): number {
    return this.read;
  }

  synced(): void {
    this.pipeline.input({ kind: 'synced' });
    const { boot } = this.journal;
    const at = this.deps.clock.now();
    // What happened at `wnmono` of this boot happened at `wnmono` + `offset`, UTC ms.
    const data = { boot, offset: Math.round(at.wall - at.mono) };
    this.pipeline.event({ kind: 'clock.synced', at, data });
  }

  async quiesce(): Promise<void> {
    this.commands.stop();
    this.evidence.stop();
    await this.keepDays.stop();
    await this.engine.stop();
    this.performer.stop();
    this.stats.stop();
    this.pipeline.stop();
    await this.pipeline.settled();
    await this.journal.flush();
  }

  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    await this.quiesce();
    await this.media.stop();
    await this.uplink.stop();
    await this.journal.close();
  }

  private see(readings: readonly Reading[]): void {
    for (const reading of readings) if (reading.quality !== 'bad') this.read++;
    this.pipeline.input(readingsInput(readings));
    this.stats.readings(readings);
    this.hub.readings(readings);
  }

  private take({ model, machine }: CheckedSite): void {
    this.hub.model(model);
    this.describe = describer(model, machine.made.keys());
    this.made.set(machine.made);
    this.reporter.take(model, machine.made);
  }

  private entitlement(feed: FeedModel): Entitlement {
    const selects = resolveView(feed, this.site.model, this.site.machine.made);
    return { view: viewLabel(feed.id, selects), selects, pseudonyms: this.opened.pseudonyms };
  }

  private keepMade(readings: readonly Reading[]): void {
    this.stats.readings(readings);
    this.hub.readings(readings);
    const news = this.made.news(readings);
    if (news.length > 0) this.reporter.report(news);
  }

  private deviceChanged(change: DeviceChange): void {
    const { device, online, at, why } = change;
    this.pipeline.event({
      kind: online ? 'device.online' : 'device.offline',
      subject: device,
      at,
      data: { device, ...(why === undefined ? {} : { why }) },
      classes: { why: 'none' },
    });
    this.pipeline.input({ kind: 'device', device, online });
    this.hub.device({ device, online, wall: at.wall });
  }
}
