/** An erasure that is killed at its n-th write or sync goes on by itself at the next start, ends with its event, and leaves nothing. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { callLocal } from '../../src/io/local-api.ts';
import { startConsumer } from '../kit/consumer.ts';
import { startDaemonProcess, untilStatus } from '../kit/daemon.ts';
import { tracing } from '../kit/disktrace.ts';
import { mosquitto } from '../kit/mosquitto.ts';
import { holding, startSlaves, tempFolder, tempSite, until } from '../kit/site.ts';

const NAME = '孙金丝雀';
const STEPS = process.env.WEINAO_NIGHT === undefined ? [1, 20, 60] : Array.from({ length: 60 }, (_, i) => 1 + 2 * i);

it('an erasure that is killed goes on at the next start', { timeout: 600_000 }, async () => {
  const slaves = await startSlaves('tcp', { '1 holding 0': 900 });
  const broker = await mosquitto();
  await broker.start();
  const site = tempSite({
    'weinao.yaml': `site: {id: t1, name: 测试小区}
gateway: {data: DATA, commit_window: 100ms}
channels: {plc: {modbus_tcp: "127.0.0.1:${slaves.port}"}}
devices:
  tank_1: {driver: modbus, channel: plc, address: 1, poll: 100ms, points: {level: {register: holding 0, as: uint16, unit: mm, class: none}}}
feeds: {street: {to: "mqtt://127.0.0.1:${broker.port}", view: everything}}
`,
    'rules/a.yaml':
      'form: report\nname: 居民上报\nfrom: [screen, api]\nfields:\n  - {id: text, label: 内容, text: 500, must: true}\n',
  });
  const platform = startConsumer({ url: `mqtt://127.0.0.1:${broker.port}` });
  const folder = tempFolder();
  const { env } = tracing(folder);
  const trigger = join(folder, 'kill');
  const shim = { LD_PRELOAD: env.LD_PRELOAD ?? '', DISKKILL: trigger };
  const note = join(site.data, 'erasing.json');
  let noted = 0;
  for (const step of STEPS) {
    const first = startDaemonProcess(site, shim);
    await untilStatus(first, 'ready', (s) => s.ready && s.feeds[0]?.state === 'connected');
    const fields = { text: `${NAME} 第${step}次` };
    const operation = { kind: 'form', form: 'report', fields, by: '值班员' };
    expect((await callLocal(first.socket, 'POST', '/v1/operate', operation)).status).toBe(200);
    await until('the platform has it', () =>
      platform.members.some((m) => JSON.stringify(m.data).includes(fields.text)),
    );
    expect(holding(site.data, NAME)).not.toEqual([]);
    writeFileSync(trigger, String(step));
    const ask = { person: NAME, by: '管理员', reason: `本人要求 ${step}` };
    await expect(callLocal(first.socket, 'POST', '/v1/erase', ask)).rejects.toThrow();
    expect((await first.ended).code).toBeNull();
    rmSync(trigger);
    if (existsSync(note)) noted++;

    const next = startDaemonProcess(site);
    await until('its event', () =>
      platform.members.some((m) => m.type === 'weinao.audit.erased.v1' && m.data.reason === ask.reason),
    );
    await until('nothing is left', () => !existsSync(note) && holding(site.data, NAME).length === 0);
    // Asked once more it finds nothing, and says so.
    const again = await callLocal(next.socket, 'POST', '/v1/erase', { ...ask, reason: '再次' });
    expect(again.json).toMatchObject({ events: 0, samples: 0, durable: true });
    expect(await next.stop()).toBe(0);
    expect(holding(site.data, NAME)).toEqual([]);
  }
  expect(noted).toBe(STEPS.length);
  const { chain, gaps, faults } = platform.summary();
  expect({ chain, gaps, faults }).toEqual({ chain: 'ok', gaps: 0, faults: [] });
});
