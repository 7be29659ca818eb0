/** The channels of a site, open: lines that are asked on, listeners and intakes that are spoken to. A changed channel is closed and opened, the others stay. */
import type { LineStats, WireRecord } from '../base/line.ts';
import type { ChannelModel, DeviceModel, LineChannel, ListenChannel, SiteModel } from '../base/model.ts';
import type { Acceptor, BytePort, Clock, Log, Random } from '../base/ports.ts';
import type { Conversation, DriverModule, ListenContext } from '../kit/driver.ts';
import type { Intake } from '../kit/intake.ts';
import { PortLease } from '../link/lease.ts';
import { createLine, type Line } from '../link/line.ts';
import { Listener } from '../link/listener.ts';
import { WasteBudget } from './budget.ts';
import { IntakeChannel, type IntakeDeps, type IntakeDoors } from './intake.ts';

/** well under a tenth: with what a try costs beside its deadline, the healthy devices' cycle grows by less than that */
const WASTE_SHARE = 0.06;

export interface ChannelDeps extends Pick<IntakeDeps, 'memory' | 'hear' | 'lose' | 'secret'> {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly drivers: readonly DriverModule[];
  readonly openPort: (channel: LineChannel) => Promise<BytePort>;
  readonly listen: (channel: ListenChannel, onConnection: (port: BytePort) => void) => Promise<Acceptor>;
  /** absent where nobody is listened to: a probe of one line */
  readonly intake?: IntakeDoors;
}

export interface ChannelStatus extends LineStats {
  readonly id: string;
  readonly state: string;
  /** what an intake made nothing of, by reason */
  readonly dropped?: Readonly<Record<string, number>>;
}

/** `line` with its waste budget; undefined where we are spoken to */
interface Open {
  readonly body: Line | Listener | IntakeChannel;
  readonly line?: { readonly line: Line; readonly budget: WasteBudget };
  readonly settings: string;
  readonly lease?: PortLease;
}

export class Channels {
  private readonly deps: ChannelDeps;
  private readonly open = new Map<string, Open>();
  private readonly lent = new Set<string>();
  /** by path of the serial port */
  private readonly leases = new Map<string, PortLease>();
  private devices: readonly DeviceModel[] = [];

  constructor(deps: ChannelDeps) {
    this.deps = deps;
  }

  /** @returns channels that were closed and opened again: what held on to their line needs the new one */
  async apply(site: SiteModel): Promise<readonly string[]> {
    const closed: string[] = [];
    this.devices = [...site.devices.values()];
    const used = new Set(this.devices.map((d) => d.channel));
    this.share([...site.channels.values()].filter((c) => used.has(c.id)));
    for (const [id, { body, settings }] of this.open) {
      const channel = site.channels.get(id);
      if (channel !== undefined && used.has(id) && this.settingsOf(channel) === settings) continue;
      this.open.delete(id);
      closed.push(id);
      await body.close();
    }
    for (const [id, channel] of site.channels) {
      if (used.has(id)) this.take(channel);
    }
    return closed.filter((id) => this.open.has(id));
  }

  /** The devices run: whoever is spoken to by other systems may hear them now. */
  serve(): void {
    for (const [id, { body }] of this.open) if (body instanceof IntakeChannel) body.serve(this.on(id));
  }

  /** undefined = nobody speaks there */
  intake(id: string): Intake | undefined {
    const body = this.open.get(id)?.body;
    return body instanceof IntakeChannel ? body.intake : undefined;
  }

  /** The line, and those that share its port. */
  together(id: string): readonly string[] {
    const { lease } = this.open.get(id) ?? {};
    return lease === undefined ? [id] : [...this.open].filter(([, o]) => o.lease === lease).map(([other]) => other);
  }

  /** Closes one, which stays closed until it is given back and `apply` is called. */
  async release(id: string): Promise<void> {
    this.lent.add(id);
    const open = this.open.get(id);
    this.open.delete(id);
    await open?.body.close();
  }

  giveBack(id: string): void {
    this.lent.delete(id);
  }

  isLent(id: string): boolean {
    return this.lent.has(id);
  }

  private take(channel: ChannelModel): void {
    if (this.open.has(channel.id) || this.lent.has(channel.id)) return;
    const open = this.opened(channel);
    if (open === undefined) return;
    this.open.set(channel.id, open);
    // Whoever is spoken to begins when there is somebody to hear it.
    if (!(open.body instanceof IntakeChannel)) open.body.start();
  }

  async close(): Promise<void> {
    await Promise.all([...this.open.values()].map(({ body }) => body.close()));
    this.open.clear();
  }

  has(id: string): boolean {
    return this.open.has(id);
  }

  line(id: string): Open['line'] {
    return this.open.get(id)?.line;
  }

  status(): readonly ChannelStatus[] {
    return [...this.open].map(([id, { body }]) => ({ id, state: body.state(), ...body.stats() }));
  }

  capture(id: string, listener: (record: WireRecord) => void): (() => void) | undefined {
    return this.open.get(id)?.body.capture(listener);
  }

  private opened(channel: ChannelModel): Open | undefined {
    const { clock, log, random, openPort, listen, intake } = this.deps;
    const settings = this.settingsOf(channel);
    if (channel.carries === 'mqtt' || channel.carries === 'http') {
      const module = this.driverOf(channel.id);
      if (module === undefined || intake === undefined) return undefined;
      return { body: new IntakeChannel(channel, module, { ...this.deps, doors: intake }), settings };
    }
    if (channel.carries === 'listen') {
      const converse = (): Conversation => this.converse(channel);
      const body = new Listener({ channel, listen: (on) => listen(channel, on), converse, clock, log, random });
      return { body, settings };
    }
    const line = createLine({ channel, clock, log, random, open: () => openPort(channel), ...this.leaseOf(channel) });
    return { body: line, line: { line, budget: new WasteBudget(WASTE_SHARE) }, settings, ...this.leaseOf(channel) };
  }

  /** Ports that have more than one line get a lease; one that has no longer loses it. */
  private share(channels: readonly ChannelModel[]): void {
    const paths = channels.flatMap((c) => (c.carries === 'serial' ? [c.path] : []));
    const shared = paths.filter((path, i) => paths.indexOf(path) !== i);
    for (const path of this.leases.keys()) if (!shared.includes(path)) this.leases.delete(path);
    for (const path of shared) if (!this.leases.has(path)) this.leases.set(path, new PortLease());
  }

  private leaseOf(channel: ChannelModel): { readonly lease?: PortLease } {
    const lease = channel.carries === 'serial' ? this.leases.get(channel.path) : undefined;
    return lease === undefined ? {} : { lease };
  }

  private settingsOf(channel: ChannelModel): string {
    const speaks =
      channel.carries === 'mqtt' || channel.carries === 'http' ? this.driverOf(channel.id)?.name : undefined;
    return JSON.stringify([channel, this.leaseOf(channel).lease !== undefined, speaks]);
  }

  /** Whoever connects speaks the protocol of the channel's devices; one channel has one (checked with the configuration). */
  private converse({ id }: ListenChannel): Conversation {
    const { clock, log, memory, hear } = this.deps;
    const here = (): readonly DeviceModel[] => this.on(id);
    const module = this.driverOf(id);
    const context: ListenContext = {
      get devices() {
        return here();
      },
      clock,
      log,
      memory,
      hear,
    };
    return module?.converse?.(context) ?? { receive: () => [] };
  }

  private on(channel: string): readonly DeviceModel[] {
    return this.devices.filter((d) => d.channel === channel);
  }

  private driverOf(channel: string): DriverModule | undefined {
    const driver = this.devices.find((d) => d.channel === channel)?.driver;
    return this.deps.drivers.find((d) => d.name === driver);
  }
}
