/** The rule language, key by key, and the golden vectors of the reference. */
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { renderAlarmText } from '../base/alarm-text.ts';
import type { Asset, DeviceModel, Person, PointModel, SiteModel, ValueKind } from '../base/model.ts';
import type { Value } from '../base/reading.ts';
import type { Operation, RuleMachine } from '../base/rules.ts';
import type { Instant } from '../base/time.ts';
import { compileRules, SmallGateway } from './index.ts';

const T0 = Date.UTC(2026, 5, 1, 4); // noon in Shanghai
const S = 1000;
const M = 60 * S;
const H = 60 * M;

type Points = Readonly<Record<string, ValueKind | Partial<PointModel>>>;

function device(id: string, type: string, points: Points, more: Partial<DeviceModel> = {}): DeviceModel {
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

function site(yaml: string, devices: readonly DeviceModel[], more: Partial<SiteModel> = {}): SiteModel {
  const bodies = parseAllDocuments(yaml).map((d) => d.toJS() as Record<string, unknown>);
  return {
    site: { id: 's', name: 's', lat: 22.54, lon: 114.05, timezone: 'Asia/Shanghai' },
    gateway: { id: 'g', data: '/d', commitWindowMs: 1000 },
    places: new Map([
      ['shed', { id: 'shed', name: '充电棚', lat: 22.5401, lon: 114.0502 }],
      ['fence', { id: 'fence', name: '周界' }],
    ]),
    channels: new Map(),
    devices: new Map(devices.map((d) => [d.id, d])),
    feeds: new Map(),
    people: new Map<string, Person>(['duty', 'property', 'street', 'police'].map((id) => [id, { id, screen: true }])),
    assets: new Map<string, Asset>(),
    times: new Map([['night', '22:00 .. 06:00']]),
    types: new Map(),
    rules: bodies.map((body, doc) => ({ file: 'rules/a.yaml', doc, body })),
    hash: 'h',
    ...more,
  };
}

function machineOf(model: SiteModel): RuleMachine {
  const { machine, problems } = compileRules(model);
  if (machine === undefined) throw new Error(JSON.stringify(problems, undefined, 1));
  return machine;
}

/** Drives a small gateway by hand. */
class Hand {
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

const door = device('door', 'home_door', { open: 'bool' });
const smoke = device('smoke', 'smoke', { alarm: { kind: 'bool', event: true } }, { zone: 'shed' });
const siren = device('siren', 'siren', { on: 'bool' });
const tank = device('tank', 'tank', { level: 'number', total: { rollover: 1000 } });

const ELDER =
  'rule: elder\nlevel: orange\neach: {type: home_door}\nwhen: open == false\nfor: 48h\ntext: "{hours(held)}"\nact: 敲门\n';
const SMOKE = `rule: fire
level: red
each: {type: smoke}
when: alarm
act: 灭火
do: [{screen: duty}, {write: {siren.on: true}, stop_after: 10m}]
undo: [{write: {siren.on: false}}]
escalate: {0s: duty, 1m: property, 5m: street}
`;

describe('golden vectors', () => {
  it('1: a door closed for 48 h, heartbeats at 0-20 and 30-48, gateway off 20-30: raised at 48 h, 38 of 48 observed', () => {
    const h = new Hand(site(ELDER, [door]))
      .see('door.open', false)
      .keep('door.open', false, 20 * H, H)
      .restart(10 * H);
    h.see('door.open', false).keep('door.open', false, 18 * H, H);
    expect(h.log).toEqual([`raised elder/door ${48 * 3600}`]);
    expect(h.gateway.alarm('elder/door')?.observed).toBeCloseTo(38 / 48, 3);
    expect(h.gateway.alarm('elder/door')?.firedLate).toBeUndefined();
  });

  it('2: a late “open” of 25 h, told at 31 h: the start moves, raised at 73 h', () => {
    const h = new Hand(site(ELDER, [door]))
      .see('door.open', false)
      .keep('door.open', false, 20 * H, H)
      .restart(10 * H);
    h.see('door.open', false)
      .to(H)
      .see('door.open', true, { ago: 6 * H })
      .see('door.open', false);
    h.keep('door.open', false, 45 * H, H);
    expect(h.log).toEqual([`raised elder/door ${73 * 3600}`]);
  });

  it('2b: what was raised too early is taken back as late evidence', () => {
    const h = new Hand(site(ELDER, [door])).see('door.open', false).keep('door.open', false, 49 * H, H);
    h.see('door.open', true, { ago: 40 * H }).to(60 * H);
    expect(h.log).toEqual([
      `raised elder/door ${48 * 3600}`,
      `cleared elder/door ${49 * 3600}`,
      `raised elder/door ${57 * 3600}`,
    ]);
    expect(h.gateway.happened[1]?.alarm.reason).toBe('late-evidence');
  });

  it('3: smoke told two hours late: the alarm is late, the siren stays silent, people are called', () => {
    const h = new Hand(site(SMOKE, [smoke, siren]))
      .see('smoke.alarm', false)
      .to(3 * H)
      .see('smoke.alarm', true, { ago: 2 * H });
    expect(h.gateway.alarm('fire/smoke')).toMatchObject({ late: true, condition: 'active' });
    expect(h.acts).toEqual(['tell duty']);
  });

  it('3b: smoke that was over before it was told of is raised, and cleared', () => {
    const h = new Hand(site(SMOKE, [smoke, siren]))
      .to(3 * H)
      .see('smoke.alarm', false)
      .see('smoke.alarm', true, { ago: 2 * H });
    expect(h.log).toEqual([
      `raised fire/smoke ${3 * 3600}`,
      `escalated fire/smoke ${3 * 3600}`,
      `cleared fire/smoke ${3 * 3600}`,
    ]);
    const old = new Hand(site(SMOKE, [smoke, siren]))
      .to(30 * H)
      .see('smoke.alarm', false)
      .see('smoke.alarm', true, { ago: 25 * H });
    expect(old.log).toEqual([]);
  });

  it('4: the same smoke frame three times is one alarm, counted once', () => {
    const h = new Hand(site(SMOKE, [smoke, siren])).see('smoke.alarm', true).see('smoke.alarm', true);
    h.to(500).see('smoke.alarm', true, { ago: 500 });
    expect(h.log.filter((l) => l.startsWith('raised'))).toEqual(['raised fire/smoke 0']);
    expect(h.gateway.alarm('fire/smoke')?.count).toBe(1);
  });

  const PERIMETER =
    'rule: fence\nlevel: orange\neach: {zone: fence}\ntogether: {cross: camera.line_cross, beam: beam.broken}\nwithin: 10s\nact: 到场\ndo: [{snapshot: cross}]\ntext: "{cross.name} {beam.name}"\n';
  const yard = [
    device('cam', 'camera', { line_cross: { kind: 'bool', event: true } }, { zone: 'fence' }),
    device('ray', 'beam', { broken: 'bool' }, { zone: 'fence' }),
  ];
  it.each([
    [10_000, 1],
    [10_001, 0],
  ])('5: crossing and beam %d ms apart match %d times', (apart, times) => {
    const h = new Hand(site(PERIMETER, yard))
      .see('ray.broken', false)
      .see('cam.line_cross', false)
      .see('cam.line_cross', true);
    h.to(apart).see('ray.broken', true);
    expect(h.log.filter((l) => l.startsWith('raised')).length).toBe(times);
    expect(h.acts).toEqual(times === 1 ? ['snapshot cam'] : []);
    if (times === 1) expect(h.text('fence/fence')).toBe('cam ray');
  });

  it.each([
    [1000, 0.2],
    [undefined, 0.1],
  ])('6: a counter from 999.9 to 0.1 that rolls over at %s went up by %d', (rollover, rise) => {
    const meter = device('m', 'meter', { total: rollover === undefined ? {} : { rollover } });
    const h = new Hand(site('point: m.used\nvalue: {delta: m.total, over: 1h, need: 0}\n', [meter]));
    h.see('m.total', 999.9).to(M).see('m.total', 0.1);
    expect(h.gateway.made.get('m.used')?.value).toBeCloseTo(rise, 6);
  });

  it('7: an acknowledgement at 4 min 59 s: no street', () => {
    const h = new Hand(site(SMOKE, [smoke, siren])).see('smoke.alarm', true).to(4 * M + 59 * S);
    h.ask({ kind: 'ack', aid: 'fire/smoke', by: '张三' }).to(10 * M);
    expect(h.acts).toEqual(['tell duty', 'write siren.on=true', 'tell duty', 'tell property', 'write siren.on=false']);
    expect(h.gateway.alarm('fire/smoke')).toMatchObject({ ack: 'acked', by: '张三' });
  });

  it('8: matches and nested comprehensions are refused with their place', () => {
    for (const when of ['"a".matches("b")', '[1].exists(a, [1].exists(b, [1].exists(c, [1].exists(d, a == d))))']) {
      const { problems } = compileRules(site(`rule: a\nlevel: blue\nwhen: ${JSON.stringify(when)}\n`, [door]));
      expect(problems[0]).toMatchObject({ code: 'rules.banned', path: ['when'] });
      expect(problems[0]?.range).toBeDefined();
    }
  });
});

describe('windows', () => {
  const value = (yaml: string, drive: (h: Hand) => Hand, devices = [tank]): unknown =>
    drive(new Hand(site(`point: x.y\nvalue: ${yaml}\n`, devices))).gateway.made.get('x.y')?.value;
  /** 0, 1, 2, … every minute for an hour */
  const ramp = (h: Hand): Hand => {
    for (let i = 0; i <= 60; i++) h.to(i * M).see('tank.level', i);
    return h;
  };
  it.each([
    ['{min: tank.level, over: 1h}', 0],
    ['{max: tank.level, over: 1h}', 60],
    ['{max: tank.level, over: 10m}', 60],
    ['{avg: tank.level, over: 1h}', 29.5],
    ['{delta: tank.level, over: 30m}', 30],
    ['{rate: tank.level, over: 1h}', 60],
    ['{changes: tank.level, over: 1h}', 60],
    ['{first: tank.level, over: 1h}', 0],
    ['{last: tank.level, over: 1h}', 60],
    ['{median: tank.level, over: 1h}', 30],
    ['{p95: tank.level, over: 1h}', 57],
  ])('%s', (yaml, expected) => {
    const got = value(yaml, ramp) as number;
    expect(Math.abs(got - expected)).toBeLessThanOrEqual(1);
  });

  it('stdev', () => {
    const h = (hand: Hand): Hand => {
      for (let i = 0; i <= 60; i++) hand.to(i * M).see('tank.level', i % 2);
      return hand;
    };
    expect(value('{stdev: tank.level, over: 1h}', h)).toBeCloseTo(0.5, 1);
  });

  it('ontime, count and since of a contact', () => {
    const play = (h: Hand): Hand =>
      h
        .see('door.open', false)
        .to(10 * M)
        .see('door.open', true)
        .to(15 * M)
        .see('door.open', false)
        .to(60 * M)
        .see('door.open', false);
    expect(value('{ontime: door.open, over: 1h}', play, [door])).toBeCloseTo(300, 0);
    expect(value('{count: door.open, over: 1h}', play, [door])).toBe(1);
    expect(value('{since: door.open}', play, [door])).toBe(45 * 60);
  });

  it('is unknown until enough was seen, and again when too much is missing', () => {
    const yaml = 'rule: a\nlevel: blue\nwith: {top: {max: tank.level, over: 1h}}\nwhen: top > 5\nunknown: false\n';
    const short = device('tank', 'tank', { level: { staleAfterMs: 2 * M } });
    const h = new Hand(site(yaml, [short])).see('tank.level', 9).keep('tank.level', 9, 40 * M, M);
    expect(h.log).toEqual([]);
    h.keep('tank.level', 9, 43 * M, M);
    expect(h.log.length).toBe(1);
    h.see('tank.level', null).to(2 * H);
    expect(h.log.at(-1)).toMatch(/^cleared/);
  });

  it('tumbling windows end at local clock times, and windows over them see each period', () => {
    const yaml = `rule: leak
level: yellow
with: {hourly: {delta: tank.total, every: 1h}, least: {min: hourly, over: 6h, need: 0.8}}
when: least > 0
text: "{least}"
`;
    const h = new Hand(site(yaml, [tank])).see('tank.total', 0);
    for (let i = 1; i <= 7 * 60; i++) h.to(i * M).see('tank.total', i * 0.001);
    expect(h.log.length).toBe(1);
    // the first hour began with its first sample: one minute less
    expect(Number(h.text('leak/site'))).toBeCloseTo(0.059, 4);
    for (let i = 1; i <= 120; i++) h.to(7 * H + i * M).see('tank.total', 0.42);
    expect(h.log.at(-1)).toMatch(/^cleared leak/);
  });

  it('between counts only a time of the day', () => {
    const yaml =
      'rule: night\nlevel: yellow\nwith: {used: {delta: tank.total, over: 24h, between: "02:00 .. 04:00"}}\nwhen: used > 0.5\ntext: "{used}"\n';
    const run = (rise: (hour: number) => number): Hand => {
      const h = new Hand(site(yaml, [tank]));
      let total = 0;
      // from noon to noon
      for (let i = 0; i <= 24 * 6; i++) {
        total += rise((12 + i / 6) % 24) / 6;
        h.to(i * 10 * M).see('tank.total', total);
      }
      return h;
    };
    expect(run((hour) => (hour >= 2 && hour < 4 ? 1 : 0)).log.length).toBe(1);
    expect(run((hour) => (hour >= 2 && hour < 4 ? 0 : 1)).log).toEqual([]);
  });

  it('eta: hours until the trend gets there; never when it moves away or stands', () => {
    const run = (level: (hours: number) => number): Hand => {
      const yaml =
        'rule: dry\nlevel: yellow\nwith: {eta: {eta: tank.level, to: 0.2, over: 2h}}\nwhen: eta < 6\ntext: "{round(eta)}"\n';
      const h = new Hand(site(yaml, [tank]));
      for (let i = 0; i <= 120; i++) h.to(i * M).see('tank.level', level(i / 60) + (i % 17 === 0 ? 3 : 0));
      return h;
    };
    const dry = run((t) => 2.2 - 0.3 * t);
    expect(dry.log.length).toBe(1);
    expect(Number(dry.text('dry/site'))).toBe(5);
    expect(run((t) => 1 + 0.3 * t).log).toEqual([]);
    expect(run(() => 1).log).toEqual([]);
  });

  it('drift: against the same hours of two weeks', () => {
    const yaml =
      'rule: worn\nlevel: blue\nwith: {z: {drift: tank.level, over: 24h, against: 14d}}\nwhen: z < -3\nfor: 6h\n';
    const h = new Hand(site(yaml, [tank]));
    const wave = (i: number): number => 60 + 5 * Math.sin((i / 24) * 2 * Math.PI) + ((i * 7919) % 13) / 10;
    for (let i = 0; i < 15 * 24; i++) h.to(i * H).see('tank.level', wave(i));
    expect(h.log).toEqual([]);
    for (let i = 15 * 24; i < 17 * 24; i++) h.to(i * H).see('tank.level', wave(i) - 8);
    expect(h.log.length).toBe(1);
  });

  it('of: the newest values of several devices', () => {
    const bays = [1, 2, 3].map((n) => device(`bay_${n}`, 'bay', { occupied: 'bool' }));
    const free = 'point: parking.free\nvalue: {count: occupied, is: false, of: {type: bay}}\n';
    const h = new Hand(site(free, bays))
      .see('bay_1.occupied', true)
      .see('bay_2.occupied', false)
      .see('bay_3.occupied', false);
    expect(h.gateway.made.get('parking.free')?.value).toBe(2);
    expect(h.see('bay_2.occupied', true).gateway.made.get('parking.free')?.value).toBe(1);
  });

  it('survives a restart with what it had', () => {
    const yaml = 'rule: a\nlevel: blue\nwith: {avg: {avg: tank.level, over: 1h}}\nwhen: avg > 50\ntext: "{avg}"\n';
    const run = (restart: boolean): string => {
      const h = new Hand(site(yaml, [tank])).see('tank.level', 20).keep('tank.level', 20, 20 * M, M);
      if (restart)
        h.restart()
          .see('tank.level', 20)
          .keep('tank.level', 80, 60 * M, M);
      else h.keep('tank.level', 80, 80 * M, M);
      return `${h.log.join()} ${h.text('a/site')}`;
    };
    expect(run(true)).toBe(run(false));
    expect(run(true)).toMatch(/^raised/);
  });
});

describe('points that rules make', () => {
  it('feed other points and rules in the same step, whatever their order in the file', () => {
    const yaml = `rule: hot
level: blue
each: {type: tank}
when: warm
---
point: tank.warm
each: {type: tank}
value: twice > 10
---
point: tank.twice
each: {type: tank}
value: level * 2
`;
    const h = new Hand(site(yaml, [tank])).see('tank.level', 6);
    expect(h.gateway.made.get('tank.twice')?.value).toBe(12);
    expect(h.log).toEqual(['raised hot/tank 0']);
    h.see('tank.level', null);
    expect(h.gateway.made.get('tank.warm')).toMatchObject({ value: null, quality: 'bad' });
  });

  it('in a circle are an error', () => {
    const yaml = 'point: a.x\nvalue: b.y + 1\n---\npoint: b.y\nvalue: a.x + 1\n';
    expect(compileRules(site(yaml, [tank])).problems.map((p) => p.code)).toContain('rules.unknown_name');
  });

  it('speak of the devices of an asset by the names it gives them', () => {
    const flat: Asset = { id: 'flat_301', type: 'home', tags: [], members: { water: 'tank' }, lets: {} };
    const yaml =
      'point: home.occupied\neach: {type: home}\nwhen: water.level > 0\nvalue: water.level > 5\nclass: personal\n';
    const h = new Hand(site(yaml, [tank], { assets: new Map([['flat_301', flat]]) })).see('tank.level', 0);
    expect(h.gateway.made.size).toBe(0);
    expect(h.see('tank.level', 6).gateway.made.get('flat_301.occupied')?.value).toBe(true);
  });
});

describe('gates', () => {
  it('only: raises inside, clears any time', () => {
    const yaml = 'rule: a\nlevel: yellow\neach: {type: home_door}\nwhen: open\nonly: night\n';
    const h = new Hand(site(yaml, [door])).see('door.open', true).to(9 * H + 59 * M);
    expect(h.log).toEqual([]);
    h.to(11 * H);
    expect(h.log).toEqual([`raised a/door ${10 * 3600}`]);
    h.to(19 * H).see('door.open', false);
    expect(h.log.at(-1)).toBe(`cleared a/door ${19 * 3600}`);
  });

  it('only: orange is not gated while nobody knows the hour', () => {
    const yaml = 'rule: a\nlevel: orange\nact: x\neach: {type: home_door}\nwhen: open\nonly: night\n';
    const h = new Hand(site(yaml, [door]));
    h.synced = false;
    expect(h.see('door.open', true).log.length).toBe(1);
  });

  it('named times are conditions, and sun times follow the place', () => {
    const yaml =
      'times: {dark: "sunset+10m .. sunrise-10m"}\n---\nrule: a\nlevel: blue\neach: {type: home_door}\nwhen: open && dark\n';
    const h = new Hand(site(yaml, [door])).see('door.open', true).to(24 * H);
    const [raised = '', cleared = ''] = h.log;
    // Shenzhen on the first of June: the sun sets at 19:04 and rises at 05:39
    expect(Number(raised.split(' ')[2]) / 3600).toBeCloseTo(7 + 14 / 60, 0);
    expect(Number(cleared.split(' ')[2]) / 3600).toBeCloseTo(17 + 29 / 60, 0);
  });

  it('unless: recorded, muted, told when it ends', () => {
    const yaml = `rule: power
level: yellow
each: {type: siren}
when: on
---
rule: a
level: yellow
each: {type: home_door}
when: open
unless: alarm("power")
do: [{screen: duty}]
`;
    const h = new Hand(site(yaml, [door, siren])).see('siren.on', true).see('door.open', true);
    expect(h.gateway.alarm('a/door')).toMatchObject({ mute: 'suppressed', condition: 'active' });
    expect(h.acts).toEqual([]);
    h.see('siren.on', false);
    expect(h.gateway.alarm('a/door')).toMatchObject({ mute: 'none' });
    expect(h.acts).toEqual(['tell duty']);
  });

  it('shadow does nothing and publishes nothing', () => {
    const h = new Hand(site(`${SMOKE}mode: shadow\n`, [smoke, siren])).see('smoke.alarm', true);
    expect(h.gateway.happened.map((x) => [x.transition, x.isShadow])).toEqual([['raised', true]]);
    expect(h.acts).toEqual([]);
    expect(h.to(S).see('smoke.alarm', false).gateway.happened.length).toBe(2);
    expect(new Hand(site(`${SMOKE}mode: off\n`, [smoke, siren])).see('smoke.alarm', true).log).toEqual([]);
  });

  it('let: constants, and those of one device', () => {
    const yaml = 'rule: a\nlevel: blue\neach: {type: tank}\nlet: {limit: 80}\nwhen: level > limit\n';
    const other = device('t2', 'tank', { level: 'number' }, { lets: { limit: 120 } });
    expect(new Hand(site(yaml, [tank, other])).see('tank.level', 100).see('t2.level', 100).log).toEqual([
      'raised a/tank 0',
    ]);
  });
});

describe('patterns', () => {
  it('then: in order, and a match uses its parts up', () => {
    const yaml = 'rule: a\nlevel: blue\nthen: [door.open, siren.on]\nwithin: 1m\nkeep: 5s\n';
    const h = new Hand(site(yaml, [door, siren])).see('door.open', false).see('siren.on', false);
    h.to(S)
      .see('siren.on', true)
      .to(2 * S)
      .see('door.open', true);
    expect(h.log).toEqual([]);
    h.to(3 * S)
      .see('siren.on', false)
      .to(4 * S)
      .see('siren.on', true)
      .to(20 * S);
    expect(h.log).toEqual(['raised a/site 4', 'cleared a/site 9']);
    h.see('siren.on', false)
      .to(21 * S)
      .see('siren.on', true);
    expect(h.log.length).toBe(2);
  });

  it('what is seen first after a start is no edge', () => {
    const yaml = 'rule: a\nlevel: blue\ntogether: {a: door.open, b: siren.on}\nwithin: 1m\n';
    const h = new Hand(site(yaml, [door, siren])).see('door.open', true).see('siren.on', true);
    expect(h.log).toEqual([]);
  });
});

describe('alarms', () => {
  const BLUE = 'rule: a\nlevel: yellow\neach: {type: home_door}\nwhen: open\n';
  it('close when cleared and acknowledged, in either order', () => {
    const h = new Hand(site(BLUE, [door])).see('door.open', true).ask({ kind: 'ack', aid: 'a/door', by: 'x' });
    h.to(S).see('door.open', false);
    expect(h.gateway.alarm('a/door')).toMatchObject({ open: false, ack: 'acked' });
    const g = new Hand(site(BLUE, [door])).see('door.open', true).to(S).see('door.open', false);
    expect(g.gateway.alarm('a/door')?.open).toBe(true);
    g.ask({ kind: 'ack', aid: g.gateway.alarm('a/door')?.aid ?? '', by: 'x' });
    expect(g.log.slice(-2)).toEqual(['acked a/door 1', 'closed a/door 1']);
    g.ask({ kind: 'ack', aid: 'a/door', by: 'x' });
    expect(g.gateway.answers.at(-1)).toMatchObject({ ok: false, code: 'alarms.unknown' });
  });

  it('latch: stays until a person resets it, and not while it is active', () => {
    const h = new Hand(site(`${BLUE}latch: true\n`, [door]))
      .see('door.open', true)
      .ask({ kind: 'reset', aid: 'a/door', by: 'x' });
    expect(h.gateway.answers.at(-1)).toMatchObject({ ok: false, code: 'alarms.still_active' });
    h.to(S).see('door.open', false).ask({ kind: 'ack', aid: 'a/door', by: 'x' });
    expect(h.gateway.alarm('a/door')?.open).toBe(true);
    h.ask({ kind: 'reset', aid: 'a/door', by: 'x' });
    expect(h.gateway.alarm('a/door')?.open).toBe(false);
    expect(h.log.at(-1)).toBe('closed a/door 1');
  });

  it('rearm: the same alarm for a while, also over a restart; then a new one', () => {
    const model = site(`${BLUE.replace('yellow', 'blue')}rearm: 10m\n`, [door]);
    const h = new Hand(model).see('door.open', true).to(M).see('door.open', false);
    const aid = h.gateway.alarm('a/door')?.aid;
    h.to(5 * M)
      .restart(M)
      .see('door.open', false)
      .to(S)
      .see('door.open', true);
    expect(h.gateway.alarm('a/door')).toMatchObject({ aid, count: 2, open: true });
    h.to(M)
      .see('door.open', false)
      .to(20 * M)
      .see('door.open', true);
    expect(h.gateway.alarm('a/door')?.aid).not.toBe(aid);
  });

  it('flap: held active, counted, told as work for maintenance, quiet after a while', () => {
    const h = new Hand(site(`${BLUE}flap: {more_than: 4, over: 10m, settle: 15m}\n`, [door])).see('door.open', false);
    for (let i = 1; i <= 12; i++) h.to(i * 10 * S).see('door.open', i % 2 === 1);
    expect(h.gateway.alarm('a/door')).toMatchObject({ flapping: true, condition: 'active' });
    expect(h.gateway.alarm('flapping/a/door')).toMatchObject({ level: 'blue', condition: 'active' });
    const told = h.log.length;
    for (let i = 13; i <= 20; i++) h.to(i * 10 * S).see('door.open', i % 2 === 1);
    expect(h.log.length).toBe(told);
    h.to(H);
    expect(h.gateway.alarm('a/door')).toMatchObject({ condition: 'cleared' });
    expect(h.gateway.alarm('flapping/a/door')?.open).toBe(false);
  });

  it('shelve: by a person with a reason and an end; never for life safety', () => {
    const h = new Hand(site(`${BLUE}do: [{screen: duty}]\n`, [door])).see('door.open', true);
    h.ask({ kind: 'shelve', aid: 'a/door', by: '张三', reason: '搬家', forMs: 2 * H });
    expect(h.gateway.alarm('a/door')).toMatchObject({
      mute: 'shelved',
      by: '张三',
      muteReason: '搬家',
      muteUntil: T0 + 2 * H,
    });
    h.to(H)
      .restart(M)
      .to(2 * H);
    expect(h.gateway.alarm('a/door')).toMatchObject({ mute: 'none' });
    expect(h.acts).toEqual(['tell duty', 'tell duty']);
    h.ask({ kind: 'shelve', aid: 'a/door', by: 'x', reason: 'y', forMs: 9 * H });
    expect(h.gateway.answers.at(-1)).toMatchObject({ ok: false, code: 'alarms.shelved_too_long' });
    const red = new Hand(site(`${SMOKE}shelve: never\n`, [smoke, siren])).see('smoke.alarm', true);
    red.ask({ kind: 'shelve', aid: 'fire/smoke', by: 'x', reason: 'y', forMs: H });
    expect(red.gateway.answers.at(-1)).toMatchObject({ ok: false, code: 'alarms.never_shelved' });
  });

  it('maintenance: kept and muted, nothing is switched, red ones go out as a test', () => {
    const h = new Hand(site(SMOKE, [smoke, siren])).ask({
      kind: 'maintain',
      what: 'shed',
      by: '李工',
      reason: '年检',
      forMs: H,
    });
    h.to(M).see('smoke.alarm', true);
    expect(h.gateway.alarm('fire/smoke')).toMatchObject({ mute: 'maintenance', muteReason: '年检' });
    expect(h.acts).toEqual([]);
    h.to(H + 1);
    expect(h.gateway.alarm('fire/smoke')).toMatchObject({ mute: 'none' });
    expect(h.acts).toEqual(['tell duty', 'tell duty']);
    h.ask({ kind: 'maintain', what: 'nobody', by: 'x', reason: 'y', forMs: H });
    expect(h.gateway.answers.at(-1)).toMatchObject({ ok: false, code: 'alarms.nothing_there' });
  });

  it('flood: eleven in ten minutes; yellow ones call nobody any more, red ones do', () => {
    const doors = Array.from({ length: 12 }, (_, i) => device(`d${i}`, 'home_door', { open: 'bool' }));
    const h = new Hand(site(`${BLUE}do: [{screen: duty}]\n---\n${SMOKE}`, [...doors, smoke, siren]));
    for (let i = 0; i < 12; i++) h.to(i * S).see(`d${i}.open`, true);
    expect(h.acts.length).toBe(10);
    expect(h.gateway.alarm('flood/site')).toMatchObject({ level: 'yellow', condition: 'active' });
    expect(h.gateway.alarm('a/d11')).toMatchObject({ flood: true, condition: 'active' });
    h.see('smoke.alarm', true);
    expect(h.acts).toContain('write siren.on=true');
    expect(h.to(20 * M).gateway.alarm('flood/site')).toMatchObject({ condition: 'cleared' });
  });

  it('escalation goes on over a restart; what came due while off is told at once', () => {
    const h = new Hand(site(SMOKE, [smoke, siren]))
      .see('smoke.alarm', true)
      .to(30 * S)
      .restart(10 * M);
    expect(h.acts).toEqual([
      'tell duty',
      'write siren.on=true',
      'tell duty',
      'write siren.on=false',
      'tell property',
      'tell street',
    ]);
  });

  it('a step that cannot be delivered pulls the next one forward', () => {
    const h = new Hand(site(SMOKE, [smoke, siren])).see('smoke.alarm', true).to(S);
    h.gateway.input({ kind: 'unreachable', aid: h.gateway.alarm('fire/smoke')?.aid ?? '' }, h.now());
    expect(h.acts.at(-1)).toBe('tell property');
  });
});

describe('actions over a restart', () => {
  it('stop_after ends what it began, also when it came due while off', () => {
    const h = new Hand(site(SMOKE, [smoke, siren]))
      .see('smoke.alarm', true)
      .to(M)
      .restart(2 * H);
    expect(h.acts.filter((a) => a.startsWith('write'))).toEqual(['write siren.on=true', 'write siren.on=false']);
  });

  it('a write that was not answered for is given out again while it is fresh, and skipped when it is stale', () => {
    const model = site(SMOKE, [smoke, siren]);
    const run = (down: number) => {
      const machine = machineOf(model);
      const at = (wall: number): Instant => ({ wall: T0 + wall, mono: wall, synced: true });
      const begun = machine.restore({ alarms: [], states: [] }, at(0));
      const reading = { device: 'smoke', point: 'alarm', value: true, quality: 'good', ts: T0, at: at(0) } as const;
      const { effects } = machine.step(begun.state, { kind: 'readings', readings: [reading] }, at(0));
      const states = effects.flatMap((e) => (e.kind === 'state' ? [e.row] : []));
      const alarms = effects.flatMap((e) => (e.kind === 'alarm' ? [e.alarm] : []));
      const again = machineOf(model).restore({ alarms: [alarms.at(-1) as never], states, downSince: T0 }, at(down));
      return again.effects
        .map((e) =>
          e.kind === 'act' ? `act ${e.act.step.do}` : e.kind === 'skipped' ? `skipped ${e.act.step.do}` : '',
        )
        .filter((x) => x !== '');
    };
    expect(run(5000)).toContain('act write');
    expect(run(5 * M)).toContain('skipped write');
  });
});

describe('nearest', () => {
  const hydrant = (id: string, lat: number): DeviceModel =>
    device(id, 'hydrant', { pressure: 'number' }, { name: id, at: { lat, lon: 114.0502 } });
  const yaml = `rule: fire
level: red
each: {type: smoke}
when: alarm
act: 灭火
with: {hydrant: {nearest: hydrant, where: pressure >= 0.14}, any: {nearest: hydrant}}
text: "{hydrant.name} {hydrant.distance} {hydrant.found ? '有水' : '无水'} {hydrant.skipped} {any.name}"
`;
  it('follows the live values, and says which nearer one was passed over', () => {
    const h = new Hand(site(yaml, [smoke, hydrant('near', 22.5402), hydrant('far', 22.5405)]));
    h.see('near.pressure', 0.02).see('far.pressure', 0.3).see('smoke.alarm', true);
    expect(h.text('fire/smoke')).toBe('far 44 有水 near near');
    const dry = new Hand(site(yaml, [smoke, hydrant('near', 22.5402), hydrant('far', 22.5405)]));
    dry.see('near.pressure', 0.02).see('far.pressure', 0.01).see('smoke.alarm', true);
    expect(dry.text('fire/smoke')).toBe('near 11 无水 near、far near');
  });
});

describe('controls', () => {
  const lamp = device('lamp', 'lamp', { dim: 'number' }, { at: { lat: 22.54, lon: 114.05 } });
  const pir = (id: string, lat: number): DeviceModel =>
    device(id, 'pir', { motion: 'bool' }, { at: { lat, lon: 114.05 } });
  const yaml = `times: {dark: "19:00 .. 06:00", late: "23:00 .. 05:00"}
---
control: path
each: {type: lamp}
with: {idle: {since: motion, of: {type: pir, near: 30}}}
set: {dim: "!dark ? 0 : idle < 180 ? 100 : late ? 30 : 60"}
hold: 60s
override: 30m
`;
  it('follow sun, presence and the hour; far sensors do not count', () => {
    const h = new Hand(site(yaml, [lamp, pir('here', 22.5401), pir('there', 22.55)]))
      .see('here.motion', false)
      .see('there.motion', false);
    expect(h.acts).toEqual(['write lamp.dim=0']);
    h.to(8 * H).see('here.motion', false);
    expect(h.acts.at(-1)).toBe('write lamp.dim=60');
    h.see('there.motion', true);
    expect(h.acts.length).toBe(2);
    h.to(8 * H + M)
      .see('here.motion', true)
      .to(8 * H + 2 * M)
      .see('here.motion', false);
    expect(h.acts.at(-1)).toBe('write lamp.dim=100');
    h.to(8 * H + 6 * M);
    expect(h.acts.at(-1)).toBe('write lamp.dim=60');
    h.to(12 * H);
    expect(h.acts.at(-1)).toBe('write lamp.dim=30');
  });

  it('leave a person’s own switching alone for a while', () => {
    const h = new Hand(site(yaml, [lamp, pir('here', 22.5401)])).to(8 * H).see('here.motion', false);
    const before = h.acts.length;
    h.gateway.input({ kind: 'manual', device: 'lamp', point: 'dim' }, h.now());
    h.to(8 * H + 20 * M).see('here.motion', true);
    expect(h.acts.length).toBe(before);
    h.to(8 * H + 31 * M);
    expect(h.acts.at(-1)).toBe('write lamp.dim=100');
  });

  it('do not write again what they wrote before a restart', () => {
    const h = new Hand(site(yaml, [lamp, pir('here', 22.5401)]))
      .see('here.motion', false)
      .to(M)
      .restart(M)
      .see('here.motion', false);
    expect(h.acts).toEqual(['write lamp.dim=0']);
  });

  it('have one owner for each output', () => {
    const two = `control: a\neach: {type: lamp}\nset: {dim: "1.0"}\n---\ncontrol: b\neach: {type: lamp}\nset: {dim: "2.0"}\n`;
    expect(compileRules(site(two, [lamp])).problems.map((p) => p.code)).toContain('rules.two_owners');
  });
});

describe('forms', () => {
  const yaml = `form: report
name: 居民上报
fields:
  - {id: kind, label: 类别, pick: [噪音, 漏水], must: true}
  - {id: text, label: 内容, text: 50, must: true}
---
point: reports.top
value: {top: report.text, over: 30d, n: 3, at_least: 3}
---
form: health
confirm: 2
fields:
  - {id: unit, label: 楼栋, place: true, must: true}
  - {id: count, label: 人数, number: [1, 999], must: true}
---
rule: cluster
level: orange
act: 上报
each: {zone: "*"}
with: {n: {sum: health.count, over: 48h}}
when: n >= 5
`;
  const model = site(yaml, [door]);
  it('check every field, and say what is wrong', () => {
    const ask = (fields: Record<string, unknown>) =>
      new Hand(model).ask({ kind: 'form', form: 'report', fields, by: 'x' }).gateway.answers[0];
    expect(ask({ kind: '漏水', text: '三楼' })).toMatchObject({ ok: true });
    expect(ask({ kind: '漏水' })).toMatchObject({ code: 'forms.missing' });
    expect(ask({ kind: '其他', text: 'x' })).toMatchObject({ code: 'forms.wrong' });
    expect(ask({ kind: '漏水', text: 'x'.repeat(51) })).toMatchObject({ code: 'forms.wrong' });
    expect(ask({ kind: '漏水', text: 'x', phone: 1 })).toMatchObject({ code: 'forms.unknown_field' });
    expect(new Hand(model).ask({ kind: 'form', form: 'no', fields: {}, by: 'x' }).gateway.answers[0]).toMatchObject({
      code: 'forms.unknown',
    });
  });

  it('top: words of at least three people, estate words whole, never a number', () => {
    const h = new Hand(model);
    const say = (by: string, text: string): void =>
      void h.to(h.mono + M).ask({ kind: 'form', form: 'report', fields: { kind: '噪音', text }, by });
    say('a', '楼下有人飞线充电 13800138000');
    say('a', '飞线充电');
    say('b', '又是飞线充电，广场舞太吵');
    expect(h.gateway.made.get('reports.top')?.value).toBe('');
    say('c', '三栋飞线充电 13800138000');
    say('d', '13800138000 飞线充电');
    expect(h.gateway.made.get('reports.top')?.value).toBe('飞线充电 4');
    h.to(31 * 24 * H);
    expect(h.gateway.made.get('reports.top')?.value).toBe('');
  });

  it('a second person confirms; the sum of two days at one place raises', () => {
    const h = new Hand(model);
    const enter = (count: number, unit: string): void => {
      h.ask({ kind: 'form', form: 'health', fields: { unit, count }, by: '王医生' });
      const answer = h.gateway.answers.at(-1);
      const id = answer?.ok === true ? (answer.id ?? '') : '';
      h.ask({ kind: 'confirm', id, by: '王医生' });
      expect(h.gateway.answers.at(-1)).toMatchObject({ code: 'forms.same_person' });
      h.ask({ kind: 'confirm', id, by: '李护士' });
    };
    enter(3, 'shed');
    h.to(H);
    enter(3, 'fence');
    expect(h.log).toEqual([]);
    enter(2, 'shed');
    expect(h.log).toEqual([`raised cluster/shed 3600`]);
  });
});

describe('language for technicians', () => {
  const problem = (yaml: string, devices = [tank, door]) => compileRules(site(yaml, devices)).problems[0];
  const rule = (when: string): string => `rule: a\nlevel: blue\neach: {type: home_door}\nwhen: ${when}\n`;
  it.each([
    ['"open and true"', /&& \|\| !/],
    ['"open = true"', /==/],
    ['"（open）"', /full-width/],
    ['"open ＆＆ true"', /full-width/],
  ])('%s gets a hint', (when, hint) => {
    const found = problem(rule(when));
    expect(found?.code).toBe('rules.expression');
    expect(String(found?.params.hint_en)).toMatch(hint);
    expect(found?.range).toBeDefined();
  });

  it('when: !open is a YAML tag', () => {
    const found = problem(rule('!open'));
    expect(found?.code).toBe('rules.empty');
    expect(String(found?.params.hint_zh)).toContain('open == false');
  });

  it.each([
    ['rull: a\nlevel: blue\n', 'rules.no_kind'],
    ['rule: a\nlevel: blue\nwhen: x\nwith: {x: {mox: level, over: 1h}}\n', 'rules.no_function'],
    ['rule: a\nlevel: blue\nwhen: x > 1\nwith: {x: {max: tank.level}}\n', 'rules.no_span'],
    ['rule: a\nlevel: blue\nwhen: x > 1\nwith: {x: {max: tank.level, over: 1ms}}\n', 'rules.bad_span'],
    ['rule: a\nlevel: blue\nwhen: x > 1\nwith: {x: {max: tank.lewel, over: 1h}}\n', 'rules.unknown_name'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 1\nonly: sometimes\n', 'rules.bad_span_text'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 1\ndo: [{write: {tank.open: true}}]\n', 'rules.unknown_output'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 1\ndo: [{write: {tank.level: true}}]\n', 'rules.output_type'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 1\ndo: [{shout: duty}]\n', 'rules.bad_choice'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 1\nescalate: {0s: dutty}\n', 'rules.unknown_person'],
    ['rule: a\nlevel: blue\ntogether: {a: door.open}\nwithin: 1s\n', 'rules.few_parts'],
    ['rule: a\nlevel: blue\ntogether: {a: door.open, b: tank.level}\n', 'rules.missing'],
    ['point: eff\nvalue: "1.0"\n', 'rules.bad_point_id'],
    ['point: tank.level\nvalue: "1.0"\n', 'rules.point_taken'],
    ['times: {night: "23:00 .. 05:00"}\n', 'rules.other_time'],
    ['rule: a\nlevel: blue\nwhen: double > 1\nwith: {double: {max: tank.level, over: 1h}}\n', 'rules.reserved'],
    ['form: f\nfields: [{id: a}]\n', 'rules.missing'],
    ['rule: a\nlevel: blue\nwhen: tank.level > 7/2\n', 'rules.whole_division'],
  ])('%s -> %s', (yaml, code) => {
    expect(compileRules(site(yaml, [tank, door])).problems.map((p) => p.code)).toContain(code);
  });

  it('sunrise that fits no place', () => {
    const yaml = 'times: {dark: "sunset .. sunrise"}\n---\nrule: a\nlevel: blue\nwhen: tank.level > 1 && dark\n';
    const odd = { site: { id: 's', name: 's', lat: 22.54, lon: -114.05, timezone: 'Asia/Shanghai' } };
    expect(compileRules(site(yaml, [tank], odd)).problems.map((p) => p.code)).toContain('rules.odd_sun');
    const none = { site: { id: 's', name: 's', timezone: 'Asia/Shanghai' } };
    expect(compileRules(site(yaml, [tank], none)).problems.map((p) => p.code)).toContain('rules.no_sun');
  });

  it('a standard point the device has not is unknown, with a warning', () => {
    const types = new Map([['tank', [{ id: 'people', kind: 'number' as const }]]]);
    const { problems, machine } = compileRules(
      site('rule: a\nlevel: blue\neach: {type: tank}\nwhen: people > 1\n', [tank], { types }),
    );
    expect(machine).toBeDefined();
    expect(problems.map((p) => [p.code, p.severity])).toContainEqual(['rules.point_missing', 'warning']);
  });
});
