/** Devices behind a broker in a whole estate on virtual time: what is kept, who is there, edges, writing, a reload under way. */
import { describe, expect, it } from 'vitest';
import { zigbee, zigbeeThere } from '../../drivers/mqtt/simulator.ts';
import { type Estate, openEstate } from '../kit/estate.ts';

const YAML = `site: {id: s1, name: 小区, timezone: Asia/Shanghai}
gateway: {id: g1, data: DATA}
people: {duty: {screen: true}}
channels: {b: {mqtt: "mqtt://broker"}}
devices:
  smoke_1: {driver: mqtt, channel: b, address: smoke_1, profile: z2m_smoke, type: smoke, poll: 8h}
  leak_1: {driver: mqtt, channel: b, address: leak_1, profile: z2m_leak, type: leak, poll: 10m}
  valve: {driver: mqtt, channel: b, address: valve, profile: z2m_plug, poll: 10m}
feeds: {city: {to: "mqtt://platform", view: everything}}
`;
const RULES = `rule: smoke
level: red
each: {type: smoke}
when: alarm
text: "烟雾"
act: 疏散
---
rule: leak
level: red
each: {type: leak}
when: alarm
text: "漏水"
act: 看阀门
do: [{write: {valve.on: false}}]
`;

const open = (): Promise<Estate> => openEstate({ 'weinao.yaml': YAML, 'rules/a.yaml': RULES }, []);
const raised = (e: Estate): string[] =>
  e
    .alarms()
    .filter((a) => a.kind === 'raised')
    .map((a) => String(a.data.rule));
const say = (e: Estate, { topic, payload }: { topic: string; payload: string }, put = {}): boolean =>
  e.estateBroker.say(topic, payload, put);

describe('an estate with devices behind a broker', () => {
  it('takes what is kept as a state and not as a happening', async () => {
    const e = await open();
    e.estateBroker.drop();
    // Old news, kept for whoever comes: a test of the detector last spring, a leak that may still be there.
    say(e, zigbee('smoke_1', { smoke: true, battery: 90 }), { retain: true });
    say(e, zigbee('leak_1', { water_leak: true, battery: 80 }), { retain: true });
    await e.pass(5000);
    expect(raised(e)).toEqual(['leak']);
    expect([...e.house.engine.latest()].map((r) => [r.device, r.point, r.why])).toEqual([
      ['smoke_1', 'battery', 'stale'],
      ['leak_1', 'alarm', 'stale'],
      ['leak_1', 'battery', 'stale'],
    ]);
    say(e, zigbee('smoke_1', { smoke: true, battery: 90 }));
    await e.pass(2000);
    expect(raised(e)).toEqual(['leak', 'smoke']);
    expect(e.summary()).toMatchObject({ chain: 'ok', gaps: 0, faults: [] });
  });

  it('believes who must know when a device is gone, and does not show old values when it is back', async () => {
    const e = await open();
    await e.pass(100);
    say(e, zigbee('leak_1', { water_leak: false, battery: 80 }));
    await e.pass(1000);
    const battery = () => [...e.house.engine.latest()].find((r) => r.device === 'leak_1' && r.point === 'battery');
    expect(battery()).toMatchObject({ value: 80, why: 'unverified' });
    say(e, zigbeeThere('leak_1', false));
    await e.pass(1000);
    expect(battery()).toMatchObject({ value: null, why: 'offline' });
    expect(e.house.engine.devices().find((d) => d.id === 'leak_1')?.online).toBe(false);
    say(e, zigbeeThere('leak_1', true));
    await e.pass(1000);
    expect(e.house.engine.devices().find((d) => d.id === 'leak_1')?.online).toBe(true);
    expect(battery()?.value).toBeNull();
  });

  it('misses the silent: three polls without a word', async () => {
    const e = await open();
    await e.pass(100);
    say(e, zigbee('leak_1', { water_leak: false }));
    await e.pass(29 * 60_000);
    expect(e.house.engine.devices().find((d) => d.id === 'leak_1')?.online).toBe(true);
    await e.pass(2 * 60_000);
    expect(e.house.engine.devices().find((d) => d.id === 'leak_1')?.online).toBe(false);
  });

  it('switches a device through the broker, and knows that it did', async () => {
    const e = await open();
    await e.pass(100);
    say(e, zigbee('valve', { state: 'ON' }));
    say(e, zigbee('leak_1', { water_leak: true }));
    await e.pass(500);
    expect(e.estateBroker.taken).toEqual([{ topic: 'zigbee2mqtt/valve/set', payload: '{"state": "OFF"}' }]);
    say(e, zigbee('valve', { state: 'OFF' }));
    await e.pass(1000);
    const results = e.broker.taken
      .map((m) => new TextDecoder().decode(m.payload))
      .filter((text) => text.includes('weinao.command.result'));
    expect(results).toHaveLength(1);
    expect(results[0]).toContain('"read_back":false');
    expect(results[0]).toContain('"outcome":"done"');
  });

  it('asks three times and says so when the device does not follow', async () => {
    const e = await open();
    await e.pass(100);
    say(e, zigbee('leak_1', { water_leak: true }));
    await e.pass(10_000);
    expect(e.estateBroker.taken).toHaveLength(3);
    const result = e.broker.taken
      .map((m) => new TextDecoder().decode(m.payload))
      .find((t) => t.includes('weinao.command.result'));
    expect(result).toContain('"outcome":"failed"');
  });
});
