/**
 * Attempts to get somebody out of the gateway past the views: each is what a curious platform, or two that compare notes, would try. What a platform
 * can see is every byte its broker was ever sent: topics, members, retained states and answers.
 */
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/app/check.ts';
import { exportRows } from '../../src/app/export.ts';
import { feedContract } from '../../src/app/feed-contract.ts';
import { viewFeed } from '../../src/app/feed-view.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { type Estate, openEstate } from '../kit/estate.ts';

const S = 1000;
const M = 60 * S;
const PHONE = '13912345678';
const NAME = '欧阳翠花';
/** a number of somebody's that is neither phone nor identity card: the code of a door */
const CODE = 4711;

const site = (street: string, more = ''): string => `site: {id: s1, name: 测试}
gateway: {id: g1, data: DATA}
people: {duty: {screen: true}}
places: {b7: {name: 7栋}, b7_1903: {name: 7栋1903, in: b7}}
channels: {plc: {modbus_tcp: "127.0.0.1:502"}}
devices:
  tank: {driver: modbus, channel: plc, address: 1, poll: 1s, type: tank, points: {level: {register: holding 0, as: uint16, unit: m}, valve: {register: coil 1, as: bool, class: none}}}
  pad: {driver: modbus, channel: plc, address: 2, poll: 1s, type: lamp, points: {code: {register: holding 0, as: uint16, class: personal, name: "${NAME}的密码"}}}
  door_1903: {driver: modbus, channel: plc, address: 3, poll: 1s, type: home_door, zone: b7_1903, points: {open: {register: discrete 0, as: bool, name: "${NAME}家门"}, battery: {register: input 0, as: uint16, class: none}}}
  lock_1903: {driver: modbus, channel: plc, address: 4, poll: 1s, zone: b7_1903, points: {bolt: {register: coil 0, as: bool}}}
assets: {flat_1903: {type: home, zone: b7_1903, door: door_1903}}
feeds:
  street: {to: "mqtts://broker", view: ${street}}
  city:
    to: "mqtts://broker"
    view: [{commands: {}}]
    commands:
      - {allow: write, to: {device: pad}, point: code, range: [0, 9999]}
      - {allow: write, to: {device: tank}, point: valve, signed: true, confirm: duty}
      - {allow: write, to: {device: siren}, point: on, confirm: duty}
      - {allow: [ack, form, maint], forms: [report]}
    signers: {kid: {file: city.pub}}
${more}`;
/** a siren may be switched without a signature */
const withSiren = (text: string): string =>
  text.replace(
    'assets:',
    '  siren: {driver: modbus, channel: plc, address: 5, poll: 1s, type: siren, points: {on: {register: coil 0, as: bool}}}\nassets:',
  );

const RULES = `rule: shut
level: orange
theme: elder
each: {type: home}
when: door.open
text: "{name}"
act: 上门
do: [{write: {tank.valve: true}}]
undo: [{write: {tank.valve: false}}]
---
rule: low
level: orange
each: {device: tank}
when: level < 1
text: "{level}"
act: 补水
---
form: report
fields: [{id: text, label: 内容, text: 200}]
`;
const PUBLIC = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`;
const files = (street: string, more = '') => ({
  'weinao.yaml': withSiren(site(street, more)),
  'rules/a.yaml': RULES,
  'secrets/city.pub': PUBLIC,
});

async function open(street: string, more = ''): Promise<Estate> {
  const e = await openEstate(files(street, more), [], { turns: 24 });
  e.set('tank.level', 9);
  e.set('door_1903.battery', 88);
  await e.pass(10 * S);
  return e;
}

/** Every byte a platform was sent. */
const seen = (e: Estate, feed: string): string =>
  e
    .brokerOf(feed)
    .taken.map(({ topic, payload }) => `${topic} ${new TextDecoder().decode(payload)}`)
    .join('\n');
const results = (e: Estate, feed: string): JsonObject[] =>
  e
    .members(feed)
    .filter((m) => m.type === 'weinao.command.result.v1')
    .map((m) => m.data);
const logged = (e: Estate): string => e.log.lines.map((line) => JSON.stringify(line)).join('\n');

let number = 0;
async function ask(e: Estate, data: JsonObject, more: JsonObject = {}, beside = {}): Promise<void> {
  const command = {
    ...{ specversion: '1.0', id: `command-${++number}`, source: 'urn:city', type: 'weinao.command.v1' },
    expirytime: new Date(e.clock.now().wall + 30 * S).toISOString(),
    data: { by: '张三', ...data },
    ...more,
  };
  e.brokerOf('city').deliver('wn/1/city/s1/dn/cmd', JSON.stringify(command), beside);
  await e.pass(5 * S);
}

describe('what one platform writes into its commands', () => {
  it('reaches no other, and no log, in whatever word it stands', async () => {
    const e = await open('[{commands: {}, alarms: {}, forms: {report: {}}}]');
    const words = `${NAME} ${PHONE}`;
    await ask(e, { do: 'ack', aid: words, rev: 1 });
    await ask(e, { do: 'ack', aid: PHONE, rev: 1 });
    await ask(e, { do: 'ack', aid: 'a', rev: 1, [words]: 1 });
    await ask(e, { do: 'write', point: words, value: 1 }, { subject: words });
    await ask(e, { do: 'write', point: PHONE, value: words }, { subject: 'tank' });
    await ask(e, { do: 'write', point: 'code', value: Number(PHONE) }, { subject: 'pad' });
    await ask(e, { do: 'form', form: words, fields: { text: words } });
    await ask(e, { do: 'form', form: PHONE, fields: {} });
    await ask(e, { do: 'form', form: 'report', fields: { text: words, [words]: words } });
    await ask(e, { do: 'form', form: 'report', fields: { text: words } }, { id: words });
    await ask(e, { do: 'maint', what: words, for: '1h', why: words });
    await ask(e, { do: 'snapshot' }, { subject: words });
    await ask(
      e,
      { do: 'write', point: 'valve', value: true, why: words, by: words },
      { subject: 'tank', source: words },
    );
    await ask(e, { do: words });
    await e.pass(2 * M);
    expect(results(e, 'street').length).toBeGreaterThanOrEqual(14);
    expect(e.members('street').filter((m) => m.type === 'weinao.report.created.v1')).toHaveLength(1);
    for (const trace of [NAME, PHONE, '翠花'])
      for (const [where, text] of [
        ['street', seen(e, 'street')],
        ['log', logged(e)],
      ] as const)
        expect(
          text.split('\n').filter((line) => line.includes(trace)),
          `${where} ${trace}`,
        ).toEqual([]);
    expect(seen(e, 'city')).toContain(NAME);
  });

  it('and the value of a point it may switch stays between the two, also when it fails', async () => {
    const e = await open('[{commands: {}}]');
    await ask(e, { do: 'write', point: 'code', value: CODE }, { subject: 'pad' });
    e.dead('pad', true);
    await ask(e, { do: 'write', point: 'code', value: CODE }, { subject: 'pad' });
    await e.pass(M);
    expect(results(e, 'city').map((r) => r.outcome)).toEqual(['accepted', 'done', 'accepted', 'failed']);
    expect(results(e, 'city')[1]).toMatchObject({ value: CODE, read_back: CODE });
    expect(results(e, 'street').map((r) => r.outcome)).toEqual(['accepted', 'done', 'accepted', 'failed']);
    expect(seen(e, 'street')).not.toContain(String(CODE));
  });

  it('and who said yes on site is nobody it is told, in stream or answer', async () => {
    const e = await open('[{commands: {}}]');
    await ask(
      e,
      { do: 'write', point: 'on', value: true },
      { subject: 'siren', id: 'waits-1' },
      { responseTopic: 'wn/1/city/s1/re/1' },
    );
    void e.house.commands.confirm('waits-1', NAME, true).catch(() => {});
    await e.pass(5 * S);
    const answers = e.brokerOf('city').taken.filter((p) => p.topic.endsWith('/re/1'));
    expect(answers.map((p) => JSON.parse(new TextDecoder().decode(p.payload)))).toMatchObject([
      { outcome: 'accepted' },
      { outcome: 'confirming' },
      { outcome: 'done', confirmed_by: '欧＊' },
    ]);
    for (const feed of ['city', 'street']) expect(seen(e, feed)).not.toContain(NAME);
  });
});

describe('whose rule it was', () => {
  it('does not stand in what the rule did elsewhere', async () => {
    const e = await open('[{commands: {}, alarms: {}}]');
    e.set('door_1903.open', true);
    await e.pass(10 * S);
    e.set('door_1903.open', false);
    await e.pass(M);
    const done = results(e, 'street');
    expect(done.map((r) => [r.device, r.point, r.outcome])).toContainEqual(['tank', 'valve', 'done']);
    expect(seen(e, 'street')).not.toContain('1903');
  });
});

describe('counting what is not shown', () => {
  /** An hour in which something happens in a flat, or nothing does. */
  async function hour(happens: boolean): Promise<Estate> {
    const ali =
      '  ali: {to: "mqtts://broker", mqtt: 3, codec: alink, ack: broker, alink: {product: p, device: d, sub_product: q}, view: [{telemetry: {type: tank, points: level}}, {alarms: {rule: low}}]}\n';
    const e = await open('[{alarms: {rule: low}}, {telemetry: {type: tank, points: level}}]', ali);
    for (let i = 0; i < 12; i++) {
      e.set('door_1903.open', happens && i % 2 === 0);
      await e.pass(5 * M);
    }
    e.set('tank.level', 0);
    await e.pass(10 * S);
    return e;
  }
  it('does not work by the backlog, nor by the ids of packets', { timeout: 120_000 }, async () => {
    const [quiet, lively] = [await hour(false), await hour(true)];
    const said = (e: Estate, feed: string, has: string): unknown[] =>
      e
        .brokerOf(feed)
        .taken.filter(({ topic }) => topic.endsWith(has))
        .map(({ payload }) => JSON.parse(new TextDecoder().decode(payload)) as JsonObject)
        .map((body) => body.backlog ?? body.id);
    // The epoch is another one in each life, and packets are counted from it.
    const steps = (ids: unknown[]): number[] =>
      ids.slice(1).map((id, i) => (Number(id) - Number(ids[i]) + 2 ** 32) % 2 ** 32);
    expect(said(lively, 'street', '/up/state').length).toBeGreaterThan(10);
    expect(said(lively, 'street', '/up/state')).toEqual(said(quiet, 'street', '/up/state'));
    const post = 'thing/event/property/pack/post';
    expect(said(lively, 'ali', post).length).toBeGreaterThan(3);
    expect(steps(said(lively, 'ali', post))).toEqual(steps(said(quiet, 'ali', post)));
    // What is between two members is the same number of members, too.
    expect(lively.members('street').map((m) => m.type)).toEqual(quiet.members('street').map((m) => m.type));
  });

  it('nor by what waited while the platform was away', { timeout: 60_000 }, async () => {
    const away = async (happens: boolean): Promise<Estate> => {
      const e = await open('[{alarms: {rule: low}}]');
      const broker = e.brokerOf('street');
      broker.isAway = true;
      broker.drop();
      for (let i = 0; i < 6; i++) {
        e.set('door_1903.open', happens && i % 2 === 0);
        await e.pass(M);
      }
      broker.isAway = false;
      await e.pass(6 * M);
      return e;
    };
    const waits = (e: Estate): unknown[] =>
      e
        .brokerOf('street')
        .taken.filter(({ topic }) => topic.endsWith('/up/state'))
        .map(({ payload }) => (JSON.parse(new TextDecoder().decode(payload)) as JsonObject).backlog);
    const [quiet, lively] = [await away(false), await away(true)];
    expect(waits(lively).length).toBeGreaterThan(1);
    expect(waits(lively)).toEqual(waits(quiet));
  });
});

describe('a right to one class', () => {
  it('is none to the ids of the other', async () => {
    const e = await open('[{telemetry: {classes: sensitive}}, {devices: {classes: sensitive}}]');
    await e.pass(M);
    expect(e.members('street').some((m) => m.type === 'weinao.telemetry.sampled.v1')).toBe(true);
    expect(seen(e, 'street')).not.toContain('1903');
  });
});

describe('asking again after the view was narrowed', () => {
  it('brings nothing back', { timeout: 60_000 }, async () => {
    const e = await open('[{forms: {report: {classes: personal}}}, {telemetry: {classes: personal}}]');
    const report = { kind: 'form', form: 'report', fields: { text: NAME }, by: NAME } as const;
    void e.house.operate(report);
    await e.pass(10 * S);
    expect(seen(e, 'street')).toContain(NAME);
    const before = e.members('street').at(-1)?.envelope ?? {};
    await e.reload(files('[{forms: {report: {}}}]'));
    await e.pass(10 * S);
    const broker = e.brokerOf('street');
    const mark = broker.taken.length;
    const epochs = [...new Set(e.members('street').map((m) => String(m.envelope.wnstream)))];
    for (const stream of [...epochs, String(before.wnstream)]) {
      broker.deliver('wn/1/street/s1/dn/replay', JSON.stringify({ stream, from: 1, to: 100 }));
      await e.pass(70 * S);
    }
    broker.drop();
    void e.house.operate(report);
    await e.pass(2 * M);
    const later = broker.taken.slice(mark).map(({ topic, payload }) => `${topic} ${new TextDecoder().decode(payload)}`);
    expect(later.some((line) => line.includes('report.created'))).toBe(true);
    expect(later.filter((line) => line.includes(NAME) || line.includes('1903'))).toEqual([]);
  });
});

describe('a pseudonym', () => {
  it('is another one in each feed, stays over a reload, and stands nowhere beside what it hides', async () => {
    const police = '  police: {to: "mqtts://broker", view: [{alarms: {}}]}\n';
    const e = await open('[{alarms: {}}]', police);
    const names = (feed: string): string[] => [...new Set(seen(e, feed).match(/p_[0-9a-f]{16}/gu) ?? [])];
    e.set('door_1903.open', true);
    await e.pass(10 * S);
    const [street, other] = [names('street'), names('police')];
    expect([street.length, other.length]).toEqual([1, 1]);
    expect(street).not.toEqual(other);
    await e.reload(files('[{alarms: {}}, {config: {}}]', police));
    e.set('door_1903.open', false);
    await e.pass(M);
    expect(names('street')).toEqual(street);
    for (const feed of ['street', 'police']) expect(seen(e, feed)).not.toContain('1903');
  });
});

describe('what is written for people', () => {
  it('names nobody to whom nobody is named: contract, schemas, page, view, export', { timeout: 60_000 }, async () => {
    const e = await open('[{alarms: {}, commands: {}, telemetry: {}, devices: {}, forms: {report: {}}}]');
    void e.house.operate({ kind: 'form', form: 'report', fields: { text: `${NAME} ${PHONE}` }, by: NAME });
    e.set('door_1903.open', true);
    await e.pass(M);
    const contract = JSON.stringify(await feedContract(e.config, {}, 'street'));
    const view = (await viewFeed(e.config, {}, 'street', 500)).members.join('\n');
    const { site: checked } = await checkConfig(e.config, {});
    if (checked === undefined) throw new Error('no site');
    const rows: string[] = [];
    for (const what of ['readings', 'events'] as const)
      await exportRows(
        checked,
        { what, format: 'ndjson', from: 0, to: 4e12, isPersonalToo: false },
        (line) => void rows.push(line),
        new AbortController().signal,
      );
    expect(rows.length).toBeGreaterThan(3);
    for (const [where, text] of Object.entries({ contract, view, export: rows.join('\n') }))
      for (const trace of [NAME, PHONE, '1903']) expect(text.includes(trace), `${where} ${trace}`).toBe(false);
  });
});

describe('what happens to somebody afterwards', () => {
  it('is nothing a platform hears that was told nothing: erasure, a home that moves in or out', {
    timeout: 60_000,
  }, async () => {
    const street =
      '[{telemetry: {type: tank, points: level}}, {devices: {}}, {alarms: {rule: low}}, {forms: {report: {}}}]';
    const run = async (happens: boolean): Promise<Estate> => {
      const e = await open(street);
      e.set('door_1903.open', true);
      await e.pass(M);
      e.set('door_1903.open', false);
      await e.pass(M);
      if (happens) {
        const what = { devices: ['door_1903', 'flat_1903'], points: [], forms: [], from: 0, to: 4e12 };
        const erasing = e.house.erase({ what, by: NAME, reason: NAME });
        await e.pass(M);
        expect((await erasing).events).toBeGreaterThan(0);
      } else await e.pass(M);
      const gone = withSiren(site(street))
        .split('\n')
        .filter((line) => !line.includes('1903') || line.includes('places:'));
      await e.reload({
        'weinao.yaml': happens
          ? gone.join('\n').replace(', b7_1903: {name: 7栋1903, in: b7}', '')
          : withSiren(site(street)),
      });
      await e.pass(5 * M);
      e.set('tank.level', 0);
      await e.pass(10 * S);
      return e;
    };
    const [quiet, lively] = [await run(false), await run(true)];
    const told = (e: Estate): string[] => e.members('street').map((m) => `${m.type} ${m.envelope.wnview}`);
    expect(told(quiet).length).toBeGreaterThan(5);
    expect(told(lively)).toEqual(told(quiet));
    expect(seen(lively, 'street')).not.toContain('1903');
  });
});
