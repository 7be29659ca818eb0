/** What leaves the store as files: exports, backups, and the way back, beside a running gateway. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { needSite } from '../../src/app/check.ts';
import { csvLine, exportRows } from '../../src/app/export.ts';
import { journalFile } from '../../src/journal/path.ts';
import { startDaemonProcess, untilStatus, weinao } from '../kit/daemon.ts';
import { draft, open, work } from '../kit/journal.ts';
import { startSlaves, tempFolder, tempSite } from '../kit/site.ts';

/** A socket behind which somebody answers what no gateway does. */
async function nonsense(): Promise<string> {
  const path = join(tempFolder(), 'weinao.sock');
  const server = createServer((socket) => void socket.end('nonsense'));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  return path;
}

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
  expect(lines).toContainEqual(expect.stringMatching(/^\d{4}-.*Z,tank_2,level,50,mm,good,$/));
  // Rows of a device with a personal point tell of its people by being there.
  expect(csv.out).not.toContain('tank_1');
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
  expect(await run('export', '--device', 'tank_3')).toMatchObject({
    code: 2,
    err: expect.stringContaining('没有设备'),
  });
  expect(await run('erase', '--device', 'tank_3', '--reason', '搬走', '--yes')).toMatchObject({
    code: 0,
    out: expect.stringContaining('没有找到'),
  });

  const copy = join(tempFolder(), 'weinao.backup');
  const made = await run('backup', copy);
  expect(made.code, made.err).toBe(0);
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(await run('backup', copy)).toMatchObject({ code: 8, err: expect.stringContaining('已存在') });
  // A copy that was cut short is in nobody's way; one that cannot be made leaves nothing.
  writeFileSync(`${copy}.2.weinao-part`, 'half');
  expect((await run('backup', `${copy}.2`)).code).toBe(0);
  expect(existsSync(`${copy}.2.weinao-part`)).toBe(false);
  const nowhere = join(tempFolder(), 'none', 'copy');
  expect(await run('backup', nowhere)).toMatchObject({ code: 5, err: expect.stringContaining(nowhere) });
  expect(await run('restore', copy)).toMatchObject({ code: 5, err: expect.stringContaining('已有守护进程') });
  // Whoever cannot ask whether it runs does not take its file from under it.
  const odd = await weinao(['restore', copy, '--config', site.config, '--lang', 'zh'], '', {
    WEINAO_SOCKET: await nonsense(),
  });
  expect(odd.code).not.toBe(0);
  const { alarms } = JSON.parse((await run('alarms', 'list', '--json')).out) as { alarms: { aid: string }[] };
  await first.stop();

  const broken = join(tempFolder(), 'broken');
  writeFileSync(broken, 'no database at all');
  expect(await run('restore', broken)).toMatchObject({ err: expect.stringContaining('不是完好的备份') });
  expect(await run('restore', join(tempFolder(), 'none'))).toMatchObject({
    err: expect.stringContaining('没有数据文件'),
  });
  writeFileSync(join(site.data, 'journal.db'), 'the card is broken');
  // No room for the copy: what stands there goes on standing there.
  mkdirSync(join(site.data, 'journal.db.restoring.new'));
  expect(await run('restore', copy)).toMatchObject({ code: 5, err: expect.stringContaining('写不了') });
  expect(readFileSync(join(site.data, 'journal.db'), 'utf8')).toBe('the card is broken');
  rmdirSync(join(site.data, 'journal.db.restoring.new'));
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

it('an export ends when somebody ends it, and says so', async () => {
  const site = tempSite({ 'weinao.yaml': 'site: {id: t1, name: 测试小区}\ngateway: {data: DATA}\n' });
  mkdirSync(site.data, { recursive: true });
  const { journal, clock } = open(journalFile(site.data));
  await journal.start();
  for (let n = 0; n < 5; n++)
    await journal.commit(work(...Array.from({ length: 200 }, (_, i) => draft(n * 200 + i, clock))));
  await journal.close();
  const stop = new AbortController();
  const checked = await needSite(site.config, {});
  const ask = { what: 'events', format: 'ndjson', from: 0, to: Number.MAX_SAFE_INTEGER, isPersonalToo: true } as const;
  const whole = await exportRows(checked, ask, () => {}, stop.signal);
  expect(whole).toEqual({ rows: 1000, withheld: 0, isCut: false });
  let lines = 0;
  const cut = await exportRows(
    checked,
    ask,
    () => void (++lines === 250 && setImmediate(() => stop.abort())),
    stop.signal,
  );
  expect(cut).toMatchObject({ isCut: true });
  // It looks up every 200 rows.
  expect(cut.rows).toBeLessThan(800);
  expect(cut.rows).toBe(lines);
});
