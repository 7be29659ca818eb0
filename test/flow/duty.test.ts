/** The duty room and the rule writer, as processes beside a running gateway: alarms, maintenance, forms, explain, replay. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createModbusSimulator, type SimulatedUnit } from '../../drivers/modbus/simulator.ts';
import { listenSocket } from '../../src/io/socket.ts';
import { startDaemonProcess, untilStatus, weinao } from '../kit/daemon.ts';
import { tempSite, until } from '../kit/site.ts';

async function estate() {
  const values = { level: 900, siren: 0, writes: [] as number[] };
  const units = new Map<number, SimulatedUnit>([
    [1, { read: (table, address) => (table === 'holding' && address === 0 ? values.level : undefined) }],
    [
      2,
      {
        read: () => values.siren,
        write: (_, __, value) => {
          values.siren = value;
          values.writes.push(value);
          return true;
        },
      },
    ],
  ]);
  const slave = await listenSocket('127.0.0.1', 0, (port) => {
    const far = createModbusSimulator('tcp', units);
    port.onData((bytes) => {
      for (const reply of far.receive(bytes)) void port.write(reply.bytes).catch(() => {});
    });
  });
  const site = tempSite({
    'weinao.yaml': `site: {id: t1, name: 测试小区}
gateway: {id: gw1, data: DATA, commit_window: 200ms}
people: {duty: {screen: true}, street: {screen: true}}
places: {house: {name: 水泵房}, b1: {name: 1栋}}
channels: {plc: {modbus_tcp: "127.0.0.1:${slave.port}"}}
devices:
  tank_1: {driver: modbus, channel: plc, address: 1, poll: 100ms, zone: house, name: 水池, points: {level: {register: holding 0, as: uint16, unit: mm, class: none}}}
  siren_1: {driver: modbus, channel: plc, address: 2, poll: 100ms, type: siren, points: {on: {register: coil 0, as: bool}}}
`,
    'rules/a.yaml': `rule: low
name: 水位低
level: red
each: {device: tank_1}
with: {least: {min: level, over: 5s, need: 0}}
when: level < 100
text: "水位 {level}，最低 {least}"
act: 补水
latch: true
do: [{screen: duty}, {write: {siren_1.on: true}, stop_after: 10m}]
undo: [{write: {siren_1.on: false}}]
escalate: {0s: duty, 2s: street}
tests: [{poll: 1s, feed: {level: [0s 900, 10s 50, 20s 900]}, expect: [{raise: 10s, level: red}, {write: 10s, to: siren_1.on, is: true}, {clear: 20s}]}]
---
form: health
confirm: 2
fields: [{id: unit, label: 楼栋, place: true, must: true}, {id: count, label: 人数, number: [1, 99], must: true}]
---
rule: cluster
level: orange
act: 上报
each: {zone: b1}
with: {n: {sum: health.count, over: 48h}}
when: n >= 5
text: "{n} 人"
`,
  });
  return { site, values, slave };
}

describe('the duty room', () => {
  it('sees an alarm, explains, acknowledges, shelves and resets it; the siren follows', {
    timeout: 90_000,
  }, async () => {
    const { site, values, slave } = await estate();
    const daemon = startDaemonProcess(site);
    const env = { WEINAO_SOCKET: daemon.socket };
    const run = (...args: string[]) => weinao([...args, '--config', site.config, '--lang', 'zh'], '', env);
    await untilStatus(daemon, 'ready', (s) => s.ready && s.devices.every((d) => d.online === true));
    expect((await run('alarms', 'list')).out).toBe('没有未关闭的报警\n');

    // A rule set with an error never replaces a good one.
    const good = readFileSync(join(site.config, 'rules/a.yaml'), 'utf8');
    site.write({ 'rules/a.yaml': good.replace('level < 100', 'levle < 100') });
    expect(await run('reload')).toMatchObject({ code: 4, err: expect.stringContaining('rules/a.yaml:6:7') });
    site.write({ 'rules/a.yaml': good });

    values.level = 50;
    await untilStatus(daemon, 'the alarm', (s) => s.alarms.red === 1);
    await until('the siren is on', () => values.siren === 1);
    const list = await run('alarms', 'list');
    expect(list.out).toMatch(/[0-9A-Z]{6}\s+红\s+报警中\s+未确认\s+.*水位低\s+水位 50，最低 50/);
    const aid = (list.out.split('\n')[1] ?? '').slice(0, 6);
    const shown = await run('alarms', 'show', aid);
    expect(shown.out).toMatch(/处置\s+补水/);

    const why = await run('rules', 'explain', aid);
    expect(why.code, why.err).toBe(0);
    expect(why.out).toMatch(/tank_1\.level\s+50\s+good/);
    expect(why.out).toMatch(/least = min level\s+50/);

    await until('the street office was told', async () => {
      const one = JSON.parse((await run('alarms', 'show', aid, '--json')).out) as { alarm: { told: string[] } };
      return one.alarm.told.includes('street');
    });
    const ack = await run('alarms', 'ack', aid, '--by', '张三');
    expect(ack.out).toBe('水位低: 报警中，已确认\n');
    const again = await run('alarms', 'ack', aid, '--by', '李四');
    expect(again).toMatchObject({ code: 8, err: expect.stringContaining('张三') });
    const early = await run('alarms', 'reset', aid);
    expect(early).toMatchObject({ code: 8, err: expect.stringContaining('仍在报警') });
    expect((await run('alarms', 'shelve', aid, '1h', '换', '浮球', '--by', '张三')).out).toContain('已搁置');
    expect((await run('alarms', 'unshelve', aid)).code).toBe(0);

    values.level = 900;
    await until('the siren is off', () => values.siren === 0);
    const reset = await run('alarms', 'reset', aid, '--by', '张三');
    expect(reset.code, reset.err).toBe(0);
    expect((await run('alarms', 'list')).out).toBe('没有未关闭的报警\n');
    const unknown = await run('alarms', 'ack', aid);
    expect(unknown).toMatchObject({ code: 8, err: expect.stringContaining('没有未关闭的报警') });

    // A person switches the siren by hand; nothing but outputs of rules can be written.
    expect(await run('write', 'siren_1.on', 'true', '--by', '王队')).toMatchObject({
      code: 0,
      out: '已写入，读回 true\n',
    });
    expect(values.siren).toBe(1);
    expect(await run('write', 'tank_1.level', '5')).toMatchObject({
      code: 8,
      err: expect.stringContaining('siren_1.on'),
    });
    expect(await run('write', 'siren_1.on', '5')).toMatchObject({ code: 2 });

    const history = await run('alarms', 'history', '--rule', 'low');
    const words = history.out
      .trim()
      .split('\n')
      .map((line) => line.split(/\s{2,}/)[3]);
    expect(words).toEqual(['关闭', '恢复', '搁置', '搁置', '确认', '升级', '升级', '报警']);

    const replay = JSON.parse((await run('rules', 'replay', '--from', '1h', '--json')).out);
    expect(replay.both.map((r: { key: string }) => r.key)).toEqual(['low/tank_1']);
    expect([replay.only_now, replay.only_then]).toEqual([[], []]);
    const dreamt = readFileSync(join(site.config, 'rules/a.yaml'), 'utf8').replace('level < 100', 'level > 5000');
    site.write({ 'rules/a.yaml': dreamt });
    const other = JSON.parse((await run('rules', 'replay', '--from', '1h', '--json')).out);
    expect([other.both, other.only_now]).toEqual([[], []]);
    expect(other.only_then.map((r: { key: string }) => r.key)).toEqual(['low/tank_1']);
    await daemon.stop();
    await slave.close();
  });

  it('keeps maintenance and forms over a restart, and refuses what is wrong', { timeout: 90_000 }, async () => {
    const { site, values, slave } = await estate();
    const first = startDaemonProcess(site);
    const run = (...args: string[]) =>
      weinao([...args, '--config', site.config, '--lang', 'zh'], '', { WEINAO_SOCKET: first.socket });
    await untilStatus(first, 'ready', (s) => s.ready && s.devices.every((d) => d.online === true));
    expect((await run('maint', 'on', 'house', '2h', '清洗', '--by', '李工')).code).toBe(0);
    expect(await run('maint', 'on', 'nowhere', '2h', 'x')).toMatchObject({
      code: 8,
      err: expect.stringContaining('nowhere'),
    });
    expect(await run('maint', 'on', 'house', '3d', 'x')).toMatchObject({ code: 8 });
    expect(await run('form', 'submit', 'health', 'unit=b1', 'count=abc')).toMatchObject({
      code: 8,
      err: expect.stringContaining('1 .. 99'),
    });
    expect(await run('form', 'submit', 'health', 'unit')).toMatchObject({ code: 2 });
    const entered = await run('form', 'submit', 'health', 'unit=b1', 'count=6', '--by', '王医生');
    const id = entered.out.trim().split(' ')[1] ?? '';
    await first.kill();

    const second = startDaemonProcess(site);
    await untilStatus(second, 'ready', (s) => s.ready && s.devices.every((d) => d.online === true));
    expect((await run('maint', 'list')).out).toMatch(/house\s+.*李工\s+清洗/);
    values.level = 50;
    await untilStatus(second, 'the alarm', (s) => s.alarms.red === 1);
    const { alarms } = JSON.parse((await run('alarms', 'list', '--json')).out) as { alarms: { mute: string }[] };
    expect(alarms[0]?.mute).toBe('maintenance');
    expect(values.writes).toEqual([]);
    expect(await run('form', 'confirm', id, '--by', '王医生')).toMatchObject({ code: 8 });
    expect((await run('form', 'confirm', id, '--by', '李护士')).code).toBe(0);
    await untilStatus(second, 'the cluster', (s) => s.alarms.active === 2);
    expect((await run('maint', 'off', 'house')).code).toBe(0);
    await second.stop();
    await slave.close();
  });

  it('checks and tests rules, showing the place', async () => {
    const { site, slave } = await estate();
    await slave.close();
    const run = (...args: string[]) => weinao([...args, '--config', site.config, '--lang', 'zh']);
    expect(await run('rules', 'test')).toMatchObject({ code: 0, out: expect.stringContaining('通过 1，失败 0') });
    expect(await run('rules', 'check')).toMatchObject({ code: 0, out: expect.stringContaining('规则正确：3 个文档') });
    const text = readFileSync(join(site.config, 'rules/a.yaml'), 'utf8');
    site.write({ 'rules/a.yaml': text.replace('raise: 10s', 'raise: 15s') });
    const failed = await run('rules', 'test');
    expect(failed).toMatchObject({ code: 7, out: expect.stringContaining('应为 raise 15s red，实际 raise 10s red') });
    site.write({ 'rules/a.yaml': text.replace('when: level < 100', 'when: level ＜ 100') });
    const bad = await run('rules', 'check');
    expect(bad.code).toBe(4);
    expect(bad.out).toContain('全角');
    expect(bad.out).toMatch(/ {4}when: level ＜ 100\n {4} +\^\n/);
  });
});
