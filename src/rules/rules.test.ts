import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alarm } from '../base/alarm.ts';
import { renderAlarmText } from '../base/alarm-text.ts';
import type { StateRow } from '../base/journal.ts';
import type { DeviceModel, PointModel, SiteModel } from '../base/model.ts';
import type { Reading, Value } from '../base/reading.ts';
import type { Effect, RuleMachine, RuleState } from '../base/rules.ts';
import type { Instant } from '../base/time.ts';
import { compileRules } from './index.ts';

const T0 = Date.UTC(2026, 0, 1);
const H = 3_600_000;
const at = (mono: number, off = 0, synced = true): Instant => ({ wall: T0 + off + mono, mono, synced });

const point = (id: string, kind: PointModel['kind']): PointModel => ({
  id,
  kind,
  class: 'none',
  deadband: 0,
  heartbeatMs: 60_000,
  staleAfterMs: 10_000,
});
const device = (id: string, type: string, points: PointModel[], zone?: string): DeviceModel => ({
  id,
  name: `设备${id}`,
  driver: 'modbus',
  pollMs: 1000,
  type,
  tags: type === 'tank' ? ['fire'] : [],
  ...(zone === undefined ? {} : { zone }),
  points,
  config: {},
  noData: 'orange',
  hash: id,
});

function site(...rules: Record<string, unknown>[]): SiteModel {
  const devices = [
    device('tank_1', 'tank', [point('level', 'number'), point('pump', 'bool')], 'house'),
    device('tank_2', 'tank', [point('level', 'number')]),
    device('smoke_1', 'smoke', [point('alarm', 'bool')], 'shed'),
    device('door_1', 'home_door', [point('open', 'bool')], 'house'),
  ];
  return {
    site: { id: 's', name: 's', timezone: 'Asia/Shanghai' },
    gateway: { id: 'g', data: '/d', commitWindowMs: 1000, media: { keepMs: 1, maxBytes: 1 } },
    places: new Map([
      ['estate', { id: 'estate', name: '小区' }],
      ['house', { id: 'house', name: '水泵房', in: 'estate' }],
      ['shed', { id: 'shed', name: '充电棚' }],
    ]),
    channels: new Map(),
    devices: new Map(devices.map((d) => [d.id, d])),
    feeds: new Map(),
    people: new Map(),
    assets: new Map(),
    times: new Map(),
    stats: new Map(),
    types: new Map(),
    rules: rules.map((body, doc) => ({ file: 'rules/a.yaml', doc, body })),
    hash: 'h',
  };
}

const reading = (device: string, point: string, value: Value | null, now: Instant): Reading => ({
  device,
  point,
  value,
  quality: value === null ? 'bad' : 'good',
  ...(value === null ? { why: 'timeout' as const } : {}),
  ts: now.wall,
  at: now,
});

/** A gateway in small: the machine, and the rows its effects leave. */
class House {
  machine: RuleMachine;
  state: RuleState;
  readonly alarms = new Map<string, Alarm>();
  readonly states = new Map<string, StateRow>();
  readonly log: string[] = [];

  constructor(model: SiteModel, now = at(0)) {
    const { machine, problems } = compileRules(model);
    if (machine === undefined) throw new Error(JSON.stringify(problems));
    this.machine = machine;
    this.state = machine.restore({ alarms: [], states: [] }, now).state;
  }

  restart(model: SiteModel, now: Instant, downSince?: number): this {
    const { machine, problems } = compileRules(model);
    if (machine === undefined) throw new Error(JSON.stringify(problems));
    this.machine = machine;
    const rows = {
      alarms: [...this.alarms.values()],
      states: [...this.states.values()],
      ...(downSince === undefined ? {} : { downSince }),
    };
    const { state, effects } = machine.restore(rows, now);
    this.state = state;
    this.keep(effects, now);
    return this;
  }

  see(device: string, point: string, value: Value | null, now: Instant): this {
    return this.input({ kind: 'readings', readings: [reading(device, point, value, now)] }, now);
  }

  tick(now: Instant): this {
    return this.input({ kind: 'tick' }, now);
  }

  input(input: Parameters<RuleMachine['step']>[1], now: Instant): this {
    const { state, effects } = this.machine.step(this.state, input, now);
    this.state = state;
    this.keep(effects, now);
    return this;
  }

  alarm(key: string): Alarm | undefined {
    return this.alarms.get(key);
  }

  private keep(effects: readonly Effect[], now: Instant): void {
    for (const effect of effects) {
      if (effect.kind === 'state') {
        if (effect.row.body === null) this.states.delete(effect.row.key);
        else this.states.set(effect.row.key, effect.row);
        continue;
      }
      if (effect.kind !== 'alarm') continue;
      const { alarm, transition } = effect;
      const before = this.alarms.get(alarm.key);
      if (before !== undefined) expect(alarm.rev > before.rev || alarm.aid !== before.aid).toBe(true);
      if (before?.open === true) expect(alarm.aid).toBe(before.aid);
      this.alarms.set(alarm.key, alarm);
      this.log.push(`${transition} ${alarm.key} @${now.mono}`);
    }
  }
}

const LOW = {
  rule: 'low',
  name: '水位低',
  level: 'orange',
  each: { type: 'tank' },
  when: 'level < 1.5',
  clear: 'level > 1.8',
  for: '10s',
  text: '{place} 水位 {level} 米',
  act: '查',
};
const SMOKE = {
  rule: 'smoke',
  name: '火警',
  level: 'red',
  each: { type: 'smoke', in: 'shed' },
  when: 'alarm',
  text: '{place} 火警，水位 {tank_1.level}',
  act: '灭火',
};
const DOOR = {
  rule: 'elder',
  name: '未开门',
  level: 'orange',
  each: { type: 'home_door' },
  when: 'open == false',
  for: '48h',
  text: '{place} 已 {hours(held)} 小时',
  act: '敲门',
};

describe('a rule', () => {
  it('raises at once without `for`, and clears when the condition ends', () => {
    const h = new House(site(SMOKE))
      .see('smoke_1', 'alarm', false, at(0))
      .see('smoke_1', 'alarm', true, at(500))
      .see('smoke_1', 'alarm', true, at(1000))
      .see('smoke_1', 'alarm', false, at(1500));
    expect(h.log).toEqual(['raised smoke/smoke_1 @500', 'cleared smoke/smoke_1 @1500']);
    expect(h.alarm('smoke/smoke_1')).toMatchObject({
      level: 'red',
      condition: 'cleared',
      ack: 'unacked',
      open: true,
      count: 1,
      device: 'smoke_1',
      zone: 'shed',
      act: '灭火',
    });
  });

  it('waits for `for`, keeps to its clear condition, and tells the value', () => {
    const h = new House(site(LOW)).see('tank_1', 'level', 1.4, at(0)).tick(at(9_999));
    expect(h.log).toEqual([]);
    expect(h.machine.due(h.state)).toBe(10_000);
    h.tick(at(10_000)).see('tank_1', 'level', 1.7, at(11_000));
    expect(h.log).toEqual(['raised low/tank_1 @10000']);
    expect(renderAlarmText(h.alarm('low/tank_1') ?? { text: '', values: {} })).toBe('水泵房 水位 1.4 米');
    h.see('tank_1', 'level', 1.81, at(12_000));
    expect(h.log.at(-1)).toBe('cleared low/tank_1 @12000');
  });

  it('starts `for` again when the condition was interrupted', () => {
    const h = new House(site(LOW))
      .see('tank_1', 'level', 1, at(0))
      .see('tank_1', 'level', 2, at(5_000))
      .see('tank_1', 'level', 1, at(6_000))
      .tick(at(15_999));
    expect(h.log).toEqual([]);
    expect(h.tick(at(16_000)).log).toEqual(['raised low/tank_1 @16000']);
  });

  it('holds an alarm for `keep`', () => {
    const h = new House(site({ ...SMOKE, keep: '5s' }))
      .see('smoke_1', 'alarm', true, at(0))
      .see('smoke_1', 'alarm', false, at(1000))
      .see('smoke_1', 'alarm', true, at(2000))
      .see('smoke_1', 'alarm', false, at(3000))
      .tick(at(7_999));
    expect(h.log).toEqual(['raised smoke/smoke_1 @0']);
    expect(h.tick(at(8_000)).log.at(-1)).toBe('cleared smoke/smoke_1 @8000');
  });

  it('comes back under the same aid while the alarm is open', () => {
    const h = new House(site(SMOKE)).see('smoke_1', 'alarm', true, at(0));
    const { aid } = h.alarm('smoke/smoke_1') ?? {};
    h.see('smoke_1', 'alarm', false, at(1)).see('smoke_1', 'alarm', true, at(2));
    expect(h.alarm('smoke/smoke_1')).toMatchObject({ aid, count: 2, rev: 3, condition: 'active' });
  });

  it('a blue alarm closes with its condition; the next one is new', () => {
    const blue = { ...SMOKE, level: 'blue' };
    const h = new House(site(blue)).see('smoke_1', 'alarm', true, at(0));
    const first = h.alarm('smoke/smoke_1')?.aid;
    h.see('smoke_1', 'alarm', false, at(1000));
    expect(h.alarm('smoke/smoke_1')?.open).toBe(false);
    h.see('smoke_1', 'alarm', true, at(2000));
    expect(h.alarm('smoke/smoke_1')?.aid).not.toBe(first);
  });

  it('changes its level while it stands', () => {
    const rule = { ...LOW, for: '0s', clear: undefined, level: 'level < 0.5 ? "red" : "yellow"' };
    const { clear: _, for: __, ...plain } = rule;
    const h = new House(site(plain))
      .see('tank_1', 'level', 1, at(0))
      .see('tank_1', 'level', 0.4, at(1))
      .see('tank_1', 'level', 0.9, at(2));
    expect(h.log).toEqual(['raised low/tank_1 @0', 'updated low/tank_1 @1', 'updated low/tank_1 @2']);
    expect(h.alarm('low/tank_1')).toMatchObject({ level: 'yellow', top: 'red', rev: 3 });
  });

  it('has one instance for each device, and reads other devices', () => {
    const h = new House(site({ ...LOW, for: '1s', when: 'level < 1.5 && smoke_1.alarm' }));
    h.see('tank_1', 'level', 1, at(0))
      .see('tank_2', 'level', 1, at(0))
      .see('smoke_1', 'alarm', true, at(100))
      .tick(at(1100));
    expect(h.log).toEqual(['raised low/tank_1 @1100', 'raised low/tank_2 @1100']);
  });

  it('for places, bare names are points of the devices there', () => {
    const h = new House(site({ ...LOW, each: { zone: 'est*' }, for: '1s' }))
      .see('tank_1', 'level', 1, at(0))
      .tick(at(1000));
    expect(h.log).toEqual(['raised low/estate @1000']);
  });
});

describe('unknown input', () => {
  const run = (unknown: string | undefined): string[] => {
    const rule = unknown === undefined ? LOW : { ...LOW, unknown };
    const h = new House(site(rule))
      .see('tank_1', 'level', 1, at(0))
      .see('tank_1', 'level', null, at(5_000))
      .tick(at(10_000));
    return h.see('tank_1', 'level', 1, at(12_000)).tick(at(17_000)).tick(at(20_000)).log;
  };
  it('hold: the last truth stands and the clock runs', () =>
    expect(run(undefined)).toEqual(['raised low/tank_1 @10000']));
  it('false: the condition is off', () => expect(run('false')).toEqual([]));
  it('pause: the clock stands', () => expect(run('pause')).toEqual(['raised low/tank_1 @17000']));
  it('true: fail-safe', () => {
    const h = new House(site({ ...SMOKE, unknown: 'true' })).see('smoke_1', 'alarm', null, at(0));
    expect(h.alarm('smoke/smoke_1')).toMatchObject({ quality: 'uncertain' });
  });
  it('what is raised on unknown input says so, with the observed share', () => {
    const h = new House(site(LOW))
      .see('tank_1', 'level', 1, at(0))
      .see('tank_1', 'level', null, at(5_000))
      .tick(at(10_000));
    expect(h.alarm('low/tank_1')).toMatchObject({ quality: 'uncertain', observed: 0.5 });
  });
  it('an active alarm never clears on it', () => {
    const h = new House(site(SMOKE))
      .see('smoke_1', 'alarm', true, at(0))
      .see('smoke_1', 'alarm', null, at(10))
      .tick(at(10 * H));
    expect(h.log).toEqual(['raised smoke/smoke_1 @0']);
  });
});

describe('over a restart', () => {
  it('a door closed for 48 h with the gateway off from 20 h to 30 h: raised at 48 h, 38 of 48 observed', () => {
    const model = site(DOOR);
    const h = new House(model).see('door_1', 'open', false, at(0));
    for (let t = 1; t <= 20; t++) h.see('door_1', 'open', false, at(t * H));
    const off = 30 * H;
    h.restart(model, at(0, off), T0 + 20 * H)
      .see('door_1', 'open', false, at(0, off))
      .tick(at(18 * H - 1, off));
    expect(h.log).toEqual([]);
    h.tick(at(18 * H, off));
    const alarm = h.alarm('elder/door_1');
    expect(alarm?.observed).toBeCloseTo(38 / 48, 3);
    expect(alarm?.firedLate).toBeUndefined();
    expect(renderAlarmText(alarm ?? { text: '', values: {} })).toBe('水泵房 已 48 小时');
  });

  it('a timer that came due while off waits for its input, then fires late', () => {
    const model = site(LOW);
    const h = new House(model).see('tank_1', 'level', 1, at(0)).restart(model, at(0, 60_000));
    expect(h.tick(at(1000, 60_000)).log).toEqual([]);
    h.see('tank_1', 'level', 1, at(2000, 60_000));
    expect(h.alarm('low/tank_1')).toMatchObject({ firedLate: true });
  });

  it('or until the start grace is over', () => {
    const model = site(LOW);
    const h = new House(model).see('tank_1', 'level', 1, at(0)).restart(model, at(0, 60_000));
    expect(h.machine.due(h.state)).toBe(30_000);
    expect(h.tick(at(30_000, 60_000)).alarm('low/tank_1')).toMatchObject({ firedLate: true, quality: 'uncertain' });
  });

  it('does not fire when the input says otherwise', () => {
    const model = site(LOW);
    const h = new House(model)
      .see('tank_1', 'level', 1, at(0))
      .restart(model, at(0, 60_000))
      .see('tank_1', 'level', 2, at(1000, 60_000));
    expect(h.tick(at(60_000, 60_000)).log).toEqual([]);
  });

  it('an active alarm stands, without a second raise, and clears', () => {
    const model = site(SMOKE);
    const h = new House(model)
      .see('smoke_1', 'alarm', true, at(0))
      .restart(model, at(0, 5000))
      .see('smoke_1', 'alarm', true, at(10, 5000));
    expect(h.log).toEqual(['raised smoke/smoke_1 @0']);
    expect(h.see('smoke_1', 'alarm', false, at(20, 5000)).log.at(-1)).toBe('cleared smoke/smoke_1 @20');
  });

  it('with the clock unsynchronised, time off is counted once it is known', () => {
    const model = site(LOW);
    const h = new House(model)
      .see('tank_1', 'level', 1, at(0))
      .restart(model, at(0, -20 * H, false))
      .see('tank_1', 'level', 1, at(100, -20 * H, false));
    h.tick(at(5_000, -20 * H, false));
    expect(h.log).toEqual([]);
    h.input({ kind: 'synced' }, at(6_000, 60_000)).tick(at(6_001, 60_000));
    expect(h.log).toEqual(['raised low/tank_1 @6000']);
  });

  it('a removed rule closes its alarm; a changed one is judged anew; a new text changes nothing', () => {
    const h = new House(site(SMOKE)).see('smoke_1', 'alarm', true, at(0));
    h.restart(site({ ...SMOKE, text: '另一句' }), at(10));
    expect(h.log.length).toBe(1);
    h.restart(site({ ...SMOKE, when: '!alarm' }), at(20)).see('smoke_1', 'alarm', true, at(30));
    expect(h.alarm('smoke/smoke_1')).toMatchObject({ condition: 'cleared', reason: 'rule-changed' });
    const g = new House(site(SMOKE)).see('smoke_1', 'alarm', true, at(0)).restart(site(LOW), at(10));
    expect(g.alarm('smoke/smoke_1')).toMatchObject({ condition: 'cleared', open: false, reason: 'rule-removed' });
  });

  it('at any point changes no transition (property)', () => {
    const model = site({ ...LOW, for: '3s', keep: '2s' }, SMOKE);
    const step = fc.record({
      ms: fc.integer({ min: 1, max: 4000 }),
      what: fc.constantFrom('low', 'high', 'smoke', 'clear', 'tick'),
      restart: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const run = (restarts: boolean): string[] => {
          const h = new House(model).see('tank_1', 'level', 2, at(0)).see('smoke_1', 'alarm', false, at(0));
          const values: Record<string, Value> = { level: 2, alarm: false };
          let now = 0;
          for (const s of steps) {
            // as the live timer does: whatever is due is judged at its time
            for (let due = h.machine.due(h.state); due !== undefined && due <= now + s.ms; due = h.machine.due(h.state))
              h.tick(at(due));
            now += s.ms;
            if (s.what === 'low' || s.what === 'high') values.level = s.what === 'low' ? 1 : 2;
            if (s.what === 'smoke' || s.what === 'clear') values.alarm = s.what === 'smoke';
            if (restarts && s.restart) h.restart(model, at(now));
            h.see('tank_1', 'level', values.level ?? 0, at(now))
              .see('smoke_1', 'alarm', values.alarm ?? false, at(now))
              .tick(at(now));
          }
          return h.log;
        };
        expect(run(true)).toEqual(run(false));
      }),
      { numRuns: 200 },
    );
  });
});

describe('a device without data', () => {
  it('is one alarm of its type, and clears when it answers', () => {
    const h = new House(site(LOW))
      .input({ kind: 'device', device: 'tank_1', online: true }, at(0))
      .input({ kind: 'device', device: 'tank_1', online: false }, at(1));
    h.input({ kind: 'device', device: 'tank_1', online: false }, at(2));
    expect(h.alarm('no_data/tank_1')).toMatchObject({ level: 'orange', name: '无数据' });
    h.restart(site(LOW), at(3)).input({ kind: 'device', device: 'tank_1', online: true }, at(4));
    expect(h.log).toEqual(['raised no_data/tank_1 @1', 'cleared no_data/tank_1 @4']);
  });
});

describe('problems', () => {
  const codes = (body: Record<string, unknown>): string[] =>
    compileRules(site(body)).problems.map(
      (p) => `${p.code} ${p.path.join('.')}${p.range === undefined ? '' : ` ${p.range.start}-${p.range.end}`}`,
    );
  it.each([
    ['typo', { ...LOW, wehn: 'x' }, ['rules.unknown_key wehn']],
    ['nobody of this name', { ...LOW, escalate: { '0s': 'duty' } }, ['rules.unknown_person escalate']],
    ['missing when', { rule: 'a', level: 'blue', text: 'x' }, ['rules.missing ']],
    ['missing point', { ...LOW, when: 'levle < 1' }, ['rules.unknown_name when 0-5']],
    ['missing device', { ...LOW, when: 'level < 1 && tank_9.level > 1' }, ['rules.unknown_name when 13-19']],
    ['missing field', { ...LOW, when: 'level < 1 && tank_1.x > 1' }, ['rules.unknown_name when 20-21']],
    ['not a condition', { ...LOW, when: 'level' }, ['rules.result_type when 0-5']],
    ['matches', { ...LOW, when: '"a".matches("b")' }, ['rules.banned when 0-16']],
    ['nested', { ...LOW, when: '[1].exists(x, [1].exists(y, y == x))' }, ['rules.banned when 14-35']],
    ['syntax', { ...LOW, when: 'level <' }, ['rules.expression when 7-7']],
    ['text', { ...LOW, text: 'x {levle} y' }, ['rules.unknown_name text 3-8']],
    ['open brace', { ...LOW, text: 'x {level' }, ['rules.bad_text text 2-8']],
    ['no act', { ...LOW, act: undefined }, ['rules.no_act level']],
    ['level', { ...LOW, level: 'purple' }, ['rules.bad_choice level']],
    ['duration', { ...LOW, for: '10' }, ['rules.bad_duration for']],
    ['unknown place', { ...LOW, each: { in: 'hose' } }, ['rules.unknown_ref each.in']],
    ['no match', { ...LOW, each: { type: 'lift' } }, ['rules.matches_nothing each']],
  ])('%s', (_, body, expected) => {
    const { act, ...rest } = body as Record<string, unknown>;
    expect(codes(act === undefined ? rest : body)).toEqual(expected);
  });

  it('a second rule of one id', () => {
    expect(compileRules(site(LOW, LOW)).problems.map((p) => p.code)).toEqual(['rules.duplicate']);
  });

  it('whatever stands in a document, there is a machine or a problem', () => {
    const text = fc.string({ unit: fc.constantFrom(...'level<1.5&&|!()[]{}"\'=+-*/?: abc,01'), maxLength: 60 });
    fc.assert(
      fc.property(
        fc.record({
          when: fc.oneof(text, fc.anything()),
          text,
          level: fc.oneof(text, fc.constant('blue')),
          each: fc.anything(),
        }),
        (body) => {
          const { machine, problems } = compileRules(site({ rule: 'a', ...body }));
          expect(machine !== undefined || problems.length > 0).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
