/**
 * One device, run: polled on its grid, its readings stamped with time and quality, its silence noticed and rationed.
 *
 * - One call at a time into the driver, always with a signal.
 * - SILENT_POLLS polls in a row without any answer make it offline: every point bad, one event. From then on each try is booked in the line's
 *   waste budget. One answer makes it online again.
 * - A lost reply is asked for once more in the same poll, as long as the device is not silent altogether. A device that loses many is flaky: its values
 *   are uncertain, and it has twice as many polls before it is offline.
 * - A point that fails is bad with the reason, once; a good reading is told every poll.
 * - A point without a fresh value for its stale_after is bad/stale, even while a poll hangs. Of a device that speaks by itself, any word keeps fresh
 *   what is told only when it changes; a point of which it is known how often it comes (`poll`) is kept fresh by its own values alone.
 * - A driver that listens is heard beside its polls, until it is stopped.
 */
import { isWeinaoError, textOf, WeinaoError } from '../base/errors/index.ts';
import type { JsonObject } from '../base/json.ts';
import type { DeviceModel, PointModel } from '../base/model.ts';
import type { Clock, Log, Random, Timer } from '../base/ports.ts';
import type { Reading, Reason } from '../base/reading.ts';
import type { Text } from '../base/text.ts';
import type { Instant } from '../base/time.ts';
import type { Driver, PollResult, RawReading, Snapshot } from '../kit/driver.ts';
import type { WasteBudget } from './budget.ts';
import { DuePoints } from './due.ts';
import { LossMeter } from './loss.ts';
import { isNews, type Told } from './report.ts';
import { Grid } from './schedule.ts';

const SILENT_POLLS = 3;
/** a closed port answers at once; do not ask it more often than this */
const CLOSED_PAUSE = 1000;

export interface RunnerDeps {
  readonly device: DeviceModel;
  /** absent when the device speaks to us: then `hear` is called */
  readonly driver?: Driver;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly budget?: WasteBudget;
  /** what a try wastes at most: deadline and draining */
  readonly tryCostMs?: number;
  /** somebody compared this point on site, or nobody needs to */
  readonly isTrusted: (point: string) => boolean;
  readonly onReadings: (readings: readonly Reading[]) => void;
  readonly onReport: (readings: readonly Reading[]) => void;
  readonly onDevice: (online: boolean, at: Instant, why?: Reason) => void;
  readonly onAttempt: () => void;
}

export interface RunnerStatus {
  readonly online: boolean | undefined;
  /** UTC ms of the last answer */
  readonly lastGood?: number;
  readonly polls: number;
  readonly failures: number;
  readonly missed: number;
  /** lost replies asked for once more */
  readonly retries: number;
  /** it loses many */
  readonly flaky?: boolean;
  /** its last failure: code, and what a person reads */
  readonly error?: string;
  readonly says?: Text;
  /** what its driver says of it */
  readonly health?: JsonObject;
}

interface Point {
  readonly model: PointModel;
  readonly told: Told;
  last: Reading | undefined;
  /** monotonic ms of the last value */
  fresh: number;
}

export class DeviceRunner {
  readonly device: DeviceModel;
  /** monotonic ms at which the running poll began */
  began = 0;
  private readonly deps: RunnerDeps;
  private readonly points = new Map<string, Point>();
  private readonly due: DuePoints;
  private readonly stopping = new AbortController();
  private readonly grid: Grid;
  private timer: Timer | undefined;
  private tail: Promise<unknown> = Promise.resolve();
  private listening: Promise<void> | undefined;
  private online: boolean | undefined;
  private silent = 0;
  private retries = 0;
  private readonly loss = new LossMeter();
  private polls = 0;
  private failures = 0;
  private lastGood: number | undefined;
  /** monotonic ms of the last word of a device that speaks by itself */
  private heard: number;
  private error: WeinaoError | undefined;

  constructor(deps: RunnerDeps) {
    this.deps = deps;
    this.device = deps.device;
    const now = deps.clock.mono();
    this.heard = now;
    for (const model of deps.device.points)
      this.points.set(model.id, { model, told: { reading: undefined }, last: undefined, fresh: now });
    this.due = new DuePoints(deps.device.points, deps.device.pollMs);
    this.grid = new Grid(now, deps.device.pollMs, deps.random.next());
  }

  start(): void {
    const { driver } = this.deps;
    if (driver === undefined) return;
    this.listening = driver
      .listen?.((result) => this.said(result), this.stopping.signal)
      .catch((error: unknown) => this.failed(error));
    this.arm(this.grid.due());
  }

  /** What a driver that listens heard, or that it hears nothing any more. */
  private said(result: PollResult): void {
    if (!this.stopping.signal.aborted) this.take(result);
  }

  /** The device spoke by itself. What it tells only when it changes is still as it was told before. */
  hear(result: PollResult): void {
    if (this.stopping.signal.aborted) return;
    this.polls++;
    this.take(result);
    const now = this.deps.clock.mono();
    this.heard = now;
    for (const point of this.points.values())
      if (point.last !== undefined && point.last.quality !== 'bad' && point.model.pollMs === undefined)
        point.fresh = now;
    this.deps.onAttempt();
  }

  /** Somebody who must know says that it is gone: a last will, a list of who is there. */
  lose(): void {
    if (!this.stopping.signal.aborted && this.online !== false) this.gone(this.deps.clock.now(), 'closed');
  }

  /** Ends with the running call; nothing is told afterwards. */
  async stop(): Promise<void> {
    this.timer?.cancel();
    this.stopping.abort();
    await this.tail;
    await this.listening;
    await this.deps.driver?.close();
  }

  /** Runs work between two polls: a probe, a write. */
  exclusive<T>(work: (driver: Driver, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { driver } = this.deps;
    if (driver === undefined) return Promise.reject(new WeinaoError('device.speaks_first', { device: this.device.id }));
    const run = this.tail.then(() => work(driver, this.stopping.signal));
    this.tail = run.catch(() => {});
    return run;
  }

  /** Beside the polls: a picture is wanted now, and a driver that gives some can do both. */
  snapshot(signal: AbortSignal): Promise<Snapshot> | undefined {
    return this.deps.driver?.snapshot?.(AbortSignal.any([signal, this.stopping.signal]));
  }

  inspect(signal: AbortSignal): Promise<JsonObject> | undefined {
    return this.deps.driver?.inspect?.(AbortSignal.any([signal, this.stopping.signal]));
  }

  status(): RunnerStatus {
    const health = this.deps.driver?.health?.();
    return {
      online: this.online,
      ...(this.lastGood === undefined ? {} : { lastGood: this.lastGood }),
      polls: this.polls,
      failures: this.failures,
      missed: this.grid.missed,
      retries: this.retries,
      ...(this.loss.isFlaky ? { flaky: true } : {}),
      ...(this.error === undefined ? {} : { error: this.error.code, says: textOf(this.error) }),
      ...(health === undefined ? {} : { health }),
    };
  }

  *latest(): Iterable<Reading> {
    for (const point of this.points.values()) if (point.last !== undefined) yield point.last;
  }

  /** Makes stale what has had no value for too long. */
  sweep(now: Instant): void {
    if (this.deps.driver === undefined) this.listenFor(now);
    const stale: Reading[] = [];
    for (const point of this.points.values()) {
      const isOld = now.mono - point.fresh > point.model.staleAfterMs;
      // Nothing is known yet of what never came, unless it was to come.
      const isMissed = point.last !== undefined || (this.online === true && point.model.pollMs !== undefined);
      if (isOld && isMissed && point.last?.quality !== 'bad') this.bad(point, 'stale', now, stale);
    }
    this.tell(stale);
  }

  /** Who speaks by itself is expected to be heard at least every poll; after SILENT_POLLS of them it is offline. */
  private listenFor(now: Instant): void {
    this.deps.onAttempt();
    // Who has no points tells of others (people's reports): its silence means nothing.
    const isQuiet = this.points.size > 0 && now.mono - this.heard >= SILENT_POLLS * this.device.pollMs;
    if (isQuiet && this.online !== false) this.gone(now, 'timeout');
  }

  private gone(now: Instant, why: Reason): void {
    this.setOnline(false, now, why);
    const out: Reading[] = [];
    for (const point of this.points.values()) this.bad(point, 'offline', now, out);
    this.tell(out);
  }

  private arm(at: number): void {
    if (this.stopping.signal.aborted) return;
    this.timer = this.deps.clock.timer(`poll ${this.device.id}`, Math.max(0, at - this.deps.clock.mono()), () => {
      void this.exclusive((driver, signal) => this.poll(driver, signal)).catch((error: unknown) => this.broken(error));
    });
  }

  private async poll(driver: Driver, signal: AbortSignal): Promise<void> {
    this.began = this.deps.clock.mono();
    const due = this.due.next();
    const result = await this.persist(driver, await driver.poll(due, signal), signal);
    if (signal.aborted) return;
    this.polls++;
    this.take(result);
    this.deps.onAttempt();
    this.again();
  }

  /** Asks once more for what was lost on the way, where there is hope. */
  private async persist(driver: Driver, first: PollResult, signal: AbortSignal): Promise<PollResult> {
    const lost = first.faults.filter((f) => isLoss(f.error)).map((f) => f.point);
    const news = this.loss.count(lost.length > 0);
    if (news) this.deps.log.info(this.loss.isFlaky ? 'device.flaky' : 'device.steady', { device: this.device.id });
    const isHopeless = this.online !== true || (this.silent > 0 && !this.loss.isFlaky);
    if (lost.length === 0 || isHopeless || signal.aborted) return first;
    this.retries++;
    const again = await driver.poll(lost, signal);
    const kept = first.faults.filter((f) => !lost.includes(f.point));
    return { readings: [...first.readings, ...again.readings], faults: [...kept, ...again.faults] };
  }

  /** A driver that throws is a fault of ours, told once per kind; the device counts as silent and the house goes on. */
  private broken(error: unknown): void {
    if (this.stopping.signal.aborted) return;
    if (!isWeinaoError(error)) this.failed(error);
    const now = this.deps.clock.now();
    const out: Reading[] = [];
    for (const point of this.points.values()) this.bad(point, 'driver', now, out);
    this.tell(out);
    this.deps.onAttempt();
    this.again();
  }

  private failed(error: unknown): void {
    this.deps.log.error('driver.failed', { device: this.device.id, detail: String(error) });
  }

  private again(): void {
    const now = this.deps.clock.mono();
    this.grid.next(now);
    const due = this.grid.due();
    if (this.online !== false) return this.arm(due);
    if (this.error?.code === 'link.closed' || this.error?.code === 'link.open_failed')
      return this.arm(Math.max(due, now + CLOSED_PAUSE));
    const { budget, tryCostMs = 0 } = this.deps;
    this.arm(Math.max(due, budget?.book(now, tryCostMs) ?? due));
  }

  private take(result: PollResult): void {
    const now = this.deps.clock.now();
    const out: Reading[] = [];
    const fault = result.faults[0]?.error;
    const answered =
      result.readings.length > 0 || result.faults.some((f) => reasonOf(f.error) === 'refused') || fault === undefined;
    this.judge(answered, fault, now);
    for (const raw of result.readings) this.value(raw, now, out);
    for (const { point, error } of result.faults) {
      const known = this.points.get(point);
      if (known !== undefined) this.bad(known, this.online === false ? 'offline' : reasonOf(error), now, out);
    }
    this.tell(out);
  }

  private judge(answered: boolean, fault: WeinaoError | undefined, now: Instant): void {
    this.error = answered ? undefined : fault;
    if (answered) {
      this.silent = 0;
      this.lastGood = now.wall;
      if (this.online !== true) this.setOnline(true, now);
      return;
    }
    this.failures++;
    this.silent++;
    const patience = this.loss.isFlaky ? 2 * SILENT_POLLS : SILENT_POLLS;
    if (this.silent >= patience && this.online !== false)
      this.setOnline(false, now, fault === undefined ? 'timeout' : reasonOf(fault));
  }

  private setOnline(online: boolean, now: Instant, why?: Reason): void {
    this.online = online;
    this.loss.forget();
    this.deps.log.info(online ? 'device.online' : 'device.offline', {
      device: this.device.id,
      ...(why === undefined ? {} : { why }),
    });
    this.deps.onDevice(online, now, why);
  }

  private value(raw: RawReading, now: Instant, out: Reading[]): void {
    const point = this.points.get(raw.point);
    if (point === undefined) return;
    if (raw.value === null || raw.quality === 'bad') return this.bad(point, raw.why ?? 'driver', now, out);
    const value = converted(raw.value, point.model);
    const reading: Reading = {
      device: this.device.id,
      point: raw.point,
      value,
      ...this.qualityOf(raw),
      ts: raw.ts ?? now.wall,
      at: now,
    };
    point.last = reading;
    point.fresh = now.mono;
    out.push(reading);
  }

  private qualityOf({ point, quality = 'good', why }: RawReading): Pick<Reading, 'quality' | 'why'> {
    if (quality === 'good' && this.loss.isFlaky) return { quality: 'uncertain', why: 'flaky' };
    if (quality === 'good' && !this.deps.isTrusted(point)) return { quality: 'uncertain', why: 'unverified' };
    return why === undefined ? { quality } : { quality, why };
  }

  /** Told when it is a change: of quality, or of the reason. */
  private bad(point: Point, why: Reason, now: Instant, out: Reading[]): void {
    if (point.last?.quality === 'bad' && point.last.why === why) return;
    const reading: Reading = {
      device: this.device.id,
      point: point.model.id,
      value: null,
      quality: 'bad',
      why,
      ts: now.wall,
      at: now,
    };
    point.last = reading;
    out.push(reading);
  }

  private tell(readings: Reading[]): void {
    if (readings.length === 0) return;
    this.deps.onReadings(readings);
    const news = readings.filter((r) => {
      const point = this.points.get(r.point);
      return point !== undefined && isNews(point.told, r, point.model);
    });
    if (news.length > 0) this.deps.onReport(news);
  }
}

function converted(value: Exclude<RawReading['value'], null>, point: PointModel): Exclude<RawReading['value'], null> {
  if (point.convert === undefined || typeof value !== 'number') return value;
  return Number((value * point.convert.scale + point.convert.offset).toPrecision(12));
}

/** Something may have got lost on the way; the device itself said nothing. */
const isLoss = ({ code }: WeinaoError): boolean => code === 'link.timeout' || code === 'link.bad_frame';

function reasonOf(error: WeinaoError): Reason {
  switch (error.code) {
    case 'link.timeout':
    case 'device.mute':
    case 'http.late':
    case 'http.unreachable':
      return 'timeout';
    case 'link.closed':
    case 'link.open_failed':
    case 'http.refused':
    case 'http.reset':
    case 'http.cut':
      return 'closed';
    case 'link.bad_frame':
    case 'device.nonsense':
    case 'device.no_camera':
    case 'http.garbage':
    case 'http.too_big':
      return 'frame';
    case 'device.not_authorized':
      return 'auth';
    case 'device.refused':
    case 'device.refused_item':
      return 'refused';
    default:
      return 'driver';
  }
}
