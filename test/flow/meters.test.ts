/** Meters of several protocols on one pair of wires, and a fire panel that calls in: device bytes in, readings and alarms of the running gateway out. */
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCjt188Simulator, waterData } from '../../drivers/cjt188/simulator.ts';
import { bcdOf, createDlt645Simulator } from '../../drivers/dlt645/simulator.ts';
import { createFireSimulator } from '../../drivers/gb26875/simulator.ts';
import { createMbusSimulator, energyRecord } from '../../drivers/mbus/simulator.ts';
import { createModbusSimulator } from '../../drivers/modbus/simulator.ts';
import { followLocal } from '../../src/io/local-api.ts';
import type { Simulator } from '../../src/kit/simulator.ts';
import { startDaemonProcess, untilStatus, weinao } from '../kit/daemon.ts';
import { freePort, serveSimulator, tempSite, until } from '../kit/site.ts';

/** Everybody hears everything, as on a bus. */
const bus = (...all: readonly Simulator[]): Simulator => ({ receive: (bytes) => all.flatMap((s) => s.receive(bytes)) });

const site = (line: number, fire: number): Readonly<Record<string, string>> => ({
  'weinao.yaml': `site: {id: t1, name: 测试小区}
gateway: {id: gw1, data: DATA, commit_window: 100ms}
channels:
  riser: {tcp: "127.0.0.1:${line}", baud: 2400, parity: even}
  fire_in: {listen: "127.0.0.1:${fire}"}
devices:
  elec: {driver: dlt645, channel: riser, address: "000000193600", profile: single_phase_2007, poll: 1s}
  water: {driver: cjt188, channel: riser, address: "78330007061326", profile: water, poll: 1s}
  heat: {driver: mbus, channel: riser, number: "03575845", poll: 1s, points: {energy: {field: energy}}}
  level: {driver: modbus, channel: riser, address: 9, poll: 1s, points: {level: {register: holding 0, as: uint16}}}
  panel:
    {driver: gb26875, channel: fire_in, address: 3456, poll: 5m,
     points: {fire: {state: fire, class: none}}}
`,
  'rules/a.yaml':
    'rule: panel_fire\nlevel: red\neach: {device: panel}\nwhen: fire\ntext: 消防主机火警\nact: 立即到场确认\n',
});

describe('a riser with meters of four protocols, and a fire panel', () => {
  it('is read, each in its own language, and the fire is an alarm', { timeout: 90_000 }, async () => {
    const items: Readonly<Record<string, Uint8Array>> = {
      '00010000': bcdOf(1_234_567, 4),
      '02010100': bcdOf(2205, 2),
      '04000503': Uint8Array.of(0x10, 0),
    };
    const line = await serveSimulator(
      bus(
        createDlt645Simulator(new Map([['000000193600', { read: (di) => items[di] }]])),
        createCjt188Simulator(
          new Map([['78330007061326', { read: () => waterData(6800, [4, 0]), hears: 'high-first' }]]),
        ),
        createMbusSimulator([{ address: 1, number: '03575845', telegrams: () => [energyRecord(1389)] }]),
        createModbusSimulator('rtu', new Map([[9, { read: () => 77 }]])),
      ),
    );
    const fire = await freePort();
    const daemon = startDaemonProcess(tempSite(site(line, fire)));
    await untilStatus(daemon, 'all meters answer', (s) =>
      ['elec', 'water', 'heat', 'level'].every((id) => s.devices.some((d) => d.id === id && d.online === true)),
    );
    const seen = new Map<string, unknown>();
    const qualities = new Map<string, unknown>();
    const alarms: string[] = [];
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    void followLocal(
      daemon.socket,
      '/v1/watch',
      (line) => {
        const said = line as { device?: string; point?: string; value?: unknown; quality?: string };
        if (said.point !== undefined) {
          seen.set(`${said.device}.${said.point}`, said.value);
          qualities.set(`${said.device}.${said.point}`, said.quality);
        } else alarms.push(JSON.stringify(line));
      },
      stop.signal,
    ).catch(() => {});
    const expected = {
      'elec.total': 12345.67,
      'elec.voltage': 220.5,
      'elec.relay_open': true,
      'water.total': 68,
      'water.battery_low': true,
      'water.valve': 'open',
      'heat.energy': 1389,
      'level.level': 77,
    };
    await until('every point was seen', () => Object.keys(expected).every((point) => seen.has(point)));
    expect(Object.fromEntries(seen)).toMatchObject(expected);
    // The profile was never seen on a real device: its values are doubted until somebody has looked at the display.
    expect([qualities.get('elec.voltage'), qualities.get('level.level')]).toEqual(['uncertain', 'good']);
    const env = { WEINAO_SOCKET: daemon.socket };
    const probed = await weinao(['probe', 'elec.voltage', '--expect', '220.6', '--lang', 'en'], '', env);
    expect(probed.out).toContain('confirmed');
    await until('the point is trusted', () => qualities.get('elec.voltage') === 'good');
    expect(qualities.get('elec.total')).toBe('uncertain');
    const panel = createFireSimulator(3456);
    const socket = connect(fire, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const acks: Buffer[] = [];
    socket.on('data', (bytes) => acks.push(bytes));
    socket.write(panel.component([1, 0, 12], ['fire']));
    await until('the fire is an alarm', async () => (await daemon.status()).alarms.red === 1);
    await until('the panel is acknowledged', () => Buffer.concat(acks).length === 30);
    expect(seen.get('panel.fire')).toBe(true);
    expect(alarms.some((a) => a.includes('panel_fire'))).toBe(true);
    socket.write(panel.component([1, 0, 12], ['normal']));
    await until('the fire is over', () => seen.get('panel.fire') === false);
    const plans = JSON.parse((await weinao(['plan', '--json'], '', env)).out);
    const { devices, unplanned, load } = plans.channels[0];
    expect(devices.map((d: { id: string }) => d.id)).toEqual(['elec', 'water', 'heat', 'level']);
    expect(unplanned).toEqual([]);
    // 2400 baud, six identifiers of the electricity meter alone, once a second: more than the line can carry.
    expect(load).toBeGreaterThan(1);
    const { out, code } = await weinao(['scan', 'riser', '--ids', '9-9', '--lang', 'en'], '', env);
    expect(code).toBe(0);
    expect(out).toContain('modbus 9: configured as level');
    expect(out).toContain('dlt645 000000193600: configured as elec');
    const polls = async (): Promise<number> =>
      (await daemon.status()).devices.find((d) => d.id === 'level')?.polls ?? 0;
    const before = await polls();
    await until('the line is polled again', async () => (await polls()) > before);
    expect(await daemon.stop()).toBe(0);

    // The same line before anybody configured it, without a gateway: found, and written into the file.
    const fresh = tempSite({
      'weinao.yaml': `site: {id: t1, name: 测试小区}\nchannels: {riser: {tcp: "127.0.0.1:${line}", baud: 2400, parity: even}}\n`,
    });
    const alone = ['scan', 'riser', '--ids', '9-9', '--add', '--lang', 'en', '--config', fresh.config];
    const added = await weinao(alone, '', { WEINAO_SOCKET: '/nowhere' });
    expect(added.out, added.err).toContain('added: modbus_9 dlt645_000000193600 cjt188_78330007061326');
    expect((await weinao(['check', '--config', fresh.config])).code).toBe(0);
  });
});
