/** Rule packs end to end on virtual time: bytes of devices in, MQTT messages out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Answer, Operation } from '../../src/base/rules.ts';
import { type Estate, openEstate } from '../kit/estate.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;

/** A pack's own example estate, with a platform. */
async function packed(pack: string, setup: Parameters<typeof openEstate>[2] = {}): Promise<Estate> {
  const example = readFileSync(join(import.meta.dirname, '../../config/packs', pack, 'example.yaml'), 'utf8');
  const yaml = `${example.replace('/tmp/weinao-pack', 'DATA')}feeds: {city: {to: "mqtt://broker", view: everything}}\n`;
  return openEstate({ 'weinao.yaml': yaml }, [pack], setup);
}

const texts = (estate: Estate, kind: string, rule: string): string[] =>
  estate
    .alarms()
    .filter((a) => a.kind === kind && a.data.rule === rule)
    .map((a) => String(a.data.text));

const sound = (estate: Estate): void => {
  expect(estate.summary()).toMatchObject({ chain: 'ok', gaps: 0, duplicates: 0, faults: [] });
};

/** time goes on while the disk answers */
const ask = async (e: Estate, what: Operation): Promise<Answer> => {
  const answer = e.house.operate(what);
  await e.pass(2500);
  return answer;
};

describe('an estate from the bytes of its devices to the messages of its platform', () => {
  it('elder: a door closed for 48 hours, over a restart; acknowledged after the street office was told', {
    timeout: 120_000,
  }, async () => {
    const e = await packed('elder_door');
    e.set('door_301.open', false);
    await e.pass(30 * H);
    await e.restart();
    await e.pass(17 * H + 50 * M);
    expect(texts(e, 'raised', 'elder_door')).toEqual([]);
    await e.pass(12 * M);
    expect(texts(e, 'raised', 'elder_door')).toEqual(['3栋 已 48 小时未开门']);
    await e.pass(6 * M);
    const [alarm] = e.house.board.open();
    expect(alarm?.told).toEqual(['property', 'street']);
    expect(await ask(e, { kind: 'ack', aid: alarm?.aid ?? '', by: '李阿姨' })).toMatchObject({ ok: true });
    await e.pass(H);
    expect(e.alarms().map((a) => a.kind)).toEqual(['raised', 'escalated', 'escalated', 'acked']);
    e.set('door_301.open', true);
    await e.pass(20 * M);
    expect(e.alarms().at(-1)?.kind).toBe('cleared');
    expect(e.house.board.open()).toEqual([]);
    sound(e);
  });

  it('smoke in the e-bike shed: hydrant with water, siren, camera, latch', { timeout: 60_000 }, async () => {
    const e = await packed('ebike_smoke');
    e.set('hydrant_1.pressure', 0.02);
    e.set('hydrant_2.pressure', 0.31);
    await e.pass(10 * S);
    e.set('smoke_1.alarm', true);
    await e.pass(3 * S);
    expect(texts(e, 'raised', 'shed_smoke')).toEqual([
      '充电棚 火警！最近有水消火栓 2号消火栓，44 米，压力 0.31 MPa；没水：1号消火栓',
    ]);
    expect(e.writes).toMatchObject([{ device: 'siren_shed', point: 'on', value: 1 }]);
    // The screen has it before the siren is written.
    const shown = e.screen.find((l) => l.alarm.rule === 'shed_smoke');
    expect(shown?.at).toBeLessThanOrEqual(e.writes[0]?.at ?? 0);
    await e.pass(6 * M);
    expect(e.house.board.open().find((a) => a.rule === 'shed_smoke')?.told).toEqual(['duty', 'property', 'street']);
    e.set('smoke_1.alarm', false);
    await e.pass(5 * S);
    expect(e.writes.map((w) => w.value)).toEqual([1, 0]);
    const { aid = '' } = e.house.board.open().find((a) => a.rule === 'shed_smoke') ?? {};
    expect(await ask(e, { kind: 'reset', aid, by: '王队' })).toMatchObject({ ok: true });
    await e.pass(S);
    expect(
      e
        .alarms()
        .filter((a) => a.data.rule === 'shed_smoke')
        .at(-1)?.kind,
    ).toBe('closed');
    sound(e);
  });

  it('perimeter: camera and beam at night, and the whole is recorded', { timeout: 60_000 }, async () => {
    const e = await packed('perimeter', { wall: Date.UTC(2026, 5, 1, 15) });
    await e.pass(5 * S);
    e.set('cam_n.line_cross', true);
    await e.pass(4 * S);
    e.set('cam_n.line_cross', false);
    e.set('beam_n.broken', true);
    await e.pass(2 * S);
    e.set('beam_n.broken', false);
    await e.pass(2 * M);
    expect(texts(e, 'raised', 'perimeter')).toEqual(['北围墙 有人翻越（北墙摄像机、北墙对射）']);
    expect(
      e
        .alarms()
        .filter((a) => a.data.rule === 'perimeter')
        .map((a) => a.kind),
    ).toEqual(['raised', 'escalated', 'cleared']);
    sound(e);
  });

  it('lift: stopped between floors with two people, red; the lift goes on, cleared', { timeout: 60_000 }, async () => {
    const e = await packed('lift_stuck');
    for (const [point, value] of [
      ['speed', 1.5],
      ['level_ok', true],
      ['powered', true],
      ['people', 2],
    ] as const)
      e.set(`lift_1.${point}`, value);
    await e.pass(M);
    e.set('lift_1.speed', 0);
    e.set('lift_1.level_ok', false);
    await e.pass(4 * M);
    const [raised] = e.alarms();
    expect(raised).toMatchObject({ kind: 'raised', data: { level: 'red', text: '1栋1号梯 停在两层之间' } });
    e.set('lift_1.level_ok', true);
    await e.pass(M);
    expect(e.alarms().at(-1)?.kind).toBe('cleared');
    sound(e);
  });

  it('fire tank: the trend says when it will be empty', { timeout: 120_000 }, async () => {
    const e = await packed('fire_tank');
    for (let i = 0; i <= 240; i++) {
      e.set('tank_1.level', 2.2 - 0.3 * (i / 60));
      await e.pass(M);
    }
    expect(texts(e, 'raised', 'fire_tank').length).toBe(1);
    expect(texts(e, 'raised', 'fire_tank')[0]).toMatch(/^约 \d 小时后低于0.2米/);
    sound(e);
  });

  it('leak by night minimum flow, and the flat that nobody lives in', { timeout: 120_000 }, async () => {
    const e = await packed('leak_occupancy', { wall: Date.UTC(2026, 5, 1, 16) });
    for (let i = 0; i < 80 * 4; i++) {
      e.set('water_301.total', 100 + i * 0.01);
      e.set('elec_301.total', 500 + i * 0.05);
      await e.pass(15 * M);
    }
    expect(texts(e, 'raised', 'leak').length).toBe(1);
    const occupied = [...e.broker.taken].some(({ payload }) =>
      new TextDecoder().decode(payload).includes('"occupied"'),
    );
    expect(occupied).toBe(true);
    sound(e);
  });

  it('help call: property, street, police; the platform sees each step; an acknowledgement ends it', {
    timeout: 60_000,
  }, async () => {
    const e = await packed('help_call');
    await e.pass(5 * S);
    e.set('button_502.pressed', true);
    await e.pass(3 * M);
    const steps = e
      .alarms()
      .filter((a) => a.data.rule === 'help_call')
      .map((a) => a.kind);
    expect(steps).toEqual(['raised', 'escalated', 'escalated']);
    const { aid = '' } = e.house.board.open()[0] ?? {};
    await ask(e, { kind: 'ack', aid, by: '物业值班' });
    await e.pass(10 * M);
    expect(e.house.board.open()[0]?.told).toEqual(['property', 'street']);
    sound(e);
  });

  it('a voice robot is called and answers with one of six results', { timeout: 60_000 }, async () => {
    const example = readFileSync(join(import.meta.dirname, '../../config/packs/voice_callout/example.yaml'), 'utf8');
    const yaml = `${example.replace('/tmp/weinao-pack', 'DATA')}feeds: {city: {to: "mqtt://broker", view: everything}}\n`;
    const e = await openEstate({ 'weinao.yaml': yaml, 'secrets/voice_robot': 'http://robot.local/call\n' }, [
      'voice_callout',
    ]);
    e.answer = () => ({ form: 'call_result', fields: { unit: 'b3', result: 'red' } });
    await e.pass(24 * H + 15 * M);
    expect(e.told).toMatchObject([
      { person: 'voice_robot', body: { text: '您好，这里是物业，您一切都好吗？', device: 'door_301' } },
    ]);
    expect(e.alarms().find((a) => a.kind === 'raised' && a.data.rule === 'call_red')).toMatchObject({
      data: { level: 'red' },
    });
    sound(e);
  });

  it('maintenance: recorded, muted, sent as a test; a dead device is one alarm', { timeout: 60_000 }, async () => {
    const e = await packed('help_call');
    await e.pass(5 * S);
    await ask(e, { kind: 'maintain', what: 'button_502', by: '李工', reason: '换电池', forMs: H });
    e.set('button_502.pressed', true);
    await e.pass(3 * S);
    expect(e.alarms()).toMatchObject([
      { kind: 'raised', test: true, data: { mute: 'maintenance', mute_reason: '换电池' } },
    ]);
    e.dead('button_502', true);
    await e.pass(30 * S);
    expect(e.alarms().at(-1)).toMatchObject({ data: { rule: 'no_data', mute: 'maintenance' } });
    await e.pass(H);
    expect(e.house.board.open().every((a) => a.mute === 'none')).toBe(true);
    sound(e);
  });

  it('with the store dead a red alarm still reaches the screen and switches the siren', {
    timeout: 60_000,
  }, async () => {
    const e = await packed('ebike_smoke');
    await e.pass(5 * S);
    e.store().hold();
    e.set('smoke_1.alarm', true);
    const began = e.clock.mono();
    await e.pass(3 * S);
    // a poll of a second, and a second for the store to answer
    expect((e.screen.find((l) => l.alarm.rule === 'shed_smoke')?.at ?? Number.NaN) - began).toBeLessThanOrEqual(2 * S);
    expect((e.writes[0]?.at ?? Number.NaN) - began).toBeLessThanOrEqual(2 * S);
    expect(e.screen.find((l) => l.alarm.rule === 'shed_smoke')).toMatchObject({ held: true });
    expect(e.writes.map((w) => `${w.device} ${w.value}`)).toEqual(['siren_shed 1']);
    e.store().release();
    await e.pass(5 * S);
    expect(e.writes.length).toBe(1);
    expect(texts(e, 'raised', 'shed_smoke').length).toBe(1);
  });
});
