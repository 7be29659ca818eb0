/**
 * A phone number, an identity number, a name and a flat in every text a source can bring. A platform that may see every kind of thing but no
 * personal data must never be sent any of them, in whatever topic or payload; one that may see personal data gets them all.
 */
import { describe, expect, it } from 'vitest';
import { cloudEvent, plain, sent } from '../../drivers/http/simulator.ts';
import { unpack } from '../../src/base/pack.ts';
import type { Answer, Operation } from '../../src/base/rules.ts';
import { type Estate, openEstate } from '../kit/estate.ts';

const PHONE = '13912345678';
const ID = '11010119900307775X';
const NAME = '欧阳翠花';
const FLAT = '7栋2单元1903';
const CANARIES = { PHONE, ID, NAME, FLAT };
/** what may stand where the model says that it is of equipment: numbers of people do not become harmless there */
const NUMBERS = `${PHONE} ${ID}`;
const ALL = `${NAME} ${FLAT} ${NUMBERS}`;

const SELECTIONS = (rights: string): string =>
  `[{alarms: {${rights}}, telemetry: {${rights}}, devices: {${rights}}, forms: {report: {${rights}}}, commands: {${rights}}, config: {${rights}}}]`;
const PERSONAL = 'classes: [personal, sensitive]';

const SITE = `site: {id: c1, name: "小区 ${NUMBERS}"}
gateway: {data: DATA}
people: {duty: {name: "${NAME}", screen: true}, office: {feed: street}}
places:
  b7: {name: "7栋 ${NUMBERS}", lat: 22.5402, lon: 114.05031}
  b7_1903: {name: "${FLAT} ${NAME}", in: b7, lat: 22.54087, lon: 114.05978}
channels: {plc: {modbus_tcp: "127.0.0.1:1502"}}
devices:
  tank: {driver: modbus, channel: plc, address: 1, poll: 1s, type: tank, zone: b7, name: "水池 ${NUMBERS}",
    points: {level: {register: holding 0, as: uint16, unit: m, name: "水位 ${NUMBERS}"},
      note: {register: holding 10, as: "string:11", class: none, name: 标牌},
      memo: {register: holding 20, as: "string:18", class: personal, name: "${ALL}"},
      valve: {register: coil 1, as: bool, class: none}}}
  hydrant: {driver: modbus, channel: plc, address: 3, poll: 1s, type: hydrant, zone: b7, name: "消火栓 ${NUMBERS}", points: {open: {register: discrete 0, as: bool}}}
  door_1903: {driver: modbus, channel: plc, address: 2, poll: 1s, type: home_door, zone: b7_1903, name: "${ALL}",
    points: {open: {register: discrete 0, as: bool, name: "${ALL}"}, battery: {register: input 0, as: uint16, class: none}}}
assets:
  flat_1903: {type: home, zone: b7_1903, name: "${ALL}", door: door_1903, let: {elder: "${NAME}"}}
feeds:
  street: {to: "mqtt://broker", view: ${SELECTIONS('')}}
  packed: {to: "mqtt://broker", encoding: json+zstd, view: ${SELECTIONS('')}}
  police: {to: "mqtt://broker", view: ${SELECTIONS(PERSONAL)}}
`;

const RULES = `rule: low
name: "水位低 ${NUMBERS}"
level: red
each: {device: tank}
when: level < 1
text: "{name} {level} {memo} {note} 联系${NUMBERS}"
act: "电话 ${NUMBERS}"
do: [{write: {tank.valve: true}}]
undo: [{write: {tank.valve: false}}]
escalate: {0s: office}
---
rule: elder
name: 未开门
theme: elder
level: orange
each: {type: home}
let: {elder: 老人}
when: door.open == false
for: 5s
text: "{place} {name} {elder} {top}"
act: 上门
with: {top: {last: report.text, over: 1h}}
---
form: report
name: "报事 ${NUMBERS}"
fields:
  - {id: text, label: 内容, text: 200}
  - {id: note, label: 备注, text: 200, person: none}
  - {id: phone, label: 电话, number: [0, 99999999999]}
  - {id: where, label: 位置, place: true}
  - {id: kind, label: 类别, pick: [求助, 其他]}
`;

/** Other systems of the estate, and platforms that are told in their own words. */
const OUTSIDE = `site: {id: c2, name: 小区}
gateway: {data: DATA}
people: {duty: {screen: true}}
places: {b7: {name: "7栋 ${NUMBERS}"}}
channels: {b: {mqtt: "mqtt://broker"}, in: {http: "127.0.0.1:8088"}, plc: {modbus_tcp: "127.0.0.1:1502"}}
devices:
  lamp: {driver: modbus, channel: plc, address: 1, poll: 1s, type: lamp, name: "路灯 ${NUMBERS}", points: {dim: {register: holding 0, as: uint16}}}
  radio: {driver: mqtt, channel: b, topic: radio/1, poll: 1h, zone: b7, name: "水池 ${NUMBERS}", points: {level: {value: level, class: none}, note: {value: note, as: text, class: none}}}
  chat: {driver: mqtt, channel: b, topic: chat/1, poll: 1h, zone: b7, points: {memo: {value: memo, as: text}}}
  desk: {driver: http, channel: in, token: {file: desk}, forms: [report], poll: 1h, points: {note: {value: data.note, as: text, class: none}}}
  nurse: {driver: http, channel: in, token: {file: nurse}, poll: 1h, points: {memo: {value: data.memo, as: text}}}
feeds:
  street: {to: "mqtts://broker", view: ${SELECTIONS('')}}
  police: {to: "mqtts://broker", view: ${SELECTIONS(PERSONAL)}}
  tb: {to: "mqtts://broker", codec: thingsboard, view: ${SELECTIONS('')}, commands: [{allow: write, to: {device: lamp}, point: dim, range: [0, 9]}]}
  ali: {to: "mqtts://broker", codec: alink, ack: broker, alink: {product: p, device: d, sub_product: q}, view: ${SELECTIONS('')}}
  web: {to: "https://platform/events", view: ${SELECTIONS('')}}
`;
const OUTSIDE_RULES = `rule: wet
level: red
each: {device: radio}
when: level > 5
text: "{level} {note}"
act: 看
---
rule: said
level: yellow
each: {device: chat}
when: size(memo) > 0
text: "{memo}"
act: 看
---
form: report
fields: [{id: text, label: 内容, text: 200}, {id: note, label: 备注, text: 200, person: none}]
`;

const without = (text: string, begins: readonly string[]): string =>
  text
    .split('\n')
    .filter((line) => !begins.some((word) => line.trim().startsWith(word.trim())))
    .join('\n');

const ask = async (e: Estate, what: Operation): Promise<Answer> => {
  const answer = e.house.operate(what);
  await e.pass(2500);
  return answer;
};

/** Everything a broker was ever sent, as text; full-width digits as plain ones. */
function seen(e: Estate, feed: string): string {
  return e
    .brokerOf(feed)
    .taken.map(({ topic, payload }) => {
      const isPacked = payload[0] === 0x28 && payload[1] === 0xb5;
      return `${topic} ${new TextDecoder().decode(isPacked ? unpack(payload, 1024 * 1024) : payload)}`;
    })
    .join('\n')
    .normalize('NFKC');
}

async function live(): Promise<Estate> {
  const e = await openEstate({ 'weinao.yaml': SITE, 'rules/a.yaml': RULES }, []);
  e.set('tank.level', 3);
  e.set('tank.note', PHONE);
  e.set('tank.memo', ID);
  e.set('door_1903.open', true);
  e.set('door_1903.battery', 88);
  await e.pass(20_000);
  const fields = {
    text: ALL,
    note: `请回电 ${PHONE.replace('139', '１３９-')}，${ID}`,
    phone: Number(PHONE),
    where: 'b7_1903',
    kind: '求助',
  };
  expect(await ask(e, { kind: 'form', form: 'report', by: NAME, fields })).toMatchObject({ ok: true });
  e.set('tank.level', 0);
  e.set('door_1903.open', false);
  await e.pass(20_000);
  const open = e.house.board.open();
  expect(open.map((a) => a.rule).sort()).toEqual(['elder', 'low']);
  for (const { aid } of open) {
    await ask(e, { kind: 'shelve', aid, by: NAME, reason: ALL, forMs: 60_000 });
    await ask(e, { kind: 'unshelve', aid, by: NAME });
    expect(await ask(e, { kind: 'ack', aid, by: `${NAME}/${PHONE}` })).toMatchObject({ ok: true });
  }
  await ask(e, { kind: 'maintain', what: 'door_1903', by: NAME, reason: ALL, forMs: 60_000 });
  await ask(e, { kind: 'maintained', what: 'door_1903', by: NAME });
  const written = e.house.write('tank.valve', true, `${NAME} ${PHONE}`);
  await e.pass(5000);
  await written;
  const fault = { topic: 'store', instance: 'file', level: 'orange', name: '数据文件损坏', act: '联系维护' } as const;
  e.house.raise({ ...fault, text: '{path} {why}', values: { path: `/var/${ALL}`, why: ALL } });
  e.dead('door_1903', true);
  e.dead('hydrant', true);
  await e.pass(60_000);
  await e.reload({ 'weinao.yaml': SITE.replace('name: 标牌', `name: "标牌 ${NUMBERS}"`) });
  await e.pass(10_000);
  // What is said of them once they are gone from the configuration.
  await e.reload({
    'weinao.yaml': without(SITE, [
      'b7_1903:',
      'door_1903:',
      '  points: {open: {register: discrete 0, as: bool, name',
      'assets:',
      'flat_1903:',
    ]),
  });
  await e.pass(10_000);
  return e;
}

describe('canaries in every text of every source', () => {
  it('reach who may see personal data, and nobody else', { timeout: 120_000 }, async () => {
    const e = await live();
    const types = (feed: string) => [...new Set(e.members(feed).map((m) => m.type.slice(7, -3)))].sort();
    for (const feed of ['street', 'packed']) {
      expect(types(feed)).toEqual(
        expect.arrayContaining(
          [
            'alarm.acked',
            'alarm.cleared',
            'alarm.escalated',
            'alarm.raised',
            'alarm.shelved',
            'command.result',
            'config.changed',
            'device.offline',
            'report.created',
            'telemetry.sampled',
          ].filter((t) => t !== 'alarm.cleared'),
        ),
      );
      const text = seen(e, feed);
      for (const [what, canary] of Object.entries(CANARIES))
        expect(
          text.split('\n').filter((line) => line.includes(canary)),
          `${feed} ${what}`,
        ).toEqual([]);
      // Ids tell of people, too; and nobody looks for a flat on the map.
      for (const trace of ['1903', '22.5409', '114.0598', '翠花', '欧阳翠'])
        expect(
          text.split('\n').filter((line) => line.includes(trace)),
          `${feed} ${trace}`,
        ).toEqual([]);
      expect(text).toContain('（略）'.normalize('NFKC'));
      expect(e.summary(feed)).toMatchObject({ chain: 'ok', gaps: 0, faults: [] });
    }
    const log = e.log.lines.map((line) => JSON.stringify(line));
    for (const canary of Object.values(CANARIES)) expect(log.filter((line) => line.includes(canary))).toEqual([]);
    const entitled = seen(e, 'police');
    for (const [what, canary] of Object.entries(CANARIES)) expect(entitled.includes(canary), what).toBe(true);
    expect(entitled).toContain('door_1903');
    expect(entitled).toContain('22.5409');
  });

  it('nor when another system brings them, or a platform has words of its own', { timeout: 120_000 }, async () => {
    const secrets = { 'secrets/desk': 'desk', 'secrets/nurse': 'nurse' };
    const e = await openEstate({ 'weinao.yaml': OUTSIDE, 'rules/a.yaml': OUTSIDE_RULES, ...secrets }, []);
    await e.pass(5000);
    const say = (topic: string, body: unknown): boolean =>
      e.estateBroker.say(topic, typeof body === 'string' ? body : JSON.stringify(body));
    say('radio/1', { level: 9, note: NUMBERS, [ALL]: ALL });
    say('chat/1', { memo: ALL });
    for (const odd of [ALL, `{"level": "${ALL}"}`, `["${ALL}"]`, `{"${ALL}`]) say('radio/1', odd);
    const events = [
      cloudEvent(`urn:${ALL}`, ALL, { note: NUMBERS }, { subject: ALL, type: ALL, [PHONE]: ALL }),
      cloudEvent('urn:a', 'e1', { note: { [ALL]: ALL } }),
      cloudEvent('urn:a', ALL, ALL, { time: ALL }),
    ];
    const form = (more: object) => plain({ form: 'report', fields: { text: ALL, note: NUMBERS }, ...more });
    const asks = [
      ...events.map((event) => ['desk', '/v1/events', sent(event)] as const),
      ['nurse', '/v1/events', sent(cloudEvent('urn:n', 'n1', { memo: ALL }))] as const,
      ['desk', '/v1/forms', form({})] as const,
      ['desk', '/v1/forms', form({ id: ALL })] as const,
      ['desk', '/v1/forms', form({ id: PHONE })] as const,
      ['desk', '/v1/forms', form({ form: ALL })] as const,
      ['desk', '/v1/forms', form({ fields: { [ALL]: ALL } })] as const,
      ['desk', `/v1/${ALL}`, plain(ALL)] as const,
      [ALL, '/v1/events', plain(ALL)] as const,
      ['desk', '/v1/events', { contentType: ALL, body: ALL }] as const,
    ];
    for (const [token, path, body] of asks) {
      void e.send('in', token, path, body);
      await e.pass(3000);
    }
    const rpc = (device: string, data: unknown): void =>
      e.brokerOf('tb').deliver('v1/gateway/rpc', JSON.stringify({ device, data }));
    rpc(ALL, { id: 1, method: 'write', params: { dim: 1 } });
    rpc('c2_lamp', { id: PHONE, method: 'write', params: { dim: 1 } });
    rpc('c2_lamp', { id: NAME, method: ALL, params: { [ALL]: ALL } });
    rpc('c2_lamp', { id: 2, method: 'write', params: { dim: ALL } });
    await e.pass(30_000);
    e.estateBroker.drop();
    await e.pass(60_000);
    const entered = e.members('street').filter((m) => m.type === 'weinao.report.created.v1');
    expect(entered.length).toBeGreaterThanOrEqual(3);
    expect(
      e.house.board
        .open()
        .map((a) => a.rule)
        .sort(),
    ).toEqual(['said', 'wet']);
    for (const feed of ['street', 'tb', 'ali', 'web']) {
      const text = seen(e, feed);
      // The platform's own words come back to it, and to nobody else.
      const own =
        feed === 'tb' ? text.split('\n').filter((line) => !line.startsWith('v1/gateway/rpc')) : text.split('\n');
      for (const trace of [...Object.values(CANARIES), '翠花', '1903'])
        expect(
          own.filter((line) => line.includes(trace)),
          `${feed} ${trace}`,
        ).toEqual([]);
      expect(text.length, feed).toBeGreaterThan(500);
    }
    expect(seen(e, 'police')).toContain(FLAT);
    const log = e.log.lines.map((line) => JSON.stringify(line));
    for (const canary of Object.values(CANARIES)) expect(log.filter((line) => line.includes(canary))).toEqual([]);
  });
});
