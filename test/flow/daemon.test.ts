/** The daemon as a user runs it: a process, its signals, its files, its command line; against a real broker and simulated slaves. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startConsumer } from '../kit/consumer.ts';
import { spawnWeinao, startDaemonProcess, untilStatus, weinao } from '../kit/daemon.ts';
import { mosquitto } from '../kit/mosquitto.ts';
import { startSlaves, tempFolder, tempSite, until } from '../kit/site.ts';

const rules = `rule: low
level: red
each: {device: tank_1}
when: level < 100
text: "水位 {level}"
act: 补水
`;

const yaml = (
  modbus: number,
  broker: number,
  more = '',
): string => `site: {id: t1, name: 测试小区, lat: 22.5, lon: 114.0}
gateway: {id: gw1, data: DATA, commit_window: 200ms}
channels:
  plc: {modbus_tcp: "127.0.0.1:${modbus}"}
devices:
  tank_1:
    {driver: modbus, channel: plc, address: 1, poll: 100ms, name: 水池,
     points: {level: {register: holding 0, as: uint16, unit: mm, class: none}}}
  pump_1:
    {driver: modbus, channel: plc, address: 2, poll: 200ms, points: {on: {register: coil 0, as: bool, class: none}}}
${more}feeds:
  street: {to: "mqtt://127.0.0.1:${broker}", view: everything}
`;

describe('a gateway of one estate', () => {
  it('polls, alarms, sends, survives its broker, and ends when told', { timeout: 60_000 }, async () => {
    const slaves = await startSlaves('tcp', { '1 holding 0': 900, '2 coil 0': 0 });
    const broker = await mosquitto();
    const site = tempSite({ 'weinao.yaml': yaml(slaves.port, broker.port), 'rules/a.yaml': rules });

    // The broker is absent at boot.
    const daemon = startDaemonProcess(site);
    await untilStatus(daemon, 'ready without a broker', (s) => s.ready && s.points_read > 5);
    slaves.cells.set('1 holding 0', 50);
    await untilStatus(daemon, 'red alarm', (s) => s.alarms.red === 1);
    expect((await daemon.status()).feeds[0]?.error).toBe('uplink.connect_failed');

    await broker.start();
    const platform = startConsumer({ url: `mqtt://127.0.0.1:${broker.port}` });
    await until('the alarm arrives', () => platform.types().includes('alarm.raised'));

    await broker.stop();
    slaves.cells.set('1 holding 0', 900);
    await untilStatus(daemon, 'alarm over', (s) => s.alarms.red === 0);
    await broker.start();
    await until('the end of the alarm arrives', () => platform.types().includes('alarm.cleared'));
    await untilStatus(daemon, 'nothing waits', (s) => s.feeds.every((f) => f.waiting.a === 0));

    expect(await daemon.stop()).toBe(0);
    await until('the farewell arrives', () => platform.capture.some((line) => line.includes('/up/state')));
    const { chain, gaps, alarms } = platform.summary();
    expect({ chain, gaps, alarms }).toEqual({ chain: 'ok', gaps: 0, alarms: { raised: 1, cleared: 1 } });

    // The capture proves the feed to whoever holds it; one member less disproves it.
    const members = platform.capture.filter((line) => line.includes('/up/t"'));
    const whole = await weinao(['feed', 'verify', '-', '--json'], platform.capture.join('\n'));
    expect(whole.code, whole.out + whole.err).toBe(0);
    const missing = platform.capture.filter((line) => line !== members[1]);
    const holed = await weinao(['feed', 'verify', '-', '--json'], missing.join('\n'));
    expect(holed.code).toBe(7);
    expect(JSON.parse(holed.out).gaps).toBe(1);
  });

  it('speaks to its technician: status, watch, wire, probe', { timeout: 60_000 }, async () => {
    const slaves = await startSlaves('tcp', { '1 holding 0': 1234, '1 holding 1': 0x4148, '2 coil 0': 1 });
    const site = tempSite({ 'weinao.yaml': yaml(slaves.port, 1), 'rules/a.yaml': rules });
    const daemon = startDaemonProcess(site);
    const env = { WEINAO_SOCKET: daemon.socket };
    await untilStatus(daemon, 'ready', (s) => s.ready && s.devices.every((d) => d.online === true));

    const status = await weinao(['status', '--config', site.config, '--lang', 'zh'], '', env);
    expect(status.code).toBe(0);
    expect(status.out).toContain('测试小区');
    expect(status.out).toMatch(/tank_1\s+水池\s+在线/);

    const watch = spawnWeinao(['watch', '--config', site.config, '--device', 'tank_1', '--json'], env);
    await until('a reading is seen', () => watch.said.out.includes('\n'));
    watch.child.kill('SIGINT');
    expect((await watch.ended).code).toBe(130);
    expect(JSON.parse(watch.said.out.split('\n')[0] ?? '')).toMatchObject({
      kind: 'reading',
      device: 'tank_1',
      point: 'level',
      value: 1234,
      unit: 'mm',
      quality: 'good',
    });

    const wire = spawnWeinao(['watch', '--config', site.config, '--wire', 'plc', '--lang', 'en'], env);
    await until('both directions are seen', () => /->/.test(wire.said.out) && /<-/.test(wire.said.out));
    wire.child.kill('SIGINT');
    await wire.ended;
    expect(wire.said.out).toMatch(/\d\d:\d\d:\d\d\.\d{3} {2}-> {2}([0-9a-f]{2} ?)+/i);
    const nowhere = await weinao(['watch', '--config', site.config, '--wire', 'plk', '--lang', 'en'], '', env);
    expect(nowhere).toMatchObject({ code: 2, err: expect.stringContaining('"plk"') });

    const point = await weinao(['probe', 'tank_1.level', '--config', site.config, '--lang', 'en'], '', env);
    expect(point).toMatchObject({ code: 0, out: expect.stringMatching(/^1234 mm {2}good\n/) });
    // The point's register as it is on the wire, and how else it could be read.
    expect(point.out).toMatch(/holding {2}PDU 0 {2}number 1 {2}40001\n/);
    expect(point.out).toMatch(/raw {2}04D2\n/);
    expect(point.out).toMatch(/uint16 .* 1234\n/);
    const wrong = await weinao(
      ['probe', 'tank_1.level', '--expect', '12.34', '--config', site.config, '--lang', 'en'],
      '',
      env,
    );
    expect(wrong.out).toContain('not what the display says (12.34)');
    expect(wrong.out).toContain('{register: holding 0, as: uint16, scale: 0.01}  # 12.34');
    const ask = ['probe', '--channel', 'plc', '--address', '1', 'holding', '0', '2', '--config', site.config];
    const register = await weinao([...ask, '--json'], '', env);
    expect(JSON.parse(register.out)).toMatchObject({ words: ['04D2', '4148'] });
    const refused = await weinao([...ask.slice(0, 5), 'holding', '77', '1', ...ask.slice(8)], '', env);
    expect(refused.code, refused.err).toBe(8);
    const silent = await weinao([...ask.slice(0, 3), '--address', '9', 'holding', '0', ...ask.slice(8)], '', env);
    expect(silent.code, silent.err).toBe(3);

    const live = JSON.parse((await weinao(['plan', '--config', site.config, '--json'], '', env)).out);
    expect(live).toMatchObject({ live: true, channels: [{ id: 'plc', load: expect.any(Number) }] });
    expect(live.channels[0].devices.map((d: { id: string }) => d.id)).toContain('tank_1');
    expect((await weinao(['plan', '--relearn', 'tank_1', '--config', site.config], '', env)).code).toBe(0);
    const nobody = await weinao(['plan', '--relearn', 'tank_x', '--config', site.config, '--lang', 'en'], '', env);
    expect(nobody).toMatchObject({ code: 2, err: expect.stringContaining('"tank_x"') });

    const nothing = await weinao([...ask, '--expect', '999', '--add', '--lang', 'en'], '', env);
    expect(nothing).toMatchObject({ code: 2, err: expect.stringContaining('nothing to add') });
    const guess = await weinao(
      [...ask.slice(0, 5), 'holding', '0', ...ask.slice(8), '--expect', '123.4', '--add', '--lang', 'en'],
      '',
      env,
    );
    expect(guess.out).toContain('{register: holding 0, as: uint16, scale: 0.1}  # 123.4');

    const second = await weinao(['run', '--config', site.config, '--lang', 'en'], '', env);
    expect(second).toMatchObject({ code: 5, err: expect.stringContaining('another daemon') });

    await daemon.stop();
    expect(await weinao(['status', '--config', site.config], '', env)).toMatchObject({ code: 6 });
    const offline = await weinao(['plan', '--config', site.config, '--lang', 'en'], '', env);
    expect(offline.out).toContain('not running, by the configuration');
    const alone = await weinao(['probe', 'tank_1.level', '--config', site.config], '', env);
    expect(alone, alone.err).toMatchObject({ code: 0, out: expect.stringContaining('1234') });
  });

  it('reloads all or nothing, and boots on what ran last', { timeout: 60_000 }, async () => {
    const slaves = await startSlaves('tcp', { '1 holding 0': 900, '2 coil 0': 1, '3 holding 0': 7 });
    const site = tempSite({ 'weinao.yaml': yaml(slaves.port, 1), 'rules/a.yaml': rules });
    const daemon = startDaemonProcess(site);
    const env = { WEINAO_SOCKET: daemon.socket };
    await untilStatus(daemon, 'ready', (s) => s.ready);
    await until('the configuration is kept', () => existsSync(join(site.data, 'config.last-good/weinao.yaml')));

    const third = `  tank_3: {driver: modbus, channel: plc, address: 3, poll: 100ms, points: {level: {register: holding 0, as: uint16, unit: mm, class: none}}}\n`;
    site.write({ 'weinao.yaml': yaml(slaves.port, 1, third) });
    const reloaded = await weinao(['reload', '--config', site.config, '--json'], '', env);
    expect(JSON.parse(reloaded.out)).toMatchObject({ ok: true, started: ['tank_3'], restarted: [], kept: 2 });

    site.write({ 'weinao.yaml': yaml(slaves.port, 1, third.replace('uint16', 'unit16')) });
    const bad = await weinao(['reload', '--config', site.config, '--lang', 'en'], '', env);
    expect(bad.code).toBe(4);
    expect(bad.err).toMatch(/weinao\.yaml:\d+:\d+.*unit16/);
    await untilStatus(daemon, 'the third tank is still polled', (s) => s.devices.some((d) => d.id === 'tank_3'));

    // By signal, as systemd does it.
    site.write({ 'weinao.yaml': yaml(slaves.port, 1) });
    daemon.child.kill('SIGHUP');
    await untilStatus(daemon, 'the third tank is gone', (s) => s.devices.length === 2);

    await daemon.stop();
    writeFileSync(join(site.config, 'weinao.yaml'), 'site: {id: [');
    // Nothing in the file can be read any more: the unit says where the data is.
    const again = startDaemonProcess(site, { STATE_DIRECTORY: site.data });
    await untilStatus(again, 'last good runs', (s) => s.ready && s.config.last_good);
    const status = await again.status();
    expect(status.config.problems[0]?.en).toMatch(/weinao\.yaml:1:/);
    expect(status.alarms.red).toBe(1);
    site.write({ 'weinao.yaml': yaml(slaves.port, 1) });
    again.child.kill('SIGHUP');
    await untilStatus(again, 'the technical alarm is over', (s) => !s.config.last_good && s.alarms.red === 0);
    await again.stop();
  });

  it('tells systemd when it is ready, that it lives, and that it stops', { timeout: 60_000 }, async () => {
    const slaves = await startSlaves('tcp', { '1 holding 0': 900, '2 coil 0': 1 });
    const site = tempSite({ 'weinao.yaml': yaml(slaves.port, 1), 'rules/a.yaml': rules });
    const folder = tempFolder();
    const told = join(folder, 'told');
    writeFileSync(join(folder, 'systemd-notify'), `#!/bin/sh\necho "$@" >> ${told}\n`, { mode: 0o755 });
    const daemon = startDaemonProcess(site, {
      NOTIFY_SOCKET: '/run/nowhere',
      WATCHDOG_USEC: '900000',
      PATH: `${folder}:${process.env.PATH}`,
    });
    const lines = (): string => (existsSync(told) ? readFileSync(told, 'utf8') : '');
    await until('ready and alive', () => lines().includes('READY=1') && lines().includes('WATCHDOG=1'));
    expect(lines()).toContain(`--pid=${daemon.child.pid}`);
    expect(await daemon.stop()).toBe(0);
    await until('stopping', () => lines().includes('STOPPING=1'));
  });

  it('a first start with bad files ends with 4 and says all of them', async () => {
    const site = tempSite({ 'weinao.yaml': 'site: {id: t1, name: x, latt: 3}\ngatway: {}\n' });
    const daemon = startDaemonProcess(site, { LANG: 'zh_CN.UTF-8' });
    const { code, err } = await daemon.ended;
    expect(code).toBe(4);
    expect(err).toContain('weinao.yaml:1:25');
    expect(err).toContain('weinao.yaml:2:1');
  });
});
