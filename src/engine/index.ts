/**
 * The engine: lines and devices of a site, running.
 *
 * It gives readings to the rules (every successful poll, every change of quality), reports to the journal (by exception), and says who is
 * online. It never waits for either. A new configuration restarts only devices whose section or channel changed; the others do not miss a poll.
 * Silent devices of a line together use at most WASTE_SHARE of its time.
 */
import { CONFIRMED, confirmation, confirmedPoints, isUnconfirmed } from '../base/confirmed.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { MemoryRow } from '../base/journal.ts';
import type { JsonObject } from '../base/json.ts';
import type { WireRecord } from '../base/line.ts';
import type { DeviceModel, LineChannel, SecretRef, SiteModel } from '../base/model.ts';
import type { Clock, HttpDoor, Log, Random, Timer, UdpDoor } from '../base/ports.ts';
import type { Reading, Reason, Value } from '../base/reading.ts';
import type { Instant } from '../base/time.ts';
import type { Driver, DriverModule, LineDoor, Memory, PollResult, Snapshot, WriteResult } from '../kit/driver.ts';
import type { LastHeard } from '../kit/intake.ts';
import type { Line } from '../link/line.ts';
import { type ChannelDeps, type ChannelStatus, Channels } from './channels.ts';
import { DeviceRunner, type RunnerStatus } from './runner.ts';

const SWEEP_MS = 1000;
/** drained line behind a lost reply; src/link */
const DRAIN_MS = 200;
/** what one device may say while it is being changed */
const MOST_EARLY = 100;

export interface DeviceChange {
  readonly device: string;
  readonly online: boolean;
  readonly at: Instant;
  readonly why?: Reason;
}

export interface EngineDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly drivers: readonly DriverModule[];
  readonly openPort: ChannelDeps['openPort'];
  readonly listen: ChannelDeps['listen'];
  readonly intake?: NonNullable<ChannelDeps['intake']>;
  readonly http: HttpDoor;
  readonly udp: UdpDoor;
  /** undefined when it cannot be read */
  readonly secret: (ref: SecretRef) => Promise<string | undefined>;
  /** rules wait for this point: its reads go first */
  readonly alarmRelevant: (device: string, point: string) => boolean;
  readonly memory: readonly MemoryRow[];
  readonly onReadings: (readings: readonly Reading[]) => void;
  readonly onReport: (readings: readonly Reading[]) => void;
  readonly onDevice: (change: DeviceChange) => void;
  readonly onMemory: (row: MemoryRow) => void;
}

export interface Applied {
  readonly started: readonly string[];
  readonly restarted: readonly string[];
  readonly stopped: readonly string[];
  readonly kept: readonly string[];
}

export interface Engine {
  /** Starts, or changes to, a site. */
  apply(site: SiteModel): Promise<Applied>;
  stop(): Promise<void>;
  /** monotonic ms of the last finished poll attempt; undefined while nothing is to be polled */
  progress(): number | undefined;
  channels(): readonly ChannelStatus[];
  devices(): readonly ({ readonly id: string } & RunnerStatus)[];
  latest(): Iterable<Reading>;
  /** undefined = no such channel */
  capture(channel: string, listener: (record: WireRecord) => void): (() => void) | undefined;
  line(channel: string): LineDoor | undefined;
  /** Gives a line to somebody else for a while: its devices are halted, its port is closed, and afterwards all is as before. Undefined = no such line. */
  lend<T>(channel: string, work: (channel: LineChannel) => Promise<T>): Promise<T> | undefined;
  /** Somebody compared a point of an unverified profile on site; persisted. */
  confirm(device: string, point: string): void;
  /** what a device's driver keeps */
  memory(device: string): Memory;
  /** Forgets what a device's driver learned, and begins with it anew; false = no such device. */
  relearn(device: string): Promise<boolean>;
  /** the last a device said that speaks through an intake */
  last(device: string): LastHeard | undefined;
  /** written and read back where the device can; undefined = no such device */
  write(device: string, point: string, value: Value, signal: AbortSignal): Promise<WriteResult> | undefined;
  /** what a device shows now; undefined = no such device, or it shows nothing */
  snapshot(device: string, signal: AbortSignal): Promise<Snapshot> | undefined;
  /** what a device is and offers; undefined = no such device, or its driver does not say */
  inspect(device: string, signal: AbortSignal): Promise<JsonObject> | undefined;
  /** one poll between two; undefined = no such device */
  probe(device: string, points: readonly string[], signal: AbortSignal): Promise<PollResult> | undefined;
}

export type { ChannelStatus };

export function createEngine(deps: EngineDeps): Engine {
  return new LiveEngine(deps);
}

async function needed(ref: SecretRef, read: EngineDeps['secret']): Promise<string> {
  const value = await read(ref);
  if (value !== undefined) return value;
  const name = ref.file ?? ref.env ?? '';
  throw new WeinaoError('config.no_secret', { name, place: name, zh: '无法读取', en: 'it cannot be read' });
}

class LiveEngine implements Engine {
  private readonly deps: EngineDeps;
  private readonly lines: Channels;
  private readonly runners = new Map<string, DeviceRunner>();
  private readonly memories = new Map<string, Map<string, string>>();
  /** by device: points of its profile compared on site */
  private readonly confirmed = new Map<string, ReadonlySet<string>>();
  private lastAttempt = 0;
  private sweeper: Timer | undefined;
  /** what devices said while they were being changed */
  private early: Map<string, PollResult[]> | undefined;
  private stopped = false;
  private site: SiteModel | undefined;

  constructor(deps: EngineDeps) {
    this.deps = deps;
    this.lines = new Channels({
      ...deps,
      memory: (device) => this.memory(device),
      hear: (device, result) => this.hear(device, result),
      lose: (device) => this.runners.get(device)?.lose(),
    });
    for (const row of deps.memory) if (row.body !== null) this.memoryOf(row.device).set(row.key, row.body);
  }

  async apply(site: SiteModel): Promise<Applied> {
    this.site = site;
    this.early = new Map();
    const before = new Map([...this.runners].map(([id, runner]) => [id, runner.device]));
    const isSame = (device: DeviceModel): boolean => before.get(device.id)?.hash === device.hash;
    const wanted = [...site.devices.values()];
    const stopped = [...before.keys()].filter((id) => !site.devices.has(id));
    const restarted = wanted.filter((d) => before.has(d.id) && !isSame(d)).map((d) => d.id);
    await Promise.all([...stopped, ...restarted].map((id) => this.halt(id)));
    const reopened = await this.lines.apply(site);
    const started = wanted.filter((d) => !before.has(d.id)).map((d) => d.id);
    // A device that is as before may stand on a line that is not: its port is shared now, or no longer.
    const moved = [...this.runners.values()]
      .filter((r) => reopened.includes(r.device.channel ?? ''))
      .map((r) => r.device.id);
    await Promise.all(moved.map((id) => this.halt(id)));
    for (const id of [...restarted, ...started, ...moved]) this.launch(site.devices.get(id));
    this.early = undefined;
    this.lines.serve();
    this.sweeper ??= this.deps.clock.timer('sweep', SWEEP_MS, () => this.sweep());
    const kept = wanted.filter((d) => isSame(d) && !moved.includes(d.id)).map((d) => d.id);
    return { started, restarted: [...restarted, ...moved], stopped, kept };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.sweeper?.cancel();
    await Promise.all([...this.runners.keys()].map((id) => this.halt(id)));
    await this.lines.close();
  }

  progress(): number | undefined {
    return this.runners.size === 0 ? undefined : this.lastAttempt;
  }

  channels(): readonly ChannelStatus[] {
    return this.lines.status();
  }

  devices(): readonly ({ readonly id: string } & RunnerStatus)[] {
    return [...this.runners].map(([id, runner]) => ({ id, ...runner.status() }));
  }

  *latest(): Iterable<Reading> {
    for (const runner of this.runners.values()) yield* runner.latest();
  }

  capture(channel: string, listener: (record: WireRecord) => void): (() => void) | undefined {
    return this.lines.capture(channel, listener);
  }

  line(channel: string): LineDoor | undefined {
    return this.lines.line(channel)?.line;
  }

  async relearn(id: string): Promise<boolean> {
    const device = this.runners.get(id)?.device;
    if (device === undefined) return false;
    await this.halt(id);
    const memory = this.memory(id);
    for (const key of [...this.memoryOf(id).keys()]) if (key !== CONFIRMED) memory.set(key, null);
    this.launch(device);
    return true;
  }

  probe(device: string, points: readonly string[], signal: AbortSignal): Promise<PollResult> | undefined {
    return this.runners
      .get(device)
      ?.exclusive((driver, stopping) => driver.poll(points, AbortSignal.any([signal, stopping])));
  }

  write(device: string, point: string, value: Value, signal: AbortSignal): Promise<WriteResult> | undefined {
    const runner = this.runners.get(device);
    const intake = this.lines.intake(runner?.device.channel ?? '');
    const readOnly = new WeinaoError('device.not_writable', { point, zh: '该驱动只读', en: 'its driver only reads' });
    if (intake !== undefined) return intake.write?.(device, point, value, signal) ?? Promise.reject(readOnly);
    return runner?.exclusive((driver, stopping) => {
      if (driver.write === undefined) throw readOnly;
      return driver.write(point, value, AbortSignal.any([signal, stopping]));
    });
  }

  last(device: string): LastHeard | undefined {
    return this.lines.intake(this.runners.get(device)?.device.channel ?? '')?.last(device);
  }

  private hear(device: string, result: PollResult): boolean {
    const runner = this.runners.get(device);
    runner?.hear(result);
    if (runner !== undefined || this.early === undefined || this.site?.devices.has(device) !== true)
      return runner !== undefined;
    // Who sends requests is told to send it again, and then it would be heard twice.
    if (this.site.channels.get(this.site.devices.get(device)?.channel ?? '')?.carries === 'http') return false;
    // It is just being changed: what it says waits for it.
    const early = this.early.get(device) ?? [];
    this.early.set(device, early);
    if (early.length < MOST_EARLY) early.push(result);
    return false;
  }

  snapshot(device: string, signal: AbortSignal): Promise<Snapshot> | undefined {
    return this.runners.get(device)?.snapshot(signal);
  }

  inspect(device: string, signal: AbortSignal): Promise<JsonObject> | undefined {
    return this.runners.get(device)?.inspect(signal);
  }

  private launch(device: DeviceModel | undefined): void {
    if (device === undefined) return;
    const { clock, log, random } = this.deps;
    const module = this.deps.drivers.find((d) => d.name === device.driver);
    if (module?.attach === undefined && !this.lines.has(device.channel ?? '')) return;
    const open = this.lines.line(device.channel ?? '');
    if (device.profile !== undefined)
      this.confirmed.set(device.id, confirmedPoints(this.memory(device.id).get(CONFIRMED), device.profile));
    let runner: DeviceRunner | undefined;
    const driver = this.driverOf(device, module, open?.line, () => runner?.began);
    runner = new DeviceRunner({
      device,
      ...(driver === undefined ? {} : { driver }),
      clock,
      log,
      random,
      ...(open === undefined ? {} : { budget: open.budget, tryCostMs: open.line.channel.timeoutMs + DRAIN_MS }),
      isTrusted: (point) => !isUnconfirmed(point, device.profile, this.confirmed.get(device.id)),
      onReadings: this.deps.onReadings,
      onReport: this.deps.onReport,
      onDevice: (online, at, why) =>
        this.deps.onDevice({ device: device.id, online, at, ...(why === undefined ? {} : { why }) }),
      onAttempt: () => {
        this.lastAttempt = clock.mono();
      },
    });
    this.runners.set(device.id, runner);
    runner.start();
    for (const result of this.early?.get(device.id) ?? []) runner.hear(result);
    this.early?.delete(device.id);
  }

  private driverOf(
    device: DeviceModel,
    module: DriverModule | undefined,
    line: Line | undefined,
    began: () => number | undefined,
  ): Driver | undefined {
    const { clock, log, random, http, udp, secret } = this.deps;
    const common = {
      device,
      clock,
      log,
      random,
      memory: this.memory(device.id),
      priority: (point: string) => (this.deps.alarmRelevant(device.id, point) ? 'alarm' : 'poll'),
    } as const;
    if (module?.attach !== undefined)
      return module.attach({ ...common, doors: { http, udp }, secret: (ref) => needed(ref, secret) });
    if (line === undefined) return undefined;
    // All turns of a poll count as old as the poll.
    const door: LineDoor = {
      channel: line.channel,
      turn: (priority, signal, work) => line.turn(priority, signal, work, began()),
    };
    return module?.create?.({ ...common, line: door });
  }

  private async halt(id: string): Promise<void> {
    const runner = this.runners.get(id);
    this.runners.delete(id);
    await runner?.stop();
  }

  private sweep(): void {
    if (this.stopped) return;
    const now = this.deps.clock.now();
    for (const runner of this.runners.values()) runner.sweep(now);
    this.sweeper = this.deps.clock.timer('sweep', SWEEP_MS, () => this.sweep());
  }

  private memoryOf(device: string): Map<string, string> {
    const known = this.memories.get(device) ?? new Map<string, string>();
    this.memories.set(device, known);
    return known;
  }

  lend<T>(id: string, work: (channel: LineChannel) => Promise<T>): Promise<T> | undefined {
    if (this.lines.isLent(id)) return Promise.reject(new WeinaoError('link.lent', { channel: id }));
    const channel = this.lines.line(id)?.line.channel;
    return channel === undefined ? undefined : this.lendOut(channel, work);
  }

  private async lendOut<T>(channel: LineChannel, work: (channel: LineChannel) => Promise<T>): Promise<T> {
    const ids = this.lines.together(channel.id);
    const here = [...this.runners.values()].filter((r) => ids.includes(r.device.channel ?? ''));
    const released = ids.map((id) => this.lines.release(id));
    await Promise.all(here.map((r) => this.halt(r.device.id)));
    await Promise.all(released);
    try {
      return await work(channel);
    } finally {
      for (const id of ids) this.lines.giveBack(id);
      await this.takeBack(ids);
    }
  }

  /** The site may have changed meanwhile. */
  private async takeBack(ids: readonly string[]): Promise<void> {
    if (this.stopped || this.site === undefined) return;
    await this.lines.apply(this.site);
    for (const device of this.site.devices.values())
      if (ids.includes(device.channel ?? '') && !this.runners.has(device.id)) this.launch(device);
  }

  confirm(id: string, point: string): void {
    const profile = this.runners.get(id)?.device.profile;
    if (profile === undefined) return;
    const points = new Set([...(this.confirmed.get(id) ?? []), point]);
    this.confirmed.set(id, points);
    this.memory(id).set(CONFIRMED, confirmation(points, profile));
  }

  memory(device: string): Memory {
    const held = this.memoryOf(device);
    return {
      get: (key) => held.get(key),
      set: (key, body) => {
        if (body === null) held.delete(key);
        else held.set(key, body);
        this.deps.onMemory({ device, key, body });
      },
    };
  }
}
