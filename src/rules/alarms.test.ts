/** What becomes of alarms, and what is done because of them. */
import { describe, expect, it } from 'vitest';
import { device, door, H, Hand, M, machineOf, S, SMOKE, siren, site, smoke, T0 } from '../../test/kit/hand.ts';
import type { DeviceModel } from '../base/model.ts';
import type { Instant } from '../base/time.ts';
import { compileRules } from './index.ts';

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

  it('a picture taken because of an alarm stands in it, also over a restart; one for an alarm that is over goes nowhere', () => {
    const media = { kind: 'snapshot', camera: 'c', sha256: 'ab', bytes: 9 } as const;
    const h = new Hand(site(BLUE, [door])).see('door.open', true);
    const { aid = '', rev = 0 } = h.gateway.alarm('a/door') ?? {};
    h.gateway.input({ kind: 'acted', key: `${aid}/1.raised/0`, ok: true, media }, h.now());
    expect(h.log.at(-1)).toBe('updated a/door 0');
    expect(h.gateway.alarm('a/door')).toMatchObject({
      media: [media],
      rev: rev + 1,
      condition: 'active',
      ack: 'unacked',
    });
    h.restart(S).to(S).see('door.open', false);
    expect(h.gateway.alarm('a/door')).toMatchObject({ media: [media], condition: 'cleared' });
    const told = h.log.length;
    h.gateway.input({ kind: 'acted', key: 'somebody/1.raised/0', ok: true, media }, h.now());
    expect(h.log.length).toBe(told);
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
    // Once more for longer: the end that is told is the end that comes.
    h.ask({ kind: 'shelve', aid: 'a/door', by: '张三', reason: '搬家', forMs: 3 * H });
    expect(h.gateway.alarm('a/door')?.muteUntil).toBe(T0 + 3 * H);
    h.to(H)
      .restart(M)
      .to(H + 58 * M);
    expect(h.gateway.alarm('a/door')).toMatchObject({ mute: 'shelved' });
    h.to(2 * H);
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
    // What was not switched on is not switched off.
    h.see('smoke.alarm', false);
    expect(h.acts.filter((act) => act.startsWith('write'))).toEqual([]);
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

  it('a flood is counted on over a restart, and ends after it', () => {
    const doors = Array.from({ length: 12 }, (_, i) => device(`d${i}`, 'home_door', { open: 'bool' }));
    const h = new Hand(site(`${BLUE}do: [{screen: duty}]\n`, doors));
    for (let i = 0; i < 6; i++) h.to(i * S).see(`d${i}.open`, true);
    h.restart(M);
    for (let i = 6; i < 12; i++) h.see(`d${i}.open`, true);
    expect(h.acts.length).toBe(10);
    expect(h.gateway.alarm('flood/site')).toMatchObject({ condition: 'active' });
    expect(h.restart(M).gateway.alarm('flood/site')).toMatchObject({ condition: 'active' });
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

  it('write again after a minute what the device did not take', () => {
    const h = new Hand(site(yaml, [lamp, pir('here', 22.5401)])).see('here.motion', false);
    const [first] = h.gateway.acts;
    h.gateway.input({ kind: 'acted', key: first?.act.key ?? '', ok: false }, h.now());
    h.to(59 * S);
    expect(h.acts).toEqual(['write lamp.dim=0']);
    h.to(60 * S);
    expect(h.acts).toEqual(['write lamp.dim=0', 'write lamp.dim=0']);
    h.gateway.input({ kind: 'acted', key: h.gateway.acts[1]?.act.key ?? '', ok: true }, h.now());
    expect(h.to(H).acts.length).toBe(2);
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
    expect(ask({ kind: '漏水', text: 'a\u0000b' })).toMatchObject({ code: 'forms.wrong' });
    expect(ask({ kind: '漏水', text: 'a\ud800' })).toMatchObject({ code: 'forms.wrong' });
    expect(ask({ kind: '漏水', text: '一\r\n\t二 😀' })).toMatchObject({ ok: true });
    expect(ask(JSON.parse('{"kind": "漏水", "text": "x", "__proto__": {"text": "y"}}'))).toMatchObject({
      code: 'forms.unknown_field',
    });
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
