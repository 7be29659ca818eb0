/**
 * A camera at work: one loop asks, hears and tells; everything else looks at what the loop knows.
 *
 * The loop is the only one that asks the camera in SOAP, one question at a time, because some cameras reboot when two come together: whether it still knows
 * us is asked between two pulls, and a poll asks nothing. Only pictures are fetched beside it, for they are wanted at once and are plain HTTP.
 * A loss is told once, as faults of all points; from then on polls tell it. Kept over a restart are the subscriptions that may still hold a slot.
 * What a person asks of it (profiles, stream and picture, topics) is asked by the same loop between two pulls; oneshot.ts has the `onvif` package for that. Events
 * and health are our own client's: the package loses a fault's subcode and guesses types of values, and its loop of pulls can end without a word.
 * After its signal it ends the subscription, for UNSUBSCRIBE_MS at most. It writes nothing to the camera: no clock, no setting, no PTZ.
 */
import { createHash } from 'node:crypto';
import { Bucket } from '../../src/base/bucket.ts';
import { WeinaoError } from '../../src/base/errors/index.ts';
import type { JsonObject } from '../../src/base/json.ts';
import type { DoorContext, Driver, Identity, PollResult, RawReading, Snapshot } from '../../src/kit/driver.ts';
import type { Base } from './addresses.ts';
import { Camera, type Offers } from './camera.ts';
import { CameraClient, type Credentials } from './client.ts';
import type { Notification } from './codec.ts';
import { findingsOf } from './findings.ts';
import { LIFE } from './lease.ts';
import { menuOf } from './menu.ts';
import { pointsOf } from './points.ts';
import { type CameraDevice, SKEW } from './schema.ts';
import { Session, type Standing, type Step, type Subscription } from './session.ts';
import { takeSnapshot } from './snapshot.ts';
import type { Reference } from './soap.ts';
import { CameraState } from './state.ts';
import { TopicTable } from './topics.ts';
import { Whereabouts } from './whereabouts.ts';

const LEFT = 'subscriptions';
/** lives in a row in which the password was wrong: a gateway that restarts again and again must not lock an account */
const REFUSALS = 'refusals';
const NONE = '[]';
/** messages a second that a camera may say for long, and for a moment; beyond that it is asked less often, and its own queue drops */
const MESSAGES_RATE = 100;
const MESSAGES_BURST = 500;
const MOST_PAUSE = 1000;

export function attachCamera(context: DoorContext): Driver {
  return new CameraDriver(context);
}

class CameraDriver implements Driver {
  private readonly context: DoorContext;
  private readonly config: CameraDevice;
  private readonly base: { -readonly [K in keyof Base]: Base[K] };
  private readonly client: CameraClient;
  private readonly camera: Camera;
  private readonly session: Session;
  private readonly state: CameraState;
  private readonly budget: Bucket;
  private readonly where: Whereabouts;
  private readonly table: TopicTable;
  /** people who want to know what it offers: told between two questions */
  private readonly curious = new Set<(offers: Offers) => void>();
  private emit: (result: PollResult) => void = () => {};
  private told: Standing = 'starting';
  /** why nothing is heard: what it answers besides does not change that */
  private cause: WeinaoError | undefined;
  private kept = NONE;
  private lastPull: number | undefined;
  private refusedWith: string | undefined;
  /** as it was when this life began */
  private readonly refusals: number;
  private readonly verdict: Promise<void>;
  private decide: () => void = () => {};

  constructor(context: DoorContext) {
    const { clock, random, device, doors } = context;
    this.context = context;
    this.config = device.config as CameraDevice;
    const { host: configured, port, tls, path, basic, subnet, topics, items } = this.config;
    const scheme = tls === 'off' ? 'http' : 'https';
    const { memory } = context;
    this.where = new Whereabouts({ clock, random, udp: doors.udp, memory, configured, subnet, isDigestOnly: !basic });
    this.base = { scheme, host: this.where.host, port: port ?? (tls === 'off' ? 80 : 443), path };
    this.client = new CameraClient({
      http: doors.http,
      clock,
      random,
      trust: this.trust,
      allowBasic: basic,
      credentials: () => this.credentials(),
    });
    this.camera = new Camera(this.client, this.base, clock);
    this.refusals = this.refusalsBefore();
    this.session = new Session(() => random.next(), device.pollMs, this.recorded(), this.refusals, clock.mono());
    const rows = topics.map(({ clear, items: names, reads, ...row }) => ({
      ...row,
      ...(names === undefined ? {} : { items: names }),
      ...(reads === undefined ? {} : { reads }),
      ...(clear === undefined ? {} : { clearMs: clear }),
    }));
    this.table = new TopicTable(rows);
    const isEvent = (id: string): boolean => device.points.find((p) => p.id === id)?.event === true;
    this.state = new CameraState({
      clock,
      table: this.table,
      points: Object.entries(pointsOf(this.config)).map(([id, point]) => ({ ...point, id, isEvent: isEvent(id) })),
      items,
      tell: (readings) => this.emit({ readings, faults: [] }),
      // Which one, a camera's owner may have called as he liked: it stands in `status`.
      onUnknown: () => context.log.warn('onvif.unknown_topic', { device: device.id }),
    });
    this.budget = new Bucket(MESSAGES_RATE, MESSAGES_BURST, clock.mono());
    this.verdict = new Promise((resolve) => {
      this.decide = resolve;
    });
  }

  async probe(signal: AbortSignal): Promise<Identity> {
    await this.decided(signal);
    const { about } = this.camera;
    if (about === undefined) return { present: this.session.standing !== 'lost' };
    return { present: true, says: Object.values(about).join(' ') };
  }

  async poll(points: readonly string[], signal: AbortSignal): Promise<PollResult> {
    await this.decided(signal);
    const { standing } = this.session;
    if (standing !== 'up' && standing !== 'unsupported') return this.faults(points);
    return { readings: [...this.state.readings(points), ...this.skew(points)], faults: [] };
  }

  async listen(emit: (result: PollResult) => void, signal: AbortSignal): Promise<void> {
    this.emit = emit;
    while (!signal.aborted) {
      const step = this.session.next(this.now());
      await this.take(step, signal).catch((error: unknown) => this.stumble(step, error, signal));
      if (!signal.aborted) this.look();
      if (this.curious.size > 0 && !signal.aborted) await this.answerCurious(signal);
    }
    this.emit = () => {};
    this.state.stop();
    this.decide();
    await this.leave();
  }

  /** Waits for the pull that is under way, since nothing is asked beside it: up to half a minute. */
  async inspect(signal: AbortSignal): Promise<JsonObject> {
    await this.decided(signal);
    const { standing } = this.session;
    const known = { ...this.health(), menu: { ...menuOf(this.camera.about?.manufacturer) } };
    if (standing !== 'up' && standing !== 'unsupported') return known;
    const offers = await new Promise<Offers>((resolve) => {
      this.curious.add(resolve);
      signal.addEventListener('abort', () => resolve({}), { once: true });
    });
    const { topics, ...addresses } = offers;
    return {
      ...known,
      ...addresses,
      ...(topics === undefined ? {} : { topics: topics.map((one) => ({ ...one })) }),
    };
  }

  private async answerCurious(signal: AbortSignal): Promise<void> {
    const offers = await this.camera.offers(this.table, signal);
    for (const tell of this.curious) tell(offers);
    this.curious.clear();
  }

  async snapshot(signal: AbortSignal): Promise<Snapshot> {
    await this.decided(signal);
    const { host } = this.base;
    if (this.session.standing === 'auth_failed') throw new WeinaoError('device.not_authorized', { host });
    const { snapshotUri } = this.camera;
    if (snapshotUri === undefined) throw new WeinaoError('device.no_snapshot', { host });
    const { doors, random } = this.context;
    return takeSnapshot(
      snapshotUri,
      {
        http: doors.http,
        base: this.base,
        trust: this.trust,
        allowBasic: this.config.basic,
        credentials: await this.credentials(),
        nonce: () => random.bytes(8),
      },
      signal,
    );
  }

  health(): JsonObject {
    const { about } = this.camera;
    const error = this.cause;
    const { standing, left, creates } = this.session;
    const { clock } = this.context;
    const skew = clock.now().synced ? this.client.skew() : undefined;
    const skewS = skew === undefined ? undefined : Math.round(skew / 1000);
    return {
      level: this.level(),
      events: standing,
      ...(about === undefined ? {} : { ...about }),
      ...(error === undefined ? {} : { error: error.code }),
      ...(skewS === undefined ? {} : { clock_skew_s: skewS }),
      ...(this.base.host === this.config.host ? {} : { host: this.base.host }),
      ...(this.lastPull === undefined ? {} : { pull_age_s: Math.round((clock.mono() - this.lastPull) / 1000) }),
      subscriptions: left.length,
      creates,
      ...this.state.counts,
      findings: findingsOf(this.session.standing, this.where, skewS),
      ...(this.state.unknown.size === 0 ? {} : { unknown_topics: Object.fromEntries(this.state.unknown) }),
    };
  }

  close(): Promise<void> {
    this.state.stop();
    return Promise.resolve();
  }

  private get trust(): 'system' | 'any' {
    return this.config.tls === 'any' ? 'any' : 'system';
  }

  private now(): number {
    return this.context.clock.mono();
  }

  private async credentials(): Promise<Credentials | undefined> {
    const { user, password } = this.config;
    return user === undefined || password === undefined
      ? undefined
      : { user, password: await this.context.secret(password) };
  }

  private async take(step: Step, signal: AbortSignal): Promise<void> {
    if (step.do === 'media' && (await this.where.record(signal))) return this.move();
    if (step.do === 'wait') {
      if (this.isGone() && (await this.where.seek(signal))) this.move();
      await this.context.clock.sleep(`camera ${this.context.device.id}`, step.ms, signal).catch(() => {});
      this.session.take(step, { kind: 'done' }, this.now());
      return;
    }
    if (this.session.standing === 'auth_failed') await this.seeNewPassword();
    const outcome = await this.camera.perform(step, (messages) => this.heard(messages), signal);
    if (signal.aborted) return;
    if (step.do === 'pull' && outcome.kind === 'pulled') this.lastPull = this.now();
    this.session.take(step, outcome, this.now());
  }

  /** Nobody answers at its address; one that refuses is there. */
  private isGone(): boolean {
    const code = this.camera.error?.code;
    return this.session.standing === 'lost' && (code === 'http.unreachable' || code === 'http.late');
  }

  /** It has another address: what it holds for us it holds there. */
  private move(): void {
    const { host } = this.where;
    this.context.log.warn('onvif.moved', { device: this.context.device.id, from: this.base.host, to: host });
    const before = `//${this.base.host}`;
    // Not through a URL, which would write it in another way: what a camera named must come back to the letter.
    const moved = (url: string): string => url.replace(before, `//${host}`);
    this.base.host = host;
    this.session.left = this.session.left.map((one) => ({
      ...one,
      url: moved(one.url),
      to: moved(one.to),
    }));
    // Whoever was heard was somebody else.
    if (this.session.standing !== 'lost') this.session.take({ do: 'check' }, { kind: 'error' }, this.now());
  }

  /** What should not happen does not end the loop: it counts as a failed question. */
  private stumble(step: Step, error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.context.log.error('driver.failed', { device: this.context.device.id, detail: String(error) });
    this.session.take(step, { kind: 'error' }, this.now());
  }

  private heard(messages: readonly Notification[]): number {
    const readings = this.state.take(messages);
    if (readings.length > 0) this.emit({ readings, faults: [] });
    return Math.min(MOST_PAUSE, this.budget.owe(this.now(), messages.length));
  }

  /** What the last step changed that others must know. */
  private look(): void {
    this.record();
    const { standing } = this.session;
    const { error } = this.camera;
    const isRefused = standing === 'auth_failed';
    if (standing === 'up') this.cause = undefined;
    else if (isRefused) this.cause = new WeinaoError('device.not_authorized', { host: this.base.host });
    else if (error !== undefined) this.cause = error;
    if (standing === this.told) return;
    const before = this.told;
    this.told = standing;
    if (standing === 'up') this.where.proposal = undefined;
    else this.state.lost();
    this.context.log.info(`onvif.${standing}`, {
      device: this.context.device.id,
      ...(this.cause === undefined ? {} : { error: this.cause.code }),
    });
    const { memory } = this.context;
    if (isRefused) memory.set(REFUSALS, `${this.refusals + 1} ${this.asConfigured()}`);
    else if (standing === 'up' && memory.get(REFUSALS) !== undefined) memory.set(REFUSALS, null);
    if (isRefused) void this.fingerprint().then((print) => this.note(print));
    if (before === 'up') this.emit(this.faults(this.context.device.points.map((p) => p.id)));
    this.decide();
  }

  /** None where the owner changed the section since. */
  private refusalsBefore(): number {
    const [count, configured] = (this.context.memory.get(REFUSALS) ?? '').split(' ');
    return configured === this.asConfigured() ? Number(count) : 0;
  }

  /** Who is asked as whom; the password itself has no part in what is written down. */
  private asConfigured(): string {
    const { host, port, user, password } = this.config;
    return createHash('sha256')
      .update(JSON.stringify([host, port, user, password]))
      .digest('hex')
      .slice(0, 16);
  }

  private note(print: string | undefined): void {
    this.refusedWith = print;
  }

  /** The owner may have corrected it meanwhile. */
  private async seeNewPassword(): Promise<void> {
    const print = await this.fingerprint();
    if (this.refusedWith === undefined || print === this.refusedWith) return;
    this.refusedWith = undefined;
    this.session.retry();
  }

  /** Tells one password from another without keeping either. */
  private async fingerprint(): Promise<string | undefined> {
    const who = await this.credentials().catch(() => undefined);
    return who === undefined ? undefined : createHash('sha256').update(`${who.user}\n${who.password}`).digest('hex');
  }

  private faults(points: readonly string[]): PollResult {
    const error = this.cause ?? new WeinaoError('device.camera_fault', { host: this.base.host, detail: '' });
    return { readings: [], faults: points.map((point) => ({ point, error })) };
  }

  private skew(points: readonly string[]): readonly RawReading[] {
    const skew = this.client.skew();
    if (skew === undefined || !this.context.clock.now().synced) return [];
    return Object.entries(pointsOf(this.config)).flatMap(([id, { event }]) =>
      event === SKEW && points.includes(id) ? [{ point: id, value: Math.round(skew / 1000) }] : [],
    );
  }

  private level(): string {
    switch (this.session.standing) {
      case 'up':
      case 'unsupported':
        return 'up_auth';
      case 'auth_failed':
        return 'up_noauth';
      default: {
        const code = this.cause?.code;
        return code === undefined || code === 'http.unreachable' || code === 'http.late' ? 'unreachable' : 'reachable';
      }
    }
  }

  /** A poll before the first verdict waits for it. */
  private async decided(signal: AbortSignal): Promise<void> {
    if (this.session.standing !== 'starting' || signal.aborted) return;
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      void this.verdict.then(resolve);
    });
  }

  private async leave(): Promise<void> {
    const { subscription } = this.session;
    if (subscription === undefined) return this.record();
    const outcome = await this.camera.unsubscribe(subscription, new AbortController().signal).catch(() => undefined);
    if (outcome !== undefined) this.session.take({ do: 'unsubscribe', subscription }, outcome, this.now());
    this.record();
  }

  /** Subscriptions of an earlier life. Nobody knows when that ended, so each may have all of its time before it. */
  private recorded(): readonly Subscription[] {
    this.kept = this.context.memory.get(LEFT) ?? NONE;
    try {
      const rows = JSON.parse(this.kept) as readonly (Reference & { readonly url: string })[];
      return rows.map((row) => ({ ...row, isTried: false, until: this.now() + LIFE }));
    } catch {
      return [];
    }
  }

  private record(): void {
    const rows = JSON.stringify(this.session.left.map(({ url, to, references }) => ({ url, to, references })));
    if (rows === this.kept) return;
    this.kept = rows;
    this.context.memory.set(LEFT, rows === NONE ? null : rows);
  }
}
