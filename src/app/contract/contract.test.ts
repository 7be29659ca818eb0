/** The contract held against what a gateway really sends: every member fits its schema, and the topics named are the topics used. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Estate, openEstate } from '../../../test/kit/estate.ts';
import { H, M } from '../../../test/kit/hand.ts';
import { tempFolder, tempSite } from '../../../test/kit/site.ts';
import { blockYaml } from '../../base/block-yaml.ts';
import type { JsonObject } from '../../base/json.ts';
import { feedContract, writeContract } from '../feed-contract.ts';

type Schema = Readonly<Record<string, unknown>>;

const KEYWORDS =
  '$schema $id title type const enum properties required additionalProperties items pattern minimum maximum maxItems'.split(
    ' ',
  );

/** What does not fit, by path. Knows the keywords the schemas use, and refuses any other. */
function misfits(schema: Schema, value: unknown, path = '$'): string[] {
  const odd = Object.keys(schema).filter((key) => !KEYWORDS.includes(key));
  if (odd.length > 0) throw new Error(`keywords ${odd.join()} at ${path}`);
  const wrong: string[] = [];
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.some((type) => isOf(String(type), value)))
    return [`${path}: no ${types.join(' or ')}`];
  if ('const' in schema && schema.const !== value) wrong.push(`${path}: not ${String(schema.const)}`);
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) wrong.push(`${path}: ${String(value)} is no choice`);
  if (typeof value === 'string' && typeof schema.pattern === 'string' && !new RegExp(schema.pattern, 'u').test(value))
    wrong.push(`${path}: ${value} does not match ${schema.pattern}`);
  if (typeof value === 'number') {
    if (typeof schema.minimum === 'number' && value < schema.minimum) wrong.push(`${path}: below ${schema.minimum}`);
    if (typeof schema.maximum === 'number' && value > schema.maximum) wrong.push(`${path}: above ${schema.maximum}`);
  }
  if (Array.isArray(value)) {
    if (typeof schema.maxItems === 'number' && value.length > schema.maxItems) wrong.push(`${path}: too many`);
    if (schema.items !== undefined)
      value.forEach((one, i) => void wrong.push(...misfits(schema.items as Schema, one, `${path}[${i}]`)));
  } else if (typeof value === 'object' && value !== null) wrong.push(...misfit(schema, value as JsonObject, path));
  return wrong;
}

function misfit(schema: Schema, value: JsonObject, path: string): string[] {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, Schema>>;
  const more = schema.additionalProperties;
  const missing = ((schema.required ?? []) as string[]).filter((key) => !(key in value));
  return [
    ...missing.map((key) => `${path}.${key}: missing`),
    ...Object.entries(value).flatMap(([key, one]) => {
      const known = properties[key];
      if (known !== undefined) return misfits(known, one, `${path}.${key}`);
      if (more === false) return [`${path}.${key}: unknown`];
      return typeof more === 'object' ? misfits(more as Schema, one, `${path}.${key}`) : [];
    }),
  ];
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

const FILES = {
  'weinao.yaml': `site: {id: s1, name: 测试小区}
gateway: {id: gw1, data: DATA}
places: {b1: {name: 1栋, kind: building}, f101: {name: 1栋101, in: b1}}
people: {duty: {screen: true}, office: {feed: street}}
channels: {plc: {modbus_tcp: "127.0.0.1:1"}}
devices:
  tank: {driver: modbus, channel: plc, address: 1, poll: 10s, type: tank, zone: b1, name: 水池, points: {level: {register: holding 0, as: uint16, unit: m, class: none, name: 水位}}}
  door: {driver: modbus, channel: plc, address: 2, poll: 10s, type: home_door, zone: f101, points: {open: {register: coil 0, as: bool}}}
assets: {flat: {type: home, zone: f101, door: door}}
stats:
  level: {name: 平均水位, of: {type: tank, point: level}, mean: true, by: building, every: 15m}
  alarms: {of: {alarms: {}}, count: true, every: 1h}
feeds:
  FEED
`,
  'rules/a.yaml': `rule: low
name: 水位低
level: orange
theme: fire
each: {type: tank}
when: level < 100
text: 水位 {level}
act: 补水
escalate: {0s: duty, 1m: office}
---
rule: shut
name: 久未开门
level: yellow
theme: elder
each: {type: home_door}
when: open == false
for: 5m
text: "{place} {hours(held)}"
act: 敲门
---
form: report
name: 居民上报
fields:
  - {id: kind, label: 类别, pick: [噪音, 漏水], must: true}
  - {id: text, label: 内容, text: 200}
  - {id: phone, label: 电话, text: 20, person: personal}
`,
};

const EVERYTHING = '{to: "mqtt://h:1", view: everything, purpose: {zh: 物业管理, en: property management}}';
const STREET = `{to: "mqtts://iot.street.example:8883", ack: app, purpose: 街道应急, view: [
    {alarms: {level: [orange, red], or: {theme: elder}, drop: [act]}},
    {stats: {level: {}}}, {telemetry: {type: tank}}, {devices: {type: tank}},
    {forms: {report: {drop: [phone]}}}]}`;

/** What happens in an estate, as far as a feed can be told of it. */
async function lived(feed: string): Promise<{ estate: Estate; config: string }> {
  const files = { ...FILES, 'weinao.yaml': FILES['weinao.yaml'].replace('FEED', `street: ${feed}`) };
  const estate = await openEstate(files, [], { wall: Date.UTC(2026, 5, 1, 3) });
  estate.set('tank.level', 50);
  await estate.pass(2 * M);
  const { house } = estate;
  const aid = house.board.open().find((a) => a.rule === 'low')?.aid ?? '';
  await house.operate({ kind: 'ack', aid, by: '王芳' });
  await house.operate({
    kind: 'form',
    form: 'report',
    fields: { kind: '漏水', text: '三楼', phone: '13800138000' },
    by: '李明',
  });
  await estate.pass(6 * M);
  const shut = house.board.open().find((a) => a.rule === 'shut')?.aid ?? '';
  await house.operate({ kind: 'shelve', aid: shut, by: '王芳', reason: '出门了', forMs: H });
  estate.set('tank.level', 300);
  estate.dead('door', true);
  await estate.pass(10 * M);
  house.synced();
  await estate.restart();
  await estate.pass(H);
  return { estate, config: tempSite(files).config };
}

const MEMBERS = ['a', 't'].map((stream) => `wn/1/street/s1/up/${stream}`);

describe.each([
  ['everything', EVERYTHING],
  ['a view', STREET],
])('the contract of a feed that sees %s', (_, feed) => {
  it('describes every member it sends, and exactly its topics', async () => {
    const { estate, config } = await lived(feed);
    const { schemas, asyncapi } = await feedContract(config, {}, 'street');
    const seen = new Set<string>();
    for (const { topic, payload } of estate.broker.taken) {
      if (!MEMBERS.includes(topic)) continue;
      const member = JSON.parse(new TextDecoder().decode(payload)) as { type: string; data: JsonObject };
      const kind = member.type.slice('weinao.'.length, -'.v1'.length);
      seen.add(kind);
      const schema = schemas[kind];
      expect(schema === undefined ? [`no schema for ${kind}`] : misfits(schema, member), kind).toEqual([]);
      // The schemas are no formality: what a member lacks, or has too much of, is a fault.
      expect(misfits(schema ?? {}, { ...member, extra: 1 })).toEqual(['$.extra: unknown']);
      const { wnhash: _hash, ...rest } = member as JsonObject & { wnhash?: string };
      expect(misfits(schema ?? {}, rest)).toEqual(['$.wnhash: missing']);
    }
    for (const kind of [
      'alarm.raised',
      'alarm.escalated',
      'telemetry.sampled',
      'stat.computed',
      'report.created',
      'clock.synced',
      'feed.epoch',
    ])
      expect(seen, kind).toContain(kind);
    const isAll = feed === EVERYTHING;
    expect(seen).toContain('alarm.shelved');
    expect(Object.keys(schemas).includes('command.result')).toBe(isAll);
    const { channels, operations } = asyncapi as {
      channels: Record<string, JsonObject>;
      operations: Record<string, JsonObject>;
    };
    const addressed = (action: string): string[] =>
      Object.values(operations)
        .filter((o) => o.action === action)
        .map((o) => channels[String((o.channel as JsonObject).$ref).slice('#/channels/'.length)])
        .flatMap((channel) => {
          const parameters = channel?.parameters as { device: { enum: string[] } } | undefined;
          const address = String(channel?.address);
          return parameters === undefined
            ? [address]
            : parameters.device.enum.map((d) => address.replace('{device}', d));
        })
        .sort();
    expect(addressed('send')).toEqual([...new Set(estate.broker.taken.map((p) => p.topic))].sort());
    expect(addressed('receive')).toEqual([...estate.broker.subscribed].sort());
  });
});

describe('the page', () => {
  it('says what is collected, what of it is shared, of which class, why and for how long', async () => {
    const files = { ...FILES, 'weinao.yaml': FILES['weinao.yaml'].replace('FEED', `street: ${STREET}`) };
    const { page } = await feedContract(tempSite(files).config, {}, 'street');
    expect(page).toMatchSnapshot();
  });

  it.each([
    ['{level: [red, orange]}', ['1 条规则：水位低 | 非个人 | 是', '1 条规则：久未开门 | 个人信息 | 否']],
    ['{theme: [elder]}', ['2 条规则：水位低、久未开门 | 非个人 | 是']],
    ['{rule: [shut], told: true}', ['1 条规则：水位低 | 非个人 | 是', '1 条规则：久未开门 | 个人信息 | 否']],
  ])(
    'names no rule as shared whose alarms the view keeps back, and one that calls the feed: %s',
    async (alarms, rows) => {
      const feed = `street: {to: "mqtt://h:1", view: [{alarms: ${alarms}}]}`;
      const files = { ...FILES, 'weinao.yaml': FILES['weinao.yaml'].replace('FEED', feed) };
      const { page } = await feedContract(tempSite(files).config, {}, 'street');
      expect(page.zh.split('\n').filter((line) => line.startsWith('| 报警 |'))).toEqual(
        rows.map((row) => `| 报警 | ${row} | 180d |`),
      );
    },
  );
});

it("of a feed over HTTP names one address, and of a vendor's codec no topics at all", async () => {
  const of = (feed: string) =>
    feedContract(
      tempSite({ ...FILES, 'weinao.yaml': FILES['weinao.yaml'].replace('FEED', `street: ${feed}`) }).config,
      { T: 'secret' },
      'street',
    );
  const { asyncapi, schemas } = await of('{to: "https://gov.example/in?k=1", batch: 50, view: everything}');
  expect(asyncapi).toMatchObject({
    servers: { platform: { host: 'gov.example', protocol: 'https' } },
    channels: { events: { address: '/in?k=1', summary: expect.stringContaining('50') as string } },
    operations: { send_events: { action: 'send' } },
  });
  const named = Object.keys((asyncapi as { channels: { events: { messages: object } } }).channels.events.messages);
  expect(named).toEqual(expect.arrayContaining(Object.keys(schemas).map((kind) => kind.replace('.', '_'))));
  const vendor = await of(
    '{to: "mqtt://tb.example", codec: thingsboard, token: {env: T}, view: [{telemetry: {type: tank}}]}',
  );
  expect(vendor.asyncapi).toBeUndefined();
  expect(vendor.page.zh).toContain('thingsboard');
});

it('is written as files that can be read again', async () => {
  const files = { ...FILES, 'weinao.yaml': FILES['weinao.yaml'].replace('FEED', `street: ${STREET}`) };
  const contract = await feedContract(tempSite(files).config, {}, 'street');
  const folder = tempFolder();
  await writeContract(contract, folder);
  expect(parse(readFileSync(join(folder, 'asyncapi.yaml'), 'utf8'))).toEqual(contract.asyncapi);
  const names = readdirSync(join(folder, 'schemas'));
  expect(names.sort()).toEqual(
    Object.keys(contract.schemas)
      .map((kind) => `${kind}.json`)
      .sort(),
  );
  for (const name of names)
    expect(JSON.parse(readFileSync(join(folder, 'schemas', name), 'utf8'))).toEqual(
      contract.schemas[name.slice(0, -5)],
    );
  const odd = { yes: ['a', 1], 'x:y': { n: {}, l: [], o: [{ a: 1, b: { c: [] } }, [1, 2]] }, t: '# "no": é\n' };
  expect(parse(blockYaml(odd))).toEqual(odd);
});
