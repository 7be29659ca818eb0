/** Platforms' commands through the whole house on virtual time: an MQTT message in, bytes on a line, results in the stream. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonical, type JsonObject } from '../../src/base/json.ts';
import type { Beside } from '../../src/io/mqtt.ts';
import { type Estate, openEstate } from '../kit/estate.ts';

const S = 1000;
const M = 60 * S;
const { publicKey, privateKey } = generateKeyPairSync('ed25519');

const FILES = {
  'weinao.yaml': `site: {id: s1, name: 测试, lat: 22.54, lon: 114.05}
gateway: {id: g1, data: DATA}
people: {duty: {screen: true}, guard: {webhook: {file: guard}}}
times: {dark: "18:00 .. 06:00"}
channels: {plc: {modbus_tcp: "127.0.0.1:502"}}
devices:
  tank_1: {driver: modbus, channel: plc, address: 1, poll: 1s, type: tank, points: {level: {register: holding 0, as: uint16, unit: m}}}
  lamp_1: {driver: modbus, channel: plc, address: 2, poll: 1s, type: lamp, points: {dim: {register: holding 0, as: uint16, unit: "%"}}}
  lamp_2: {driver: modbus, channel: plc, address: 3, poll: 1s, type: lamp, points: {dim: {register: holding 0, as: uint16, unit: "%"}}}
  gate_1: {driver: modbus, channel: plc, address: 4, poll: 1s, type: gate, points: {open: {register: coil 0, as: bool}}}
feeds:
  city:
    to: "mqtt://broker"
    view: everything
    signers: {nanshan: {file: nanshan.pub}}
    max_ttl: 2m
    commands:
      - {allow: write, to: {device: lamp_1}, point: dim, range: [0, 100], rate: 3/1m}
      - {allow: write, to: {device: lamp_2}, point: dim, values: [0, 50], only: dark}
      - {allow: write, to: {type: gate}, point: open, signed: true, confirm: guard}
      - {allow: [ack, shelve, unshelve], to: {type: tank}}
      - {allow: maint, to: {type: tank}}
      - {allow: form, forms: report}
`,
  'rules/a.yaml': `rule: low
name: 水位低
level: 'level < 50 ? "red" : "orange"'
each: {type: tank}
when: level < 100
text: "{level}"
act: 补水
---
form: report
fields: [{id: kind, label: 类别, pick: [漏水, 其他], must: true}]
---
form: secret
fields: [{id: kind, label: 类别, pick: [漏水, 其他], must: true}]
`,
  'secrets/nanshan.pub': publicKey.export({ type: 'spki', format: 'pem' }) as string,
  'secrets/guard': 'http://127.0.0.1:1/guard',
};

let number = 0;
/** Sends it, and lets a second pass. */
async function command(
  e: Estate,
  data: object,
  {
    subject,
    isSigned = false,
    ttl = 30 * S,
    beside = {},
    ...more
  }: { subject?: string; isSigned?: boolean; ttl?: number; beside?: Partial<Beside>; id?: string } = {},
): Promise<string> {
  const id = more.id ?? `command-${++number}`;
  const plain = {
    specversion: '1.0',
    id,
    source: 'urn:city',
    type: 'weinao.command.v1',
    ...(subject === undefined ? {} : { subject }),
    expirytime: new Date(e.clock.now().wall + ttl).toISOString(),
    data: { by: '张三', ...data },
    ...(isSigned ? { kid: 'nanshan', wntarget: 'urn:weinao:s1:g1' } : {}),
  } as unknown as JsonObject;
  const signature = sign(null, Buffer.from(canonical(plain)), privateKey).toString('base64');
  e.broker.deliver('wn/1/city/s1/dn/cmd', JSON.stringify(isSigned ? { ...plain, signature } : plain), beside);
  await e.pass(2 * S);
  return id;
}

/** What the platform was told of it: `outcome reason`. */
function told(e: Estate, id: string): string[] {
  return e
    .results()
    .filter((r) => r.id === id)
    .map((r) => [r.outcome, r.reason].filter((x) => x !== undefined).join(' '));
}

async function open(wall?: number, files: Readonly<Record<string, string>> = FILES): Promise<Estate> {
  const e = await openEstate(files, [], { turns: 24, ...(wall === undefined ? {} : { wall }) });
  e.set('tank_1.level', 900);
  await e.pass(5 * S);
  return e;
}

describe('a write', () => {
  it('within its grant reaches the device, is read back, and answers where it was asked to', async () => {
    const e = await open();
    const beside = { responseTopic: 'wn/1/city/s1/re/1', correlation: Uint8Array.of(7) };
    const id = await command(e, { do: 'write', point: 'dim', value: 80 }, { subject: 'lamp_1', beside });
    expect(e.writes).toMatchObject([{ device: 'lamp_1', point: 'dim', value: 80 }]);
    expect(told(e, id)).toEqual(['accepted', 'done']);
    expect(e.results().at(-1)).toMatchObject({ feed: 'city', by: '张三', device: 'lamp_1', value: 80, read_back: 80 });
    const answers = e.broker.taken.filter((p) => p.topic === 'wn/1/city/s1/re/1');
    expect(answers.map((p) => JSON.parse(new TextDecoder().decode(p.payload)).outcome)).toEqual(['accepted', 'done']);
    expect(answers[1]?.correlation).toEqual(Uint8Array.of(7));
    await command(e, { do: 'write', point: 'dim', value: 80 }, { subject: 'lamp_1', id });
    await e.pass(60 * S);
    expect(e.writes.length).toBe(1);
  });

  it('that no grant names, out of range, at the wrong time or too often is refused with the reason', async () => {
    const e = await open(Date.UTC(2026, 5, 1, 4)); // noon there
    const dim = (value: unknown, subject = 'lamp_1') => command(e, { do: 'write', point: 'dim', value }, { subject });
    const reasons: string[] = [];
    for (const [value, subject] of [[101], [true], [50, 'lamp_2'], [70, 'lamp_2'], [1, 'tank_1'], [1, 'nothing']] as [
      unknown,
      string?,
    ][])
      reasons.push(...told(e, await dim(value, subject)));
    expect(reasons).toEqual([
      'denied out_of_range',
      'denied out_of_range',
      'denied wrong_time',
      'denied out_of_range',
      'denied not_granted',
      'denied not_granted',
    ]);
    expect(e.writes).toEqual([]);
    for (const value of [1, 2, 3, 4]) reasons.push(...told(e, await dim(value)));
    expect(reasons.slice(6)).toEqual(['accepted', 'done', 'accepted', 'done', 'accepted', 'done', 'denied too_often']);
    const night = await open(Date.UTC(2026, 5, 1, 14)); // ten in the evening
    expect(told(night, await command(night, { do: 'write', point: 'dim', value: 50 }, { subject: 'lamp_2' }))).toEqual([
      'accepted',
      'done',
    ]);
  });

  it('to a device that is silent fails, tried once', async () => {
    const e = await open();
    e.dead('lamp_1', true);
    const id = await command(e, { do: 'write', point: 'dim', value: 80 }, { subject: 'lamp_1' });
    await e.pass(20 * S);
    expect(told(e, id)).toEqual(['accepted', expect.stringMatching(/^failed /)]);
    e.dead('lamp_1', false);
    await e.pass(60 * S);
    expect(e.writes).toEqual([]);
  });

  it('is told of to whoever asked, in its own words, also when its view has no commands', async () => {
    const yaml = FILES['weinao.yaml'].replace('view: everything', 'view: [{alarms: {level: [red]}}]');
    const e = await open(undefined, { ...FILES, 'weinao.yaml': yaml });
    const id = await command(e, { do: 'write', point: 'dim', value: 80, why: '夜间巡查' }, { subject: 'lamp_1' });
    expect(told(e, id)).toEqual(['accepted', 'done']);
    expect(e.results().at(-1)).toMatchObject({ source: 'urn:city', by: '张三', why: '夜间巡查', read_back: 80 });
    const ask = { do: 'write', point: 'open', value: true };
    const gate = await command(e, ask, { subject: 'gate_1', isSigned: true });
    const confirmed = e.house.commands.confirm(gate, '李四', true);
    await e.pass(2 * S);
    await confirmed;
    // Who said yes on site is masked.
    expect(e.results().at(-1)).toMatchObject({ outcome: 'done', confirmed_by: '李＊' });
  });

  it('that the broker kept is no command', async () => {
    const e = await open();
    await command(e, { do: 'write', point: 'dim', value: 80 }, { subject: 'lamp_1', beside: { retain: true } });
    expect(e.writes).toEqual([]);
    expect(e.results()).toMatchObject([{ outcome: 'denied', reason: 'retained' }]);
  });
});

describe('a gate', () => {
  it('opens for a signed command and a yes, and for nothing less', async () => {
    const e = await open();
    const ask = { do: 'write', point: 'open', value: true };
    expect(told(e, await command(e, ask, { subject: 'gate_1' }))).toEqual(['denied not_signed']);
    const id = await command(e, ask, { subject: 'gate_1', isSigned: true });
    expect(told(e, id)).toEqual(['accepted', 'confirming']);
    // Whoever must say yes is told how.
    expect(e.told).toMatchObject([
      { person: 'guard', body: { text: `city 张三: gate_1.open = true; weinao confirm ${id}` } },
    ]);
    expect(e.writes).toEqual([]);
    const confirmed = e.house.commands.confirm(id, '李四', true);
    await e.pass(2 * S);
    expect(await confirmed).toMatchObject({ outcome: 'done', confirmed_by: '李四', signer: 'nanshan' });
    expect(e.writes).toMatchObject([{ device: 'gate_1', value: 1 }]);
    // The same bytes once more are the same command, and later they are too old.
    await e.pass(60 * S);
    await command(e, ask, { subject: 'gate_1', isSigned: true, id, ttl: -S });
    expect(e.writes.length).toBe(1);
  });

  it('stays shut when nobody says yes in time, over a restart too', async () => {
    const e = await open();
    const id = await command(e, { do: 'write', point: 'open', value: true }, { subject: 'gate_1', isSigned: true });
    await e.restart();
    await e.pass(5 * S);
    expect(e.house.commands.list().pending).toMatchObject([{ id, outcome: 'confirming' }]);
    await e.pass(60 * S);
    expect(told(e, id)).toEqual(['accepted', 'confirming', 'expired']);
    expect(e.writes).toEqual([]);
  });
});

describe('alarms, maintenance and forms', () => {
  it('an acknowledgement is for what was seen: refused once the alarm became graver', async () => {
    const e = await open();
    e.set('tank_1.level', 80);
    await e.pass(3 * S);
    const [orange] = e.house.board.open();
    e.set('tank_1.level', 20);
    await e.pass(3 * S);
    const [red] = e.house.board.open();
    expect([orange?.level, red?.level]).toEqual(['orange', 'red']);
    const ack = (rev: number | undefined, aid = red?.aid) => command(e, { do: 'ack', aid, rev });
    expect(told(e, await ack(orange?.rev))).toEqual(['accepted', 'denied alarms.moved_on']);
    expect(told(e, await ack((red?.rev ?? 0) + 1))).toEqual(['accepted', 'denied alarms.moved_on']);
    expect(told(e, await ack(red?.rev, red?.aid.slice(-6)))).toEqual(['denied not_granted']);
    expect(told(e, await ack(red?.rev))).toEqual(['accepted', 'done']);
    expect(e.house.board.open()[0]).toMatchObject({ ack: 'acked', by: 'city/张三' });
    // Somebody else acknowledges the same: it is so already.
    expect(told(e, await ack(red?.rev))).toEqual(['accepted', 'done']);
    e.set('tank_1.level', 900);
    await e.pass(3 * S);
    expect(told(e, await ack(red?.rev))).toEqual(['denied not_granted']);
  });

  it('an acknowledgement of a clock that is not synchronised counts, a shelving does not', async () => {
    const e = await open();
    e.set('tank_1.level', 20);
    await e.pass(3 * S);
    e.clock.synced = false;
    const { aid, rev } = e.house.board.open()[0] ?? {};
    expect(told(e, await command(e, { do: 'shelve', aid, for: '1h', why: '检修' }))).toEqual(['denied no_clock']);
    expect(told(e, await command(e, { do: 'ack', aid, rev }, { ttl: -3_600_000 }))).toEqual(['accepted', 'done']);
  });

  it('shelving, maintenance and forms go the ways people go, within their grants', async () => {
    const e = await open();
    e.set('tank_1.level', 20);
    await e.pass(3 * S);
    const { aid } = e.house.board.open()[0] ?? {};
    expect(told(e, await command(e, { do: 'shelve', aid, for: '1h', why: '检修' }))).toEqual(['accepted', 'done']);
    expect(e.house.board.open()[0]).toMatchObject({ mute: 'shelved', muteReason: '检修' });
    expect(told(e, await command(e, { do: 'unshelve', aid }))).toEqual(['accepted', 'done']);
    expect(told(e, await command(e, { do: 'shelve', aid, for: '9h', why: '检修' }))).toEqual([
      'accepted',
      'denied alarms.shelved_too_long',
    ]);
    expect(told(e, await command(e, { do: 'maint', what: 'tank_1', for: '1h', why: '清洗' }))).toEqual([
      'accepted',
      'done',
    ]);
    expect(e.house.maintenance()).toMatchObject([{ what: 'tank_1', by: 'city/张三', reason: '清洗' }]);
    expect(told(e, await command(e, { do: 'maint', what: 'tank_1' }))).toEqual(['accepted', 'done']);
    expect(told(e, await command(e, { do: 'maint', what: 'gate_1', for: '1h', why: 'x' }))).toEqual([
      'denied not_granted',
    ]);
    expect(told(e, await command(e, { do: 'form', form: 'report', fields: { kind: '漏水' } }))).toEqual([
      'accepted',
      'done',
    ]);
    expect(told(e, await command(e, { do: 'form', form: 'report', fields: { kind: '?' } }))).toEqual([
      'accepted',
      'denied forms.wrong',
    ]);
    expect(told(e, await command(e, { do: 'form', form: 'secret', fields: { kind: '漏水' } }))).toEqual([
      'denied not_granted',
    ]);
    expect(told(e, await command(e, { do: 'snapshot' }, { subject: 'tank_1' }))).toEqual(['denied not_granted']);
  });
});

describe('a flood of bad commands', () => {
  /** virtual ms from the water's fall to the duty room's screen */
  const latency = async (e: Estate): Promise<number> => {
    const from = e.clock.mono();
    e.set('tank_1.level', 20);
    await e.pass(3 * S);
    return (e.screen.find((l) => l.alarm.rule === 'low')?.at ?? Number.NaN) - from;
  };

  it('wears nothing: few commits, few rows, and an alarm is as fast as without', async () => {
    const calm = await open();
    const usual = await latency(calm);
    const e = await open();
    await e.pass(M);
    const before = (await facts(e)).counters;
    const bad = [
      '{',
      '{"do":"write"}',
      'x'.repeat(5000),
      JSON.stringify({ id: 'a', source: 'b', type: 'weinao.command.v1' }),
    ];
    for (let i = 0; i < 5000; i++) e.broker.deliver('wn/1/city/s1/dn/cmd', bad[i % bad.length] ?? '');
    const flooded = await latency(e);
    for (let i = 0; i < 5000; i++) e.broker.deliver('wn/1/city/s1/dn/cmd', bad[i % bad.length] ?? '');
    expect(flooded).toBe(usual);
    await e.pass(2 * M);
    const after = (await facts(e)).counters;
    const refused = e.results();
    expect(refused.length).toBe(11);
    expect(refused.at(-1)).toMatchObject({ outcome: 'denied', count: 9990 });
    // The telemetry of three minutes is one commit a second at most; the flood's are a dozen.
    expect((after.events ?? 0) - (before.events ?? 0)).toBeLessThan(11 + 10);
    expect((after.commits ?? 0) - (before.commits ?? 0)).toBeLessThan(190 + 11 + 10);
    expect(e.summary()).toMatchObject({ chain: 'ok', gaps: 0 });
    expect(e.house.uplink.status()[0]?.counters).toMatchObject({ commands: 0, commands_refused: 10_000 });
  });
});

async function facts(e: Estate) {
  const asked = e.house.journal.facts();
  await e.pass(S);
  return asked;
}
