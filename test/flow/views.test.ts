/** Three platforms of one estate, each with the view its kind has (feed.md 10), on virtual time. */
import { describe, expect, it } from 'vitest';
import { viewFeed } from '../../src/app/feed-view.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { type Estate, openEstate } from '../kit/estate.ts';

const STREET = `[{alarms: {level: [red, orange], or: {theme: [elder, fire, health, crowd]}}},
      {alarms: {theme: elder, told: true, classes: personal}},
      {forms: {report: {drop: phone, classes: personal, scrub: true}}}]`;

const site = (street = STREET, rate = 200): string => `site: {id: v1, name: 示例}
gateway: {data: DATA}
people: {duty: {screen: true}, office: {feed: street}}
places: {b3: {name: 3栋}, pump_house: {name: 水泵房}}
channels: {plc: {modbus_tcp: "127.0.0.1:1502"}}
devices:
  tank: {driver: modbus, channel: plc, address: 1, poll: 10s, type: tank, tags: [fire], zone: pump_house, name: 消防水池,
    points: {level: {register: holding 0, as: uint16, unit: m}}}
  lamp: {driver: modbus, channel: plc, address: 2, poll: 10s, type: lamp, name: 路灯, points: {power: {register: holding 0, as: uint16, unit: W}}}
  door_301: {driver: modbus, channel: plc, address: 3, poll: 10s, type: home_door, zone: b3, name: 301 王家, points: {open: {register: discrete 0, as: bool}}}
assets: {flat_301: {type: home, zone: b3, name: 301 王家, door: door_301}}
stats: {alarms_hourly: {of: {alarms: {}}, count: true, by: rule, every: 1h}}
feeds:
  property: {to: "mqtt://p", view: [{alarms: {}}, {telemetry: {}}, {devices: {}}, {forms: {report: {}}}]}
  street: {to: "mqtt://s", rate: ${rate}, view: ${street}}
  city: {to: "mqtt://c", view: [{stats: {alarms_hourly: {}}}]}
`;
const RULES = `rule: low
name: 水位低
level: red
theme: fire
each: {device: tank}
when: level < 1
text: "{name} 水位 {level} 米"
act: 补水
---
rule: dark
name: 路灯不亮
level: yellow
each: {device: lamp}
when: power < 1
text: "{name} 功率 {power}"
---
rule: elder
name: 未开门
theme: elder
level: yellow
each: {device: door_301}
when: open == false
for: 1m
text: "{name} 未开门"
escalate: {10m: office}
---
form: report
name: 报事
fields: [{id: text, label: 内容, text: 200}, {id: phone, label: 电话, text: 20}, {id: kind, label: 类别, pick: [漏水, 其他]}]
`;

async function day(change: (e: Estate) => Promise<void> = () => Promise.resolve()): Promise<Estate> {
  const e = await openEstate({ 'weinao.yaml': site(), 'rules/a.yaml': RULES }, []);
  e.set('tank.level', 3);
  e.set('lamp.power', 80);
  e.set('door_301.open', true);
  await e.pass(60_000);
  e.set('tank.level', 0);
  e.set('lamp.power', 0);
  e.set('door_301.open', false);
  const fields = { text: '王家漏水，电话13912345678', phone: '13912345678', kind: '漏水' };
  const entered = e.house.operate({ kind: 'form', form: 'report', by: '李四', fields });
  await e.pass(5 * 60_000);
  expect(await entered).toMatchObject({ ok: true });
  await change(e);
  await e.pass(56 * 60_000);
  return e;
}

const told = (e: Estate, feed: string, type: string): JsonObject[] =>
  e
    .members(feed)
    .filter((m) => m.type === `weinao.${type}.v1`)
    .map((m) => m.data as JsonObject);
const kinds = (e: Estate, feed: string): string[] => [
  ...new Set(e.members(feed).map((m) => m.type.slice('weinao.'.length, -'.v1'.length))),
];
const epochs = (e: Estate, feed: string): string[] => [
  ...new Set(e.members(feed).map((m) => String(m.envelope.wnstream))),
];
const topics = (e: Estate, feed: string): string[] =>
  [...e.brokerOf(feed).retained].flatMap(([t, p]) => (p.length > 0 ? [t] : []));

const anchorIn = (all: readonly string[]): number => {
  const at = all.findIndex((text) => text.includes('feed.anchor'));
  return at < 0 ? all.length : at;
};

/** What a platform makes of its stream is not in a trial. */
const content = ({ sequence: _, wnstream: __, wnprev: ___, wnhash: ____, ...rest }: JsonObject): JsonObject => rest;

describe('three platforms of one estate', () => {
  it('feed view shows what was sent', { timeout: 120_000 }, async () => {
    const e = await day();
    await e.house.journal.flush();
    for (const feed of ['property', 'street', 'city']) {
      const sent = e.members(feed).filter((m) => !m.type.startsWith('weinao.feed.'));
      const { members, view } = await viewFeed(e.config, {}, feed, 1000);
      const shown = members
        .map((text) => content(JSON.parse(text) as JsonObject))
        .filter((m) => !String(m.type).startsWith('weinao.feed.'));
      const byId = (list: readonly JsonObject[]) => [...list].sort((x, y) => (String(x.id) < String(y.id) ? -1 : 1));
      expect(byId(shown)).toEqual(byId(sent.map((m) => content({ ...m.envelope, data: m.data } as JsonObject))));
      expect(new Set(shown.map((m) => m.wnview))).toEqual(new Set([view]));
      const last = await viewFeed(e.config, {}, feed, 1);
      expect(JSON.parse(last.members[0] ?? '').id).toBe(JSON.parse(members.at(-1) ?? '').id);
    }
  });

  it('each sees what its view names', { timeout: 120_000 }, async () => {
    const e = await day();
    for (const feed of ['property', 'street', 'city'])
      expect(e.summary(feed)).toMatchObject({ chain: 'ok', gaps: 0, duplicates: 0, faults: [] });

    expect(kinds(e, 'property')).toEqual(
      expect.arrayContaining(['alarm.raised', 'telemetry.sampled', 'report.created']),
    );
    const samples = told(e, 'property', 'telemetry.sampled').flatMap((d) => d.samples as JsonObject[]);
    expect([...new Set(samples.map((s) => `${s.d}.${s.p}`))].sort()).toEqual(['lamp.power', 'tank.level']);
    expect(
      told(e, 'property', 'alarm.raised')
        .map((a) => a.text)
        .sort(),
    ).toEqual(['消防水池 水位 0 米', '路灯 功率 0', '（略） 未开门']);
    expect(told(e, 'property', 'report.created')[0]?.fields).toEqual({ kind: '漏水' });
    expect(topics(e, 'property').filter((t) => t.includes('/dev/'))).toEqual([
      'wn/1/property/v1/up/dev/lamp',
      'wn/1/property/v1/up/dev/tank',
    ]);

    expect(kinds(e, 'street')).not.toContain('telemetry.sampled');
    // Of a lamp the street hears nothing; of the door everything since it was asked for help.
    expect(
      told(e, 'street', 'alarm.raised')
        .map((a) => a.text)
        .sort(),
    ).toEqual(['消防水池 水位 0 米', '（略） 未开门']);
    expect(told(e, 'street', 'alarm.escalated')).toMatchObject([{ device: 'door_301', text: '301 王家 未开门' }]);
    expect(told(e, 'street', 'report.created')[0]).toMatchObject({
      by: '李四',
      fields: { kind: '漏水', text: '王家漏水，电话（略）' },
    });
    expect(told(e, 'street', 'report.created')[0]?.fields).not.toHaveProperty('phone');
    expect(topics(e, 'street').filter((t) => t.includes('/dev/'))).toEqual([]);

    const { counters } = await e.house.journal.facts();
    const appended = (counters.events ?? 0) + (counters.samples ?? 0);
    const facts = await e.house.journal.feeds();
    for (const { a, t, delivered, withheld, dropped } of facts) {
      expect(dropped).toEqual({});
      expect(delivered + a.units + t.units + withheld).toBe(appended);
    }
    expect(facts.map((f) => f.withheld > 0)).toEqual([true, true, true]);
    expect(kinds(e, 'city').filter((kind) => !kind.startsWith('feed.'))).toEqual(['stat.computed']);
    expect(told(e, 'city', 'stat.computed')[0]).toMatchObject({ stat: 'alarms_hourly' });
  });

  it('a change of one view begins a new epoch there, and changes no byte elsewhere', { timeout: 120_000 }, async () => {
    const narrow = '[{alarms: {level: red}}]';
    const changed = await day((e) => e.reload({ 'weinao.yaml': site(narrow) }));
    const control = await day((e) => e.reload({ 'weinao.yaml': site(STREET, 100) }));
    const bytes = (e: Estate, feed: string): string[] =>
      e
        .brokerOf(feed)
        .taken.filter(({ topic }) => topic.endsWith('/up/a') || topic.endsWith('/up/t'))
        .map(({ topic, payload }) => `${topic} ${new TextDecoder().decode(payload)}`)
        // An anchor binds the heads of all streams: from there on stream a knows of the others, in a hash.
        .filter((text, _, all) => text.includes('/up/t ') || all.indexOf(text) < anchorIn(all));
    for (const feed of ['property', 'city']) {
      expect(epochs(changed, feed)).toHaveLength(2);
      expect(bytes(changed, feed)).toEqual(bytes(control, feed));
    }
    expect(epochs(control, 'street')).toHaveLength(2);
    expect(epochs(changed, 'street')).toHaveLength(4);
    expect(changed.summary('street')).toMatchObject({ chain: 'ok', gaps: 0, faults: [] });
    const views = [...new Set(changed.members('street').map((m) => String(m.envelope.wnview)))];
    expect(views).toHaveLength(2);
    // From here on only what is red: the door's later steps are its own, for it was told of it.
    const later = changed.members('street').filter((m) => m.envelope.wnview === views[1]);
    expect(later.map((m) => m.type.slice(7, -3)).filter((kind) => kind !== 'feed.anchor')).toEqual([
      'feed.epoch',
      'feed.epoch',
      'alarm.escalated',
    ]);
    expect(later.find((m) => m.type === 'weinao.alarm.escalated.v1')?.data).toMatchObject({ text: '（略） 未开门' });
  });

  it('takes back the model of a device that is no longer for it', { timeout: 120_000 }, async () => {
    const e = await day((estate) =>
      estate.reload({ 'weinao.yaml': site().replace('{telemetry: {}}, {devices: {}}', '{telemetry: {device: tank}}') }),
    );
    expect(topics(e, 'property').filter((t) => t.includes('/dev/'))).toEqual(['wn/1/property/v1/up/dev/tank']);
    const late = told(e, 'property', 'telemetry.sampled').at(-1)?.samples as JsonObject[];
    expect(late.map((s) => s.d)).toEqual(['tank']);
  });
});
