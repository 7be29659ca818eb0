/** `weinao simulate`: the example file, asked by an independent master (mbpoll) over a serial port, and read by the gateway. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { spawnWeinao, startDaemonProcess, untilStatus, weinao } from '../kit/daemon.ts';
import { freePort, tempFolder, tempSite, until } from '../kit/site.ts';

const EXAMPLE = readFileSync(join(import.meta.dirname, '../../config/simulation.example.yaml'), 'utf8');

describe('weinao simulate', () => {
  it('answers mbpoll on a serial port, and the gateway over TCP', { timeout: 90_000 }, async () => {
    const pty = join(tempFolder(), 'line');
    const values = 'holding: {10: 1234, 11: 65436}, coil: {0: 1}';
    const text = EXAMPLE.replace('tcp: 0 ', `tcp: 0\npty: ${pty} `).replace('input: {1:', `${values}, input: {1:`);
    const site = tempSite({ 'line.yaml': text.slice(0, text.indexOf('faults:')) });
    const simulated = spawnWeinao(['simulate', join(site.config, 'line.yaml')]);
    onTestFinished(() => void simulated.child.kill('SIGKILL'));
    await until('the line is there', () => simulated.said.out.includes('tcp: "'));
    const poll = (...args: string[]): string =>
      execFileSync('mbpoll', [
        '-m',
        'rtu',
        '-b',
        '9600',
        '-P',
        'none',
        '-a',
        '1',
        '-1',
        '-o',
        '1',
        ...args,
        pty,
      ]).toString();
    expect(poll('-t', '4', '-r', '11', '-c', '2')).toMatch(/\[11\]:\s+1234[\s\S]*\[12\]:\s+65436/);
    expect(poll('-t', '0', '-r', '1')).toMatch(/\[1\]:\s+1/);
    const port = /127\.0\.0\.1:(\d+)/.exec(simulated.said.out)?.[1] ?? '';
    site.write({
      'weinao.yaml': `site: {id: t1, name: 测试}
gateway: {id: gw1, data: DATA}
channels: {l: {tcp: "127.0.0.1:${port}"}}
devices:
  climate: {driver: modbus, channel: l, address: 1, profile: xy_md02, poll: 1s}
  elec: {driver: dlt645, channel: l, address: "000000193600", poll: 1s, points: {total: {di: "00010000"}}}
  water: {driver: cjt188, channel: l, address: "78330007061326", profile: water, poll: 1s}
  heat: {driver: mbus, channel: l, address: 3, poll: 1s, points: {energy: {field: energy}}}
`,
    });
    const daemon = startDaemonProcess(site);
    await untilStatus(
      daemon,
      'everybody answers',
      (s) => s.devices.length === 4 && s.devices.every((d) => d.online === true),
    );
    expect(await daemon.stop()).toBe(0);
    // Two lines of different settings on the one serial port: it is opened anew between their turns.
    site.write({
      'weinao.yaml': `site: {id: t1, name: 测试}
gateway: {id: gw1, data: DATA}
channels:
  sensors: {serial: ${pty}, baud: 9600}
  meters: {serial: ${pty}, baud: 2400, parity: even}
devices:
  climate: {driver: modbus, channel: sensors, address: 1, profile: xy_md02, poll: 500ms}
  elec: {driver: dlt645, channel: meters, address: "000000193600", poll: 1s, points: {total: {di: "00010000"}}}
`,
    });
    const again = startDaemonProcess(site);
    await untilStatus(
      again,
      'both are read again and again',
      (s) => s.devices.length === 2 && s.devices.every((d) => d.online === true && d.polls >= 4),
    );
    expect(await again.stop()).toBe(0);
    simulated.child.kill('SIGINT');
    expect((await simulated.ended).code).toBe(130);
  });

  it('is a fire panel that calls in', { timeout: 60_000 }, async () => {
    const port = await freePort();
    const site = tempSite({
      'weinao.yaml': `site: {id: t1, name: 测试}
gateway: {id: gw1, data: DATA}
channels: {fire_in: {listen: "127.0.0.1:${port}"}}
devices: {panel: {driver: gb26875, channel: fire_in, address: 3456, points: {fire: {state: fire}}}}
`,
      'rules/a.yaml': 'rule: panel_fire\nlevel: red\neach: {device: panel}\nwhen: fire\ntext: 火警\nact: 到场确认\n',
      'panel.yaml': `connect: "127.0.0.1:${port}"
devices: [{driver: gb26875, address: 3456, events: [{at: 500ms, component: "1.0.12", states: [fire]}]}]
`,
    });
    const daemon = startDaemonProcess(site);
    await untilStatus(daemon, 'the port is open', (s) => s.channels[0]?.state === 'open');
    const panel = spawnWeinao(['simulate', join(site.config, 'panel.yaml')]);
    onTestFinished(() => void panel.child.kill('SIGKILL'));
    await untilStatus(daemon, 'the fire is an alarm', (s) => s.alarms.red === 1);
    await until('the panel is acknowledged', () => panel.said.out.includes('<- 40 40'));
    expect(await daemon.stop()).toBe(0);
  });

  it('says what is wrong with a file', async () => {
    const site = tempSite({ 'bad.yaml': 'devices: [{driver: modbus, address: 999}, {driver: nobody}]\n' });
    const { code, err } = await weinao(['simulate', join(site.config, 'bad.yaml'), '--lang', 'en']);
    expect(code).toBe(2);
    expect(err).toContain('devices[0] address');
    expect(err).toContain('devices[1] driver: nobody');
  });
});
