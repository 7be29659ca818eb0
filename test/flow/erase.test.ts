/** A person is erased as an operator does it: the name is in no file, no answer and no message any more. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startConsumer } from '../kit/consumer.ts';
import { startDaemonProcess, untilStatus, weinao } from '../kit/daemon.ts';
import { mosquitto } from '../kit/mosquitto.ts';
import { holding, startSlaves, tempFolder, tempSite, until } from '../kit/site.ts';

const NAME = '赵金丝雀';

it('leaves no trace of a person, and says what it could not reach', { timeout: 120_000 }, async () => {
  const slaves = await startSlaves('tcp', { '1 holding 0': 50 });
  const broker = await mosquitto();
  await broker.start();
  const yaml = (person: string): string => `site: {id: t1, name: 测试小区}
gateway: {data: DATA, commit_window: 100ms}
people: {neighbour: {name: ${person}, screen: true}}
channels: {plc: {modbus_tcp: "127.0.0.1:${slaves.port}"}}
devices:
  tank_1: {driver: modbus, channel: plc, address: 1, poll: 100ms, points: {level: {register: holding 0, as: uint16, unit: mm, class: none}}}
feeds: {street: {to: "mqtt://127.0.0.1:${broker.port}", view: everything}}
`;
  const site = tempSite({
    'weinao.yaml': yaml(NAME),
    'rules/a.yaml': `rule: low
level: red
each: {device: tank_1}
when: level < 100
text: "水位 {level}"
act: 补水
---
form: report
name: 居民上报
from: [screen, api]
fields:
  - {id: text, label: 内容, text: 500, must: true}
`,
  });
  const run = (...args: string[]) =>
    weinao([...args, '--config', site.config, '--lang', 'zh'], '', { WEINAO_SOCKET: join(site.data, 'weinao.sock') });
  const platform = startConsumer({ url: `mqtt://127.0.0.1:${broker.port}` });
  const daemon = startDaemonProcess(site);
  await untilStatus(daemon, 'the alarm', (s) => s.ready && s.alarms.red === 1 && s.feeds[0]?.state === 'connected');
  expect((await run('form', 'submit', 'report', `text=${NAME} 摔倒了`, '--by', NAME)).code).toBe(0);
  const { alarms } = JSON.parse((await run('alarms', 'list', '--json')).out) as {
    alarms: { aid: string; level: string }[];
  };
  const red = alarms.find((a) => a.level === 'red');
  expect((await run('alarms', 'ack', red?.aid ?? '', '--by', NAME)).code).toBe(0);
  await until('the platform has it', () => platform.members.some((m) => m.type.startsWith('weinao.report')));
  expect(holding(site.data, NAME).length).toBeGreaterThan(0);

  expect(await run('erase', '--person', NAME, '--reason', '本人要求')).toMatchObject({ code: 8 });
  expect(await run('erase', '--reason', '本人要求')).toMatchObject({ code: 2 });
  const first = await run('erase', '--person', NAME, '--reason', '本人要求', '--by', '管理员', '--yes');
  expect(first.code, first.err).toBe(0);
  // The configuration still names the person: it is said, and nothing is changed there.
  expect(first.err).toContain('weinao.yaml');
  site.write({ 'weinao.yaml': yaml('邻居') });
  expect((await run('reload')).code).toBe(0);
  const second = await run('erase', '--person', NAME, '--reason', '本人要求', '--by', '管理员', '--yes');
  expect(second.err).toBe('');
  expect(holding(site.data, NAME)).toEqual([]);

  const sent = platform.members.length;
  slaves.cells.set('1 holding 0', 900);
  await untilStatus(daemon, 'the end of the alarm', (s) => s.alarms.red === 0);
  await until('the platform is told', () => platform.members.some((m) => m.type === 'weinao.feed.erased.v1'));
  await until('and of what happens after', () =>
    platform.members.slice(sent).some((m) => m.type === 'weinao.alarm.cleared.v1'),
  );
  expect(JSON.stringify(platform.members.slice(sent))).not.toContain(NAME);
  const { chain, gaps } = platform.summary();
  expect({ chain, gaps }).toEqual({ chain: 'ok', gaps: 0 });

  const copy = join(tempFolder(), 'weinao.backup');
  expect((await run('backup', copy)).code).toBe(0);
  expect(readFileSync(copy).includes(Buffer.from(NAME))).toBe(false);
  for (const verb of [
    ['export', '--what', 'events', '--format', 'ndjson', '--from', '1h', '--personal'],
    ['export', '--from', '1h', '--personal'],
    ['report'],
    ['alarms', 'history'],
    ['alarms', 'list', '--json'],
  ]) {
    const { code, out, err } = await run(...verb);
    expect(code, err).toBe(0);
    expect(out + err, verb.join(' ')).not.toContain(NAME);
  }
  expect(await daemon.stop()).toBe(0);
  expect(daemon.said.out + daemon.said.err).not.toContain(NAME);
  expect(holding(site.data, NAME)).toEqual([]);
  const again = startDaemonProcess(site);
  await untilStatus(again, 'ready again', (s) => s.ready);
  expect(await again.stop()).toBe(0);
  expect(holding(site.data, NAME)).toEqual([]);
});
