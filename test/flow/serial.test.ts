/** A serial line (a pseudo-terminal pair) with slaves of another making behind it: read, unplugged, plugged in again, noisy, shared. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { followLocal } from '../../src/io/local-api.ts';
import { startDaemonProcess, untilStatus, weinao } from '../kit/daemon.ts';
import { buildPeer, peerValue, startPeer } from '../kit/peer.ts';
import { freePorts, tempFolder, tempSite, until } from '../kit/site.ts';

/** Two ends of a wire: `near` for the gateway, `far` for the slave. */
async function wire(folder: string): Promise<{ near: string; far: string; unplug(): Promise<void> }> {
  const near = join(folder, 'near');
  const far = join(folder, 'far');
  const child: ChildProcess = spawn(
    'socat',
    ['-d', '-d', `pty,raw,echo=0,link=${near}`, `pty,raw,echo=0,link=${far}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const unplug = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(unplug);
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  await until('socat is ready', () => said.includes('starting data transfer loop'));
  return { near, far, unplug };
}

interface Seen {
  readonly device: string;
  readonly point: string;
  readonly value: number;
  readonly quality: string;
  readonly at: string;
}

/** Every reading as the daemon shows it, until the test ends. */
function readingsOf(socket: string): Seen[] {
  const seen: Seen[] = [];
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  void followLocal(socket, '/v1/watch?alarms=0', (line) => void seen.push(line as Seen), stop.signal).catch(() => {});
  return seen;
}

/** Wrong = good, and not what the register said in that second or the one before. */
const wrong = (seen: readonly Seen[], slave: number): Seen[] =>
  seen.filter(({ quality, point, value, at }) => {
    if (quality !== 'good' || value === undefined) return false;
    const second = Math.floor(Date.parse(at) / 1000);
    const register = Number(point.slice(1));
    return ![0, 1].some((ago) => peerValue(slave, register, second - ago) === value);
  });

const points = (count: number): string =>
  Array.from({ length: count }, (_, r) => `r${r}: {register: holding ${r}, as: uint16, class: none}`).join(', ');

describe('a serial line', () => {
  it('is read, survives being unplugged and noise, and gives no wrong value', { timeout: 90_000 }, async () => {
    const folder = tempFolder();
    const program = buildPeer(folder);
    const first = await wire(folder);
    const slave = await startPeer(program, ['rtu', first.far, 9600, 5, 10]);
    const site = tempSite({
      'weinao.yaml': `site: {id: t1, name: 测试小区}
gateway: {id: gw1, data: DATA}
channels: {rs485: {serial: ${first.near}, baud: 9600, parity: none, timeout: 300ms}}
devices:
  meter: {driver: modbus, channel: rs485, address: 5, poll: 100ms, points: {${points(10)}}}
  ghost: {driver: modbus, channel: rs485, address: 6, poll: 1s, points: {x: {register: holding 0, as: uint16, class: none}}}
`,
    });
    const daemon = startDaemonProcess(site);
    await untilStatus(daemon, 'the meter is read', (s) => s.devices.some((d) => d.id === 'meter' && d.online === true));
    const seen = readingsOf(daemon.socket);
    await until('values', () => seen.filter((s) => s.device === 'meter').length > 50);

    // Noise from the far end, in the middle of everything.
    const noise = createWriteStream(first.far);
    for (let i = 0; i < 20; i++) {
      noise.write(Uint8Array.from({ length: 7 }, (_, n) => (i * 37 + n * 91) % 256));
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    noise.end();
    const after = seen.length;
    await until('values after the noise', () => seen.slice(after).filter((s) => s.quality === 'good').length > 50);

    await first.unplug();
    await slave.stop();
    await untilStatus(daemon, 'offline', (s) => s.devices.some((d) => d.id === 'meter' && d.online === false));
    expect((await daemon.status()).health.ok).toBe(true);
    const busy = await weinao(['probe', 'meter.r0', '--config', site.config, '--lang', 'en'], '', {
      WEINAO_SOCKET: daemon.socket,
    });
    expect([3, 5]).toContain(busy.code);
    expect(busy.err).toContain('rs485');

    const second = await wire(folder);
    const again = await startPeer(program, ['rtu', second.far, 9600, 5, 10]);
    await untilStatus(
      daemon,
      'online again',
      (s) => s.devices.some((d) => d.id === 'meter' && d.online === true),
      60_000,
    );
    const { channels } = await daemon.status();
    expect(Number(channels[0]?.reopens)).toBeGreaterThan(0);
    expect(
      wrong(
        seen.filter((s) => s.device === 'meter'),
        5,
      ),
    ).toEqual([]);
    expect((await again.stop()).requests).toBeGreaterThan(0);
    expect(await daemon.stop()).toBe(0);
  });

  it('and ten slaves of another making over TCP give no wrong value either', { timeout: 60_000 }, async () => {
    const port = await freePorts(10);
    const slaves = await startPeer(buildPeer(tempFolder()), ['tcp', port, 10, 100]);
    const numbers = Array.from({ length: 10 }, (_, i) => i);
    const site = tempSite({
      'weinao.yaml': `site: {id: t1, name: 测试小区}
gateway: {id: gw1, data: DATA}
channels:
${numbers.map((i) => `  c${i}: {modbus_tcp: "127.0.0.1:${port + i}"}\n`).join('')}devices:
${numbers.map((i) => `  d${i}: {driver: modbus, channel: c${i}, address: 1, poll: 200ms, points: {${points(100)}}}\n`).join('')}`,
    });
    const daemon = startDaemonProcess(site);
    await untilStatus(daemon, 'all online', (s) => s.devices.every((d) => d.online === true));
    const seen = readingsOf(daemon.socket);
    await until('many values', () => seen.length > 20_000);
    for (const i of numbers) {
      const own = seen.filter((s) => s.device === `d${i}`);
      expect(own.length).toBeGreaterThan(500);
      expect(wrong(own, i + 1)).toEqual([]);
    }
    expect(await daemon.stop()).toBe(0);
    // A hundred registers that touch are one request.
    const { requests, registers } = await slaves.stop();
    expect(registers / requests).toBeGreaterThan(95);
  });
});
