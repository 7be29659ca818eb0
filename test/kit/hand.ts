/** A gateway in small for tests of rules: devices and a site out of YAML, and a hand that moves time and values. */
import { parseAllDocuments } from 'yaml';
import { renderAlarmText } from '../../src/base/alarm-text.ts';
import type { Asset, DeviceModel, Person, PointModel, SiteModel, ValueKind } from '../../src/base/model.ts';
import type { Value } from '../../src/base/reading.ts';
import type { Operation, RuleMachine } from '../../src/base/rules.ts';
import type { Instant } from '../../src/base/time.ts';
import { compileRules, SmallGateway } from '../../src/rules/index.ts';

export const T0 = Date.UTC(2026, 5, 1, 4); // noon in Shanghai
export const S = 1000;
export const M = 60 * S;
export const H = 60 * M;

type Points = Readonly<Record<string, ValueKind | Partial<PointModel>>>;

export function device(id: string, type: string, points: Points, more: Partial<DeviceModel> = {}): DeviceModel {
  const models = Object.entries(points).map(
    ([point, given]): PointModel => ({
      id: point,
      kind: typeof given === 'string' ? given : 'number',
      class: 'none',
      deadband: 0,
      heartbeatMs: 60_000,
      staleAfterMs: 2 * H,
      ...(typeof given === 'string' ? {} : given),
    }),
  );
  const base = {
    id,
    name: id,
    driver: 'modbus',
    pollMs: 1000,
    tags: [],
    config: {},
    noData: 'yellow',
    hash: id,
  } as const;
  return { ...base, type, points: models, ...more };
}

export function site(yaml: string, devices: readonly DeviceModel[], more: Partial<SiteModel> = {}): SiteModel {
  const bodies = parseAllDocuments(yaml).map((d) => d.toJS() as Record<string, unknown>);
  return {
    site: { id: 's', name: 's', lat: 22.54, lon: 114.05, timezone: 'Asia/Shanghai' },
    gateway: { id: 'g', data: '/d', commitWindowMs: 1000, media: { keepMs: 1, maxBytes: 1 } },
    places: new Map([
      ['shed', { id: 'shed', name: '充电棚', lat: 22.5401, lon: 114.0502 }],
      ['fence', { id: 'fence', name: '周界' }],
    ]),
    channels: new Map(),
    devices: new Map(devices.map((d) => [d.id, d])),
    feeds: new Map(),
    people: new Map<string, Person>(['duty', 'property', 'street', 'police'].map((id) => [id, { id, screen: true }])),
    assets: new Map<string, Asset>(),
    stats: new Map(),
    times: new Map([['night', '22:00 .. 06:00']]),
    types: new Map(),
    rules: bodies.map((body, doc) => ({ file: 'rules/a.yaml', doc, body })),
    hash: 'h',
    ...more,
  };
}

export function machineOf(model: SiteModel): RuleMachine {
  const { machine, problems } = compileRules(model);
  if (machine === undefined) throw new Error(JSON.stringify(problems, undefined, 1));
  return machine;
}

/** Drives a small gateway by hand. */
export class Hand {
  readonly gateway: SmallGateway;
  readonly model: SiteModel;
  offset = 0;
  synced = true;
  mono = 0;

  constructor(model: SiteModel) {
    this.model = model;
    this.gateway = new SmallGateway(machineOf(model), this.now());
  }

  now(mono = this.mono): Instant {
    return { wall: T0 + this.offset + mono, mono, synced: this.synced };
  }

  to(ms: number): this {
    this.gateway.tick(ms, (mono) => this.now(mono));
    this.mono = ms;
    return this;
  }

  see(point: string, value: Value | null, { ago = 0 } = {}): this {
    const [device = '', name = ''] = point.split('.');
    const now = this.now();
    const quality = value === null ? 'bad' : 'good';
    this.gateway.input(
      { kind: 'readings', readings: [{ device, point: name, value, quality, ts: now.wall - ago, at: now }] },
      now,
    );
    return this;
  }

  /** the same value again every `every` ms until then */
  keep(point: string, value: Value, until: number, every: number): this {
    for (let t = this.mono + every; t <= until; t += every) this.to(t).see(point, value);
    return this;
  }

  ask(ask: Operation): this {
    this.gateway.input(ask, this.now());
    return this;
  }

  /** off at this moment, on again `down` later; a new process counts its time from zero */
  restart(down = 0): this {
    const end = this.now();
    this.offset += this.mono + down;
    this.mono = 0;
    this.gateway.restart(end, this.now(), machineOf(this.model));
    return this;
  }

  get log(): string[] {
    return this.gateway.happened.map((h) => `${h.transition} ${h.alarm.key} ${(h.wall - T0) / S}`);
  }

  get acts(): string[] {
    return this.gateway.acts.map(({ act }) => {
      const { step } = act;
      if (step.do === 'tell') return `tell ${step.to}`;
      return step.do === 'write'
        ? `write ${step.device}.${step.point}=${String(step.value)}`
        : `${step.do} ${step.device}`;
    });
  }

  text(key: string): string {
    return renderAlarmText(this.gateway.alarm(key) ?? { text: '', values: {} });
  }
}

export const door = device('door', 'home_door', { open: 'bool' });
export const smoke = device('smoke', 'smoke', { alarm: { kind: 'bool', event: true } }, { zone: 'shed' });
export const siren = device('siren', 'siren', { on: 'bool' });
export const tank = device('tank', 'tank', { level: 'number', total: { rollover: 1000 } });

export const ELDER =
  'rule: elder\nlevel: orange\neach: {type: home_door}\nwhen: open == false\nfor: 48h\ntext: "{hours(held)}"\nact: 敲门\n';
export const SMOKE = `rule: fire
level: red
each: {type: smoke}
when: alarm
act: 灭火
do: [{screen: duty}, {write: {siren.on: true}, stop_after: 10m}]
undo: [{write: {siren.on: false}}]
escalate: {0s: duty, 1m: property, 5m: street}
`;
