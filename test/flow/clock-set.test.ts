/**
 * A clock that says 1970 when the gateway starts, twice, and is set an hour later: through the whole house on virtual time, from the bytes of devices to
 * the members two platforms get, one at once and one afterwards.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSqliteReadOnly } from '../../src/io/sqlite.ts';
import { journalFile } from '../../src/journal/path.ts';
import type { Member } from '../../src/uplink/index.ts';
import { type Estate, openEstate } from '../kit/estate.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const NOW = Date.UTC(2026, 10, 25, 12);
const FILES = {
  'weinao.yaml': `site: {id: s1, name: 测试, lat: 22.54, lon: 114.05}
gateway: {id: g1, data: DATA}
channels: {plc: {modbus_tcp: "127.0.0.1:502"}}
devices:
  tank_1: {driver: modbus, channel: plc, address: 1, poll: 10s, type: tank, points: {level: {register: holding 0, as: uint16, unit: m}}}
  bed_1: {driver: modbus, channel: plc, address: 2, poll: 10s, keep_days: 1, points: {pulse: {register: holding 0, as: uint16, class: personal}}}
  door_1: {driver: modbus, channel: plc, address: 3, poll: 10s, points: {closed: {register: coil 0, as: bool, class: none}, bell: {register: coil 1, as: bool, class: none}}}
feeds:
  city: {to: "mqtt://city", view: everything}
  street: {to: "mqtt://street", view: everything, keep: 1d}
`,
  'rules/a.yaml': `rule: low
level: red
each: {type: tank}
when: level < 100
text: "{level}"
act: 补水
---
rule: door
level: orange
each: {device: door_1}
when: closed
for: 70m
text: 门一直关着
act: 上门看看
---
rule: often
level: orange
each: {device: door_1}
with: {n: {changes: bell, over: 80m, need: 0.4}}
when: n >= 3
text: 门铃频繁
act: 上门看看
`,
};

/** Every stored row and group, as it stands on the disk. */
function rows(e: Estate): Map<number, string> {
  const db = openSqliteReadOnly(journalFile(e.house.model().gateway.data));
  try {
    const segments = db.prepare('SELECT n FROM segments').pluck().all() as number[];
    const tables = ['rows', ...segments.map((n) => `tel_${n}`)];
    const all = tables.flatMap((t) => db.prepare(`SELECT * FROM ${t}`).all() as { position: number; body: Buffer }[]);
    return new Map(
      all.map((row) => [row.position, JSON.stringify({ ...row, body: Buffer.from(row.body).toString('hex') })]),
    );
  } finally {
    db.close();
  }
}

const isOwn = ({ type }: Member): boolean => !/^weinao\.(feed|audit|config)\./.test(type);
const content = (m: Member): string =>
  JSON.stringify([m.envelope.id, m.type, m.envelope.time, m.envelope.wnclock, m.envelope.wnmono, m.data]);

it('what was stored before keeps its place, bytes and ids; nobody loses anything because fifty years passed', {
  timeout: 120_000,
}, async () => {
  const e = await openEstate(FILES, [], { wall: 7 * S, synced: false, turns: 24 });
  e.brokerOf('street').isAway = true;
  e.set('tank_1.level', 900);
  e.set('bed_1.pulse', 71);
  e.set('door_1.closed', 1);
  await e.pass(M);
  e.set('tank_1.level', 20);
  await e.pass(20 * M);
  await e.restart();
  e.set('tank_1.level', 900);
  await e.pass(10 * M);
  e.set('door_1.bell', 1);
  await e.pass(10 * M);
  e.set('door_1.bell', 0);
  await e.pass(19 * M);
  const before = rows(e);
  const offset = NOW - e.clock.mono();
  expect(e.clock.now().wall).toBeLessThan(2 * H);

  // Somebody tells the clock the time.
  e.clock.stepWall(NOW - e.clock.now().wall);
  e.clock.synced = true;
  e.house.synced();
  e.set('door_1.bell', 1);
  await e.pass(5 * M);
  const door = e.alarms().filter((a) => a.data.rule === 'door');
  expect(door).toEqual([]);
  await e.pass(2 * H);
  // Its 70 minutes are those that passed, with an end and a beginning of the gateway and a new clock among them.
  const [raised, ...more] = e.alarms().filter((a) => a.data.rule === 'door');
  expect([raised?.kind, more]).toEqual(['raised', []]);
  const at = Date.parse(String(e.members('city').find((m) => m.data.rule === 'door')?.envelope.time ?? ''));
  expect(Math.abs(at - offset - 70 * M)).toBeLessThan(M);

  // A window of 80 minutes that began before goes on too; what came before the gateway's last start is of an unknown age, and left out.
  expect(e.alarms().filter((a) => a.data.rule === 'often' && a.kind === 'raised')).toHaveLength(1);

  const after = rows(e);
  for (const [position, row] of before) expect(after.get(position)).toBe(row);
  expect(Math.min(...after.keys())).toBe(Math.min(...before.keys()));

  // The platform that was away gets all of it, as the other got it.
  e.brokerOf('street').isAway = false;
  await e.pass(20 * M);
  const [city, street] = [e.members('city'), e.members('street')];
  for (const feed of ['city', 'street']) {
    const { chain, gaps, faults } = e.summary(feed);
    expect({ feed, chain, gaps, faults }).toEqual({ feed, chain: 'ok', gaps: 0, faults: [] });
  }
  expect(street.filter((m) => m.type === 'weinao.feed.gap.v1')).toEqual([]);
  for (const stream of ['a', 't']) {
    const of = (members: readonly Member[]): string[] =>
      members.filter((m) => isOwn(m) && String(m.envelope.wnstream).includes(`.${stream}.`)).map(content);
    expect(of(street)).toEqual(of(city));
    expect(of(city).length).toBeGreaterThan(4);
  }
  expect(JSON.stringify(street)).toContain('bed_1');

  // Whoever gets it can tell when it was: of the boot in which the clock was set.
  const [synced] = city.filter((m) => m.type === 'weinao.clock.synced.v1');
  const { boot, offset: told } = (synced?.data ?? {}) as { boot: string; offset: number };
  expect(Math.abs(told - offset)).toBeLessThan(S);
  const unsynced = city.filter((m) => m.envelope.wnclock === 'unsynced');
  const ofBoot = unsynced.filter((m) => m.envelope.wnboot === boot);
  expect(ofBoot.length).toBeGreaterThan(0);
  expect(ofBoot.length).toBeLessThan(unsynced.length);
  const cleared = ofBoot.find((m) => m.type === 'weinao.alarm.cleared.v1');
  const corrected = Number(cleared?.envelope.wnmono) + told;
  expect(Math.abs(corrected - (offset + 21 * M))).toBeLessThan(M);
  // Nothing that came afterwards says it does not know.
  expect(city.slice(city.indexOf(synced as Member)).filter((m) => m.envelope.wnclock !== undefined)).toEqual([]);
  expect(readdirSync(join(e.house.model().gateway.data)).filter((n) => n.includes('damaged'))).toEqual([]);
});
