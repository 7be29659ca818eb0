/** Statistics from the bytes on a line to the platform: a derived point of homes by building, means of a device, alarms by rule. */
import { expect, it } from 'vitest';
import { createVerifier } from '../../src/uplink/index.ts';
import { type Estate, openEstate } from '../kit/estate.ts';
import { H, M } from '../kit/hand.ts';

/** noon in Shanghai, minus an hour: a window of 15 minutes begins here */
const WALL = Date.UTC(2026, 5, 1, 3);
const FLATS = Array.from({ length: 12 }, (_, i) => i + 1);

const meters = FLATS.map(
  (i) =>
    `  w${i}: {driver: modbus, channel: plc, address: ${i}, poll: 10s, type: water_meter, zone: b${i <= 6 ? 1 : 2}, points: {flow: {register: holding 0, as: uint16, scale: 1, unit: m3/h}}}`,
).join('\n');
const homes = FLATS.map((i) => `  f${i}: {type: home, zone: b${i <= 6 ? 1 : 2}, water: w${i}}`).join('\n');
const FILES = {
  'weinao.yaml': `site: {id: s1, name: 测试小区}
gateway: {id: gw1, data: DATA}
places: {b1: {name: 1栋, kind: building}, b2: {name: 2栋, kind: building}}
channels: {plc: {modbus_tcp: "127.0.0.1:1"}}
devices:
${meters}
  tank: {driver: modbus, channel: plc, address: 50, poll: 10s, points: {level: {register: holding 0, as: uint16, unit: mm, class: none}}}
assets:
${homes}
stats:
  home_occupied: {of: {type: home, point: occupied}, count: [occupied, vacant], by: building, every: 15m}
  level: {of: {device: tank, point: level}, mean: true, min: true, by: device, every: 15m}
  alarms: {of: {alarms: {}}, count: true, every: 1h}
feeds: {street: {to: "mqtt://h:1", view: everything}}
`,
  'rules/a.yaml': `point: home.occupied
each: {type: home}
value: water.flow > 0
class: personal
---
rule: low
level: orange
each: {device: tank}
when: level < 100
text: 低
act: 补水
`,
};

const told = (estate: Estate): Record<string, unknown>[] => {
  const verifier = createVerifier();
  return estate.broker.taken
    .flatMap(({ topic, payload }) => verifier.take(topic, payload) ?? [])
    .filter((m) => m.type === 'weinao.stat.computed.v1')
    .map((m) => ({ subject: m.envelope.subject, ...(m.data as object) }));
};

it('statistics reach the platform, once each, over a restart', async () => {
  const estate = await openEstate(FILES, [], { wall: WALL });
  for (const i of FLATS) estate.set(`w${i}.flow`, i <= 5 || i > 10 ? 1 : 0);
  estate.set('tank.level', 200);
  await estate.pass(6 * M);
  estate.set('tank.level', 50);
  await estate.restart();
  await estate.pass(10 * M);
  const [tank, ...early] = told(estate);
  expect(early).toEqual([]);
  expect(tank).toMatchObject({ subject: 'tank', stat: 'level', value: { min: 50 }, n: 1, unit: 'mm', rev: 1 });
  const { mean } = (tank?.value ?? {}) as { mean?: number };
  expect(mean).toBeCloseTo(110, 0);
  expect(tank?.coverage).toBeGreaterThan(0.97);
  await estate.pass(H);
  const all = told(estate);
  // Five of six are at home in one building, two of six in the other: neither count may be told, nor both.
  const homes = all.filter((e) => e.stat === 'home_occupied');
  expect(homes.slice(0, 2)).toMatchObject([
    { subject: 'b1', suppressed: true, k: 5 },
    { subject: 'b2', suppressed: true, k: 5 },
  ]);
  expect(JSON.stringify(homes)).not.toContain('occupied":');
  expect(all.filter((e) => e.stat === 'alarms')).toMatchObject([{ subject: 's1', value: { low: 1 }, rev: 1 }]);
  const keys = all.map((e) => [e.stat, e.subject, e.from, e.rev].join());
  expect(new Set(keys).size).toBe(keys.length);
  expect(estate.summary()).toMatchObject({ chain: 'ok', gaps: 0, faults: [] });
});
