/** The golden vectors of the rule language, its patterns and its gates. */
import { describe, expect, it } from 'vitest';
import { device, door, ELDER, H, Hand, M, S, SMOKE, siren, site, smoke, tank } from '../../test/kit/hand.ts';
import { compileRules } from './index.ts';

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

  it('unless: what is not read yet after a restart wakes nobody', () => {
    const yaml = `rule: a
level: yellow
each: {type: home_door}
when: open
unless: siren.on
do: [{screen: duty}]
`;
    const h = new Hand(site(yaml, [door, siren])).see('siren.on', true).see('door.open', true).to(M).restart(M);
    h.see('door.open', true).to(S).see('siren.on', true).to(M);
    expect(h.gateway.alarm('a/door')).toMatchObject({ mute: 'suppressed' });
    expect(h.acts).toEqual([]);
  });

  it('held: the level may grow with time alone', () => {
    const yaml = `rule: a
level: 'held >= 600 ? "red" : "yellow"'
each: {type: home_door}
when: open
`;
    const h = new Hand(site(yaml, [door])).see('door.open', true).to(599 * S);
    expect(h.gateway.alarm('a/door')?.level).toBe('yellow');
    h.to(600 * S);
    expect(h.gateway.alarm('a/door')).toMatchObject({ level: 'red', rev: 2 });
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
