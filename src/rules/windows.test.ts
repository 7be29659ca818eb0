/** Windows, and points that rules make. */
import { describe, expect, it } from 'vitest';
import { device, door, H, Hand, M, site, tank } from '../../test/kit/hand.ts';
import type { Asset } from '../base/model.ts';
import { compileRules } from './index.ts';

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
