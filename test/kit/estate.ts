/**
 * A whole gateway on virtual time: configuration files, the real house with its drivers, rules, store and feed, Modbus slaves that answer in bytes,
 * and a broker that keeps what it was sent. What a test sets in a device reaches the rules as bytes on a line; what it sees are MQTT messages.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Sent } from '../../drivers/http/simulator.ts';
import { createModbusSimulator, float32Registers, type SimulatedUnit } from '../../drivers/modbus/simulator.ts';
import type { BoardLine } from '../../src/app/board.ts';
import { type CheckedSite, checkConfig } from '../../src/app/check.ts';
import { type House, openHouse } from '../../src/app/house.ts';
import type { JsonObject } from '../../src/base/json.ts';
import type { DeviceModel, Person } from '../../src/base/model.ts';
import type { HttpAnswer, HttpAsk } from '../../src/io/http-server.ts';
import { mediaFiles } from '../../src/io/media-files.ts';
import { simulatedPort } from '../../src/link/simulated.ts';
import { createVerifier, type Member, type Summary } from '../../src/uplink/index.ts';
import { createOutward } from '../../src/uplink/outward.ts';
import { FakeBroker, type Published } from '../fakes/broker.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { SECRET } from '../fakes/entitlement.ts';
import { FakeEstateBroker } from '../fakes/estate-broker.ts';
import { type MemoryLog, memoryLog } from '../fakes/log.ts';
import { seededRandom } from '../fakes/random.ts';
import { type LoopbackStore, loopbackStore } from '../fakes/store.ts';
import { type Site, tempSite } from './site.ts';

class EstateClock extends VirtualClock {
  floor(wall: number): void {
    this.stepWall(Math.max(0, wall - this.now().wall));
  }
}

interface Register {
  readonly register: { readonly table: string; readonly address: number };
  readonly as: { readonly as: string; readonly length: number };
}

export interface Written {
  readonly device: string;
  readonly point: string;
  readonly value: number;
  /** monotonic ms */
  readonly at: number;
}

export interface Estate {
  readonly clock: VirtualClock;
  /** folder of the configuration */
  readonly config: string;
  readonly house: House;
  /** of the first feed */
  readonly broker: FakeBroker;
  brokerOf(feed: string): FakeBroker;
  /** the broker of the estate's own devices */
  readonly estateBroker: FakeEstateBroker;
  readonly store: () => LoopbackStore;
  /** writes the devices took */
  readonly writes: Written[];
  /** what people and other systems were told */
  readonly told: { readonly person: string; readonly body: JsonObject }[];
  /** what the gateway wrote into its log */
  readonly log: MemoryLog;
  /** the duty room's screen */
  readonly screen: (BoardLine & { readonly at: number })[];
  /** what a webhook answers */
  answer: (person: Person, body: JsonObject) => unknown;
  /** a text has as many letters as its point */
  set(point: string, value: boolean | number | string): void;
  /** another system posts to a channel; its token is what the token's file is called */
  send(channel: string, token: string, path: string, sent: Sent): Promise<HttpAnswer>;
  /** a device stops answering, or answers again */
  dead(device: string, isDead: boolean): void;
  pass(ms: number): Promise<void>;
  /** alarm events as the platform got them: `raised rule/instance text` */
  alarms(): { readonly kind: string; readonly data: Record<string, never>; readonly test: boolean }[];
  /** results of commands and actions, as the platform got them */
  results(): readonly JsonObject[];
  /** members of a feed, of the first when not said */
  members(feed?: string): readonly Member[];
  summary(feed?: string): Summary;
  /** files of the configuration changed, and taken over */
  reload(files: Readonly<Record<string, string>>): Promise<void>;
  /** @param off what happens while it is off */
  restart(off?: () => void): Promise<void>;
}

export interface EstateSetup {
  /** local wall clock at the beginning, UTC ms */
  readonly wall?: number;
  /** false: nobody told the clock the time yet */
  readonly synced?: boolean;
  /** turns of the loop what a timer began may take */
  readonly turns?: number;
}

/** @param files of the configuration; packs are copied as a technician would */
export async function openEstate(
  files: Readonly<Record<string, string>>,
  packs: readonly string[],
  setup: EstateSetup = {},
): Promise<Estate> {
  const site = tempSite(files);
  for (const pack of packs) {
    mkdirSync(join(site.config, 'rules'), { recursive: true });
    cpSync(join(import.meta.dirname, '../../config/packs', pack), join(site.config, 'rules', pack), {
      recursive: true,
    });
  }
  // The same pseudonyms in every run, so that runs can be compared.
  mkdirSync(site.data, { recursive: true });
  writeFileSync(join(site.data, 'pseudonym.key'), SECRET, { mode: 0o600 });
  const estate = new LiveEstate(await checkedSite(site), site, setup);
  await estate.start();
  onTestFinished(async () => {
    await estate.house.stop();
  });
  return estate;
}

async function checkedSite(site: Site): Promise<CheckedSite> {
  const { site: checked, problems } = await checkConfig(site.config, {});
  if (checked === undefined)
    throw new Error(
      JSON.stringify(
        problems.filter((p) => p.severity === 'error'),
        undefined,
        1,
      ),
    );
  return checked;
}

class LiveEstate implements Estate {
  readonly clock: EstateClock;
  private readonly brokers = new Map<string, FakeBroker>();
  readonly estateBroker = new FakeEstateBroker();
  readonly writes: Written[] = [];
  readonly told: { person: string; body: JsonObject }[] = [];
  readonly screen: (BoardLine & { at: number })[] = [];
  readonly log = memoryLog();
  house!: House;
  answer: Estate['answer'] = () => ({});
  private readonly site: CheckedSite;
  private readonly folder: Site;
  private readonly values = new Map<string, number | string>();
  private readonly deadOnes = new Set<string>();
  private readonly served = new Map<string, (ask: HttpAsk) => Promise<HttpAnswer>>();
  private current: LoopbackStore | undefined;
  private lives = 0;

  constructor(site: CheckedSite, folder: Site, { wall, synced = true, turns = 6 }: EstateSetup) {
    this.site = site;
    this.folder = folder;
    this.clock = new EstateClock(wall ?? Date.UTC(2026, 5, 1, 4), turns);
    this.clock.synced = synced;
  }

  store(): LoopbackStore {
    if (this.current === undefined) throw new Error('no store');
    return this.current;
  }

  async start(): Promise<void> {
    const units = new Map<number, SimulatedUnit>();
    for (const device of this.site.model.devices.values())
      units.set((device.config as { address: number }).address, this.unitOf(device));
    this.house = await openHouse(
      {
        clock: this.clock,
        random: seededRandom(++this.lives),
        log: this.log,
        doors: {
          openPort: () => Promise.resolve(simulatedPort(createModbusSimulator('tcp', units), this.clock)),
          listen: () => Promise.reject(new Error('nothing listens here')),
          connectIntake: (_, take) => this.estateBroker.connect(take),
          serveIntake: (channel, handler) => {
            this.served.set(channel.id, handler);
            return Promise.resolve({
              onClose: () => {},
              close: async () => void this.served.delete(channel.id),
            });
          },
          // A token is what its file is called.
          secret: ({ file }) => Promise.resolve(file),
          media: mediaFiles,
          http: { ask: () => Promise.reject(new Error('nobody answers here')) },
          udp: { ask: () => Promise.resolve() },
          startStore: () => {
            this.current = loopbackStore(createOutward());
            return this.current;
          },
          connectFeed: ({ id }) => this.brokerOf(id).connect(),
          post: (person, body) => {
            this.told.push({ person: person.id, body });
            return Promise.resolve(this.answer(person, body));
          },
          publish: (person, body) => {
            this.told.push({ person: person.id, body });
            return Promise.resolve();
          },
        },
      },
      this.site,
    );
    this.house.board.listen((line) => void this.screen.push({ ...line, at: this.clock.mono() }));
    await this.house.start();
  }

  async restart(off: () => void = () => {}): Promise<void> {
    await this.house.stop();
    for (const broker of this.brokers.values()) broker.drop();
    off();
    await this.start();
  }

  get config(): string {
    return this.folder.config;
  }

  get broker(): FakeBroker {
    return this.brokerOf([...this.site.model.feeds.keys()][0] ?? '');
  }

  brokerOf(feed: string): FakeBroker {
    const broker = this.brokers.get(feed) ?? new FakeBroker();
    this.brokers.set(feed, broker);
    return broker;
  }

  async reload(files: Readonly<Record<string, string>>): Promise<void> {
    this.folder.write(files);
    await this.house.apply(await checkedSite(this.folder), { how: 'reload' });
  }

  set(point: string, value: boolean | number | string): void {
    this.values.set(point, typeof value === 'string' ? value : Number(value));
  }

  send(channel: string, token: string, path: string, { contentType, body }: Sent): Promise<HttpAnswer> {
    const handler = this.served.get(channel);
    if (handler === undefined) throw new Error(`nobody listens on ${channel}`);
    const headers = { authorization: `Bearer ${token}`, 'content-type': contentType };
    return handler({ method: 'POST', path, headers, body: new TextEncoder().encode(body), from: '10.0.0.9' });
  }

  dead(device: string, isDead: boolean): void {
    if (isDead) this.deadOnes.add(device);
    else this.deadOnes.delete(device);
  }

  pass(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  alarms(): ReturnType<Estate['alarms']> {
    return this.members()
      .filter((m) => m.type.startsWith('weinao.alarm.') || m.envelope.wntest === true)
      .map((m) => ({
        kind: m.type.split('.').at(-2) ?? '',
        data: m.data as Record<string, never>,
        test: m.envelope.wntest === true,
      }));
  }

  results(): readonly JsonObject[] {
    return this.members()
      .filter((m) => m.type === 'weinao.command.result.v1')
      .map((m) => m.data);
  }

  summary(feed?: string): Summary {
    const verifier = createVerifier();
    for (const { topic, payload } of this.takenBy(feed)) verifier.take(topic, payload);
    return verifier.summary();
  }

  members(feed?: string): Member[] {
    const verifier = createVerifier();
    return this.takenBy(feed).flatMap(({ topic, payload }) => verifier.take(topic, payload) ?? []);
  }

  private takenBy(feed: string | undefined): readonly Published[] {
    return (feed === undefined ? this.broker : this.brokerOf(feed)).taken;
  }

  private unitOf(device: DeviceModel): SimulatedUnit {
    const points = (device.config as { points: Record<string, Register> }).points;
    const at = (table: string, address: number): { id: string; word: number; as: string } | undefined => {
      for (const [
        id,
        {
          register,
          as: { as, length },
        },
      ] of Object.entries(points)) {
        const words = as === 'float32' ? 2 : as === 'string' ? Math.ceil(length / 2) : 1;
        if (register.table === table && address >= register.address && address < register.address + words)
          return { id, word: address - register.address, as };
      }
      return undefined;
    };
    return {
      mood: () => (this.deadOnes.has(device.id) ? 'dead' : 'well'),
      read: (table, address) => {
        const found = at(table, address);
        if (found === undefined) return undefined;
        const value = this.values.get(`${device.id}.${found.id}`) ?? 0;
        if (typeof value === 'string')
          return value.charCodeAt(2 * found.word) * 256 + value.charCodeAt(2 * found.word + 1);
        return found.as === 'float32' ? float32Registers(value)[found.word] : value;
      },
      write: (table, address, value) => {
        const found = at(table, address);
        if (found === undefined) return false;
        this.values.set(`${device.id}.${found.id}`, value);
        this.writes.push({ device: device.id, point: found.id, value, at: this.clock.mono() });
        return true;
      },
    };
  }
}
