/**
 * A phone number, an identity number, a name and a flat in every text a source can bring. A platform that may see every kind of thing but no
 * personal data must never be sent any of them, in whatever topic or payload; one that may see personal data gets them all.
 */
import { describe, expect, it } from 'vitest';
import { cloudEvent, plain, sent } from '../../drivers/http/simulator.ts';
import { feedContract } from '../../src/app/feed-contract.ts';
import { unpack } from '../../src/base/pack.ts';
import type { Answer, Operation } from '../../src/base/rules.ts';
import { openCameraHouse } from '../kit/camera-house.ts';
import {
  ALL,
  CANARIES,
  FLAT,
  ID,
  NAME,
  NUMBERS,
  OUTSIDE,
  OUTSIDE_RULES,
  PHONE,
  RULES,
  SITE,
  TOLD,
} from '../kit/canary.ts';
import { type Estate, openEstate } from '../kit/estate.ts';

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
      expect(types(feed)).toEqual(expect.arrayContaining([...TOLD]));
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
    const page = JSON.stringify(await feedContract(e.config, {}, 'street'));
    for (const canary of Object.values(CANARIES)) expect(page.includes(canary), canary).toBe(false);
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

  it.each([
    ['', false],
    ['classes: [personal, sensitive]', true],
  ])('nor when a camera says them, to a feed with {%s}', { timeout: 120_000 }, async (rights, sees) => {
    const plate = 'tns1:RuleEngine/Recognition/LicensePlate';
    const keys = `, items: [PlateNumber], name: "门口 ${NUMBERS}", points: {motion: {event: motion}, plate: {topic: "${plate}", item: PlateNumber, as: string, name: "${ALL}"}}`;
    const house = await openCameraHouse(
      [{ persona: 'hikvision', keys }],
      {
        'rules/a.yaml':
          'rule: plate\nlevel: red\neach: {type: camera}\nwhen: size(plate) > 3\ntext: "{name} {plate}"\nact: 看\ndo: [{snapshot: cam_1}]\n',
      },
      `  street: {to: "mqtts://broker", view: [{alarms: {${rights}}, telemetry: {${rights}}, devices: {${rights}}, commands: {${rights}}}]}\n`,
    );
    const { clock, cameras, broker, log } = house;
    const [camera] = cameras;
    await clock.advance(15_000);
    camera?.fire(plate, { VideoSourceToken: ALL, Rule: ALL }, { PlateNumber: ALL, Nation: NAME, Label: PHONE });
    camera?.fire(`tns1:Chat/${NAME}`, { Source: ALL }, { Text: ALL });
    camera?.turn(true);
    await clock.advance(30_000);
    camera?.setPassword(ALL);
    camera?.reboot(5000);
    await clock.advance(120_000);
    expect(house.house.board.open().map((a) => a.rule)).toContain('plate');
    const lines = broker.taken.map(({ topic, payload }) => `${topic} ${new TextDecoder().decode(payload)}`);
    expect(lines.some((line) => line.includes('weinao.alarm.raised.v1'))).toBe(true);
    expect(lines.some((line) => line.includes(FLAT))).toBe(sees);
    const said = log.lines.map((line) => JSON.stringify(line));
    for (const canary of Object.values(CANARIES))
      expect(
        [...(sees ? [] : lines), ...said].filter((line) => line.includes(canary)),
        canary,
      ).toEqual([]);
  });
});
