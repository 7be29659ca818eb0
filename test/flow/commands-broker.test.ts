/** Platforms' commands as processes: a real broker, MQTT 5 and 3.1.1, the duty room's command line, and a gateway that is killed in the middle. */
import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createModbusSimulator, type SimulatedUnit } from '../../drivers/modbus/simulator.ts';
import { canonical, type JsonObject } from '../../src/base/json.ts';
import { listenSocket } from '../../src/io/socket.ts';
import { type Consumer, startConsumer } from '../kit/consumer.ts';
import { startDaemonProcess, untilStatus, weinao } from '../kit/daemon.ts';
import { type Mosquitto, mosquitto } from '../kit/mosquitto.ts';
import { tempSite, until } from '../kit/site.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');

/** A lamp and a gate; a write may be kept without an answer. */
async function estate(broker: Mosquitto) {
  const values = { dim: 0, open: 0, writes: [] as string[], isMute: false };
  const unit = (name: 'dim' | 'open'): SimulatedUnit => ({
    read: (_, address) => (address === 0 ? values[name] : undefined),
    write: (_, __, value) => {
      values[name] = value;
      values.writes.push(`${name} ${value}`);
      return true;
    },
  });
  const units = new Map([
    [1, unit('dim')],
    [2, unit('open')],
  ]);
  const slave = await listenSocket('127.0.0.1', 0, (port) => {
    const far = createModbusSimulator('tcp', units);
    port.onData((bytes) => {
      const before = values.writes.length;
      const replies = far.receive(bytes);
      if (values.isMute && values.writes.length > before) return;
      for (const reply of replies) void port.write(reply.bytes).catch(() => {});
    });
  });
  const grants = `commands: [{allow: write, to: {type: lamp}, point: dim, range: [0, 100]}, {allow: write, to: {type: gate}, point: open, signed: true, confirm: duty}], signers: {nanshan: {file: nanshan.pub}}`;
  const site = tempSite({
    'weinao.yaml': `site: {id: t1, name: 测试小区}
gateway: {id: gw1, data: DATA, commit_window: 200ms}
people: {duty: {screen: true}}
channels: {plc: {modbus_tcp: "127.0.0.1:${slave.port}"}}
devices:
  lamp_1: {driver: modbus, channel: plc, address: 1, poll: 100ms, type: lamp, points: {dim: {register: holding 0, as: uint16, unit: "%"}}}
  gate_1: {driver: modbus, channel: plc, address: 2, poll: 100ms, type: gate, points: {open: {register: coil 0, as: bool}}}
feeds:
  five: {to: "mqtt://127.0.0.1:${broker.port}", view: everything, ${grants}}
  three: {to: "mqtt://127.0.0.1:${broker.port}", mqtt: 3, view: everything, ${grants}}
`,
    'secrets/nanshan.pub': publicKey.export({ type: 'spki', format: 'pem' }) as string,
  });
  return { site, values, slave };
}

function envelope(id: string, subject: string, point: string, value: unknown, isSigned = false): string {
  const plain = {
    specversion: '1.0',
    id,
    source: 'urn:city',
    type: 'weinao.command.v1',
    subject,
    expirytime: new Date(Date.now() + 60_000).toISOString(),
    data: { do: 'write', point, value, by: '张三' },
    ...(isSigned ? { kid: 'nanshan', wntarget: 'urn:weinao:t1:gw1' } : {}),
  } as unknown as JsonObject;
  const signature = sign(null, Buffer.from(canonical(plain)), privateKey).toString('base64');
  return JSON.stringify(isSigned ? { ...plain, signature } : plain);
}

const told = (platform: Consumer, feed: string, id: string): string[] =>
  platform.members
    .filter((m) => m.type === 'weinao.command.result.v1' && m.topic.includes(`/${feed}/`) && m.data.id === id)
    .map((m) => [m.data.outcome, m.data.reason].filter((x) => x !== undefined).join(' '));

function publish(broker: Mosquitto, version: '5' | '311', feed: string, message: string, ...more: string[]): void {
  const topic = `wn/1/${feed}/t1/dn/cmd`;
  const args = ['-V', version, '-h', '127.0.0.1', '-p', String(broker.port), '-q', '1', '-t', topic, '-m', message];
  const done = spawnSync('mosquitto_pub', [...args, ...more], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(done.stderr);
}

describe('commands over a real broker', () => {
  it('MQTT 5 with a response topic, 3.1.1 without, kept ones ignored, a gate with the duty room’s yes', {
    timeout: 90_000,
  }, async () => {
    const broker = await mosquitto();
    await broker.start();
    const { site, values } = await estate(broker);
    const platform = startConsumer({ url: `mqtt://127.0.0.1:${broker.port}` });
    const daemon = startDaemonProcess(site);
    const run = (...args: string[]) =>
      weinao([...args, '--config', site.config, '--lang', 'zh'], '', { WEINAO_SOCKET: daemon.socket });
    await untilStatus(daemon, 'two feeds', (s) => s.ready && s.feeds.every((f) => f.state === 'connected'));
    await untilStatus(daemon, 'devices', (s) => s.devices.every((d) => d.online === true));

    const asking = spawn('mosquitto_rr', [
      ...['-V', '5', '-h', '127.0.0.1', '-p', String(broker.port), '-q', '1', '-t', 'wn/1/five/t1/dn/cmd'],
      ...['-e', 'wn/1/five/t1/re/desk', '-D', 'publish', 'correlation-data', 'desk-7', '-F', '%D %p'],
      ...['-m', envelope('five-1', 'lamp_1', 'dim', 80), '-W', '20'],
    ]);
    let answer = '';
    asking.stdout.on('data', (bytes: Buffer) => {
      answer += bytes.toString();
    });
    await new Promise((resolve) => asking.once('close', resolve));
    expect(answer).toMatch(/^desk-7 \{"feed":"five","id":"five-1",.*"outcome":"accepted"/);
    await until('done', () => told(platform, 'five', 'five-1').includes('done'));
    expect(values.writes).toEqual(['dim 80']);

    publish(broker, '311', 'three', envelope('three-1', 'lamp_1', 'dim', 30));
    await until('done', () => told(platform, 'three', 'three-1').includes('done'));
    publish(broker, '5', 'five', envelope('kept-1', 'lamp_1', 'dim', 99), '-r');
    await until('refused', () => told(platform, 'five', 'kept-1').length + refusals(platform, 'retained') > 0);
    expect(values.writes).toEqual(['dim 80', 'dim 30']);

    publish(broker, '5', 'five', envelope('gate-command-1', 'gate_1', 'open', true, true));
    publish(broker, '5', 'five', envelope('gate-command-2', 'gate_1', 'open', true, true));
    await until('both wait', () =>
      ['1', '2'].every((n) => told(platform, 'five', `gate-command-${n}`).includes('confirming')),
    );
    const list = await run('commands');
    expect(list.out).toMatch(/gate-command-1\s+five\s+等待确认\s.*gate_1\.open = true\s+张三/);
    expect(await run('confirm', 'gate-command-2', '--by', '李四', '--deny')).toMatchObject({
      code: 0,
      out: 'gate_1.open = true: 拒绝 (值班室不同意)\n',
    });
    expect(await run('confirm', 'gate-command-1', '--by', '李四')).toMatchObject({
      code: 0,
      out: 'gate_1.open = true: 完成 (true)\n',
    });
    expect(await run('confirm', 'gate-command-1', '--by', '李四')).toMatchObject({
      code: 8,
      err: expect.stringContaining('没有等待确认'),
    });
    expect(values.writes).toEqual(['dim 80', 'dim 30', 'open 1']);
    const reading = JSON.parse((await run('commands', '--json')).out) as {
      pending: unknown[];
      recent: { id: string }[];
    };
    expect(reading).toMatchObject({ schema: 1, pending: [] });
    expect(reading.recent.map((c) => c.id)).toEqual(['gate-command-2', 'gate-command-1', 'three-1', 'five-1']);
    expect(platform.summary()).toMatchObject({ chain: 'ok', gaps: 0 });
    expect(await daemon.stop()).toBe(0);
  });

  it('killed between intent and result, it reads back, says ambiguous, and never does it again', {
    timeout: 90_000,
  }, async () => {
    const broker = await mosquitto();
    await broker.start();
    const { site, values } = await estate(broker);
    const platform = startConsumer({ url: `mqtt://127.0.0.1:${broker.port}` });
    let daemon = startDaemonProcess(site);
    await untilStatus(
      daemon,
      'ready',
      (s) => s.feeds.every((f) => f.state === 'connected') && s.devices.every((d) => d.online === true),
    );
    values.isMute = true;
    const message = envelope('five-1', 'lamp_1', 'dim', 80);
    publish(broker, '5', 'five', message);
    await until('the write is on the wire', () => values.writes.length === 1);
    await daemon.kill();
    values.isMute = false;
    daemon = startDaemonProcess(site);
    await until('the end', () => told(platform, 'five', 'five-1').length === 2);
    expect(told(platform, 'five', 'five-1')).toEqual(['accepted', 'failed ambiguous']);
    const end = platform.members.find((m) => m.data.reason === 'ambiguous');
    expect(end?.data).toMatchObject({ read_back: 80, device: 'lamp_1', point: 'dim' });
    publish(broker, '5', 'five', message);
    await until('its repeat is known', () => told(platform, 'five', 'five-1').includes('duplicate duplicate'));
    expect(values.writes).toEqual(['dim 80']);
    expect(platform.summary()).toMatchObject({ chain: 'ok', gaps: 0 });
    expect(await daemon.stop()).toBe(0);
  });
});

const refusals = (platform: Consumer, reason: string): number =>
  platform.members.filter((m) => m.type === 'weinao.command.result.v1' && m.data.reason === reason).length;
