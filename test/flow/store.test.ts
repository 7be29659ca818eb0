/** What leaves the store as files: exports, backups, and the way back, beside a running gateway. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { csvLine } from '../../src/app/export.ts';
import { startDaemonProcess, untilStatus, weinao } from '../kit/daemon.ts';
import { startSlaves, tempFolder, tempSite } from '../kit/site.ts';

it('exports, backs up while it runs, and comes back from the copy', { timeout: 180_000 }, async () => {
  const slaves = await startSlaves('tcp', { '1 holding 0': 50, '1 holding 1': 7, '2 holding 0': 50 });
  const site = tempSite({
    'weinao.yaml': `site: {id: t1, name: 测试小区}
gateway: {data: DATA, commit_window: 100ms}
channels: {plc: {modbus_tcp: "127.0.0.1:${slaves.port}"}}
devices:
  tank_1: {driver: modbus, channel: plc, address: 1, poll: 100ms, points: {level: {register: holding 0, as: uint16, unit: mm, class: none}, bed: {register: holding 1, as: uint16}}}
  tank_2: {driver: modbus, channel: plc, address: 2, poll: 100ms, points: {level: {register: holding 0, as: uint16, unit: mm, class: none}}}
places: {b1: {name: 1栋}, b1_1903: {name: 1栋1903, in: b1}}
assets: {flat_1903: {type: home, zone: b1_1903, name: 1903王秀兰}}
`,
    'rules/a.yaml':
      'rule: low\nlevel: red\neach: {device: "tank_*"}\nwhen: level < 100\ntext: "水位 {level}"\nact: 补水\n---\n' +
      'rule: dry\nlevel: yellow\neach: {type: home}\nwhen: tank_1.level < 100\ntext: "{place} {name} 停水"\n',
  });
  const run = (...args: string[]) =>
    weinao([...args, '--config', site.config, '--lang', 'zh'], '', { WEINAO_SOCKET: join(site.data, 'weinao.sock') });
  const first = startDaemonProcess(site);
  await untilStatus(
    first,
    'the alarm',
    (s) => s.ready && s.alarms.red === 2 && s.alarms.active === 3 && (s.journal.counters.samples ?? 0) >= 2,
  );

  const csv = await run('export', '--from', '1h');
  expect(csv.code, csv.err).toBe(0);
  const lines = csv.out.trim().split('\r\n');
  expect(lines[0]).toBe('time,device,point,value,unit,quality,why');
  expect(lines).toContainEqual(expect.stringMatching(/^\d{4}-.*Z,tank_1,level,50,mm,good,$/));
  expect(csv.out).not.toContain('bed');
  expect(csv.err).toMatch(/另有 \d+ 行涉及个人/);
  expect((await run('export', '--from', '1h', '--personal')).out).toContain('tank_1,bed,7');
  const events = await run('export', '--from', '1h', '--what', 'events', '--format', 'ndjson', '--personal');
  const kinds = events.out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { kind: string }).kind);
  expect(kinds).toContain('alarm.raised');
  expect(events.out).toContain('flat_1903');
  // Also what is personal in an alarm: of a flat, of a device with a personal point, of whoever took it in hand.
  const harmless = await run('export', '--from', '1h', '--what', 'events', '--format', 'ndjson');
  expect(harmless.out).toContain('low/tank_2');
  for (const trace of ['1903', '王秀兰', 'tank_1']) expect(harmless.out).not.toContain(trace);
  expect((await run('export', '--from', 'yesterday')).code).toBe(2);

  const copy = join(tempFolder(), 'weinao.backup');
  const made = await run('backup', copy);
  expect(made.code, made.err).toBe(0);
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(await run('backup', copy)).toMatchObject({ err: expect.stringContaining('已存在') });
  expect(await run('restore', copy)).toMatchObject({ code: 5, err: expect.stringContaining('已有守护进程') });
  const { alarms } = JSON.parse((await run('alarms', 'list', '--json')).out) as { alarms: { aid: string }[] };
  await first.stop();

  const broken = join(tempFolder(), 'broken');
  writeFileSync(broken, 'no database at all');
  expect(await run('restore', broken)).toMatchObject({ err: expect.stringContaining('不是完好的备份') });
  expect(await run('restore', join(tempFolder(), 'none'))).toMatchObject({
    err: expect.stringContaining('没有数据文件'),
  });
  writeFileSync(join(site.data, 'journal.db'), 'the card is broken');
  const back = await run('restore', copy);
  expect(back.code, back.err).toBe(0);
  const kept = /journal\.db\.before-restore-\S+/.exec(back.out)?.[0] ?? '';
  expect(readFileSync(join(site.data, kept), 'utf8')).toBe('the card is broken');

  const second = startDaemonProcess(site);
  await untilStatus(second, 'the same alarm', (s) => s.ready && s.alarms.red === 2);
  const again = JSON.parse((await run('alarms', 'list', '--json')).out) as { alarms: { aid: string }[] };
  expect(again.alarms.map((a) => a.aid).sort()).toEqual(alarms.map((a) => a.aid).sort());
  await second.stop();
});

it('a cell that a spreadsheet would run is text', () => {
  expect(csvLine(['=1+1', 'a,b', 'say "x"', -5, true, undefined, '+86'])).toBe(
    `'=1+1,"a,b","say ""x""",-5,true,,'+86\r\n`,
  );
});
