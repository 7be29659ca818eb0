/** A channel on which other systems speak to us: its door, kept open, and the driver that makes something of what is said. */
import { WeinaoError } from '../base/errors/index.ts';
import type { LineStats, WireRecord } from '../base/line.ts';
import type { BrokerChannel, DeviceModel, HttpChannel } from '../base/model.ts';
import type { Acceptor, Clock, Log, Random } from '../base/ports.ts';
import type { HttpAnswer, HttpAsk } from '../io/http-server.ts';
import type { Received, Subscriber } from '../io/subscriber.ts';
import type { DriverModule } from '../kit/driver.ts';
import type { Intake, IntakeContext } from '../kit/intake.ts';
import { BrokerLink } from '../link/broker.ts';
import { HttpDoor } from '../link/http.ts';

/** What the engine needs of the world and of the rest of the house for such channels. */
export interface IntakeDoors extends Pick<IntakeContext, 'settled' | 'submit'> {
  connect(channel: BrokerChannel, take: (message: Received) => Promise<void>): Promise<Subscriber>;
  serve(channel: HttpChannel, handler: (ask: HttpAsk) => Promise<HttpAnswer>): Promise<Acceptor>;
}

export interface IntakeDeps extends Pick<IntakeContext, 'memory' | 'hear' | 'lose' | 'secret'> {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly doors: IntakeDoors;
}

export class IntakeChannel {
  readonly intake: Intake;
  private readonly link: BrokerLink | HttpDoor;
  private here: readonly DeviceModel[] = [];

  constructor(channel: BrokerChannel | HttpChannel, module: DriverModule, deps: IntakeDeps) {
    const { clock, log, random, doors } = deps;
    if (module.intake === undefined) throw new Error(`driver ${module.name} has no intake`);
    const here = (): readonly DeviceModel[] => this.here;
    let publish: IntakeContext['publish'] = () =>
      Promise.reject(new WeinaoError('link.closed', { channel: channel.id }));
    this.intake = module.intake({
      get devices() {
        return here();
      },
      clock,
      log,
      memory: deps.memory,
      hear: deps.hear,
      lose: deps.lose,
      settled: doors.settled,
      submit: doors.submit,
      secret: deps.secret,
      publish: (topic, payload) => publish(topic, payload),
    });
    const common = { clock, log, random };
    if (channel.carries === 'http') {
      const request = (ask: HttpAsk): Promise<HttpAnswer> =>
        this.intake.request?.(ask) ?? Promise.resolve({ status: 404, json: { error: 'not found' } });
      this.link = new HttpDoor({ ...common, channel, request, serve: (handler) => doors.serve(channel, handler) });
      return;
    }
    const broker = new BrokerLink({
      ...common,
      channel,
      connect: (take) => doors.connect(channel, take),
      take: (message) => this.intake.message?.(message),
      settled: doors.settled,
    });
    publish = (topic, payload) => broker.publish(topic, payload);
    this.link = broker;
  }

  /** The devices as they are from now on; called when they run, and not before: nothing is heard for nobody. */
  serve(devices: readonly DeviceModel[]): void {
    this.here = devices;
    this.listen(devices);
    this.link.start();
  }

  private listen(devices: readonly DeviceModel[]): void {
    if (!(this.link instanceof BrokerLink)) return;
    const wanted = devices.map(({ id, hash }) => [id, { mark: hash, topics: this.intake.topics?.(id) ?? [] }] as const);
    this.link.want(new Map(wanted));
  }

  state(): string {
    return this.link.state();
  }

  stats(): LineStats & { readonly dropped: Readonly<Record<string, number>> } {
    return { ...this.link.stats(), dropped: this.intake.dropped() };
  }

  capture(listener: (record: WireRecord) => void): () => void {
    return this.link.capture(listener);
  }

  async close(): Promise<void> {
    this.intake.close();
    await this.link.close();
  }
}
