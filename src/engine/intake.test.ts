/** Channels other systems speak on, in the engine: who is heard while the configuration changes under way. */
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { FakeEstateBroker } from '../../test/fakes/estate-broker.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import type { DeviceModel, SiteModel } from '../base/model.ts';
import type { Reading } from '../base/reading.ts';
import type { DriverModule } from '../kit/driver.ts';
import { createEngine } from './index.ts';

/** A device's topic is its id; the message is its value, or point=value, or nothing. */
const words: DriverModule = {
  name: 'words',
  carries: ['mqtt'],
  face: () => Promise.reject(new Error('not asked for')),
  intake: ({ hear }) => ({
    topics: (device) => [device],
    message: ({ topic, payload }) => {
      const [value = '', of = 'v'] = new TextDecoder().decode(payload).split('=').reverse();
      hear(topic, { readings: value === '' ? [] : [{ point: of, value }], faults: [] });
    },
    last: () => undefined,
    dropped: () => ({}),
    close: () => {},
  }),
  protocols: [],
  decode: () => ({ outcome: 'unsupported' }),
};

const device = (id: string, hash = id): DeviceModel => ({
  id,
  driver: 'words',
  channel: 'b',
  pollMs: 60_000,
  tags: [],
  points: [{ id: 'v', kind: 'string', class: 'none', deadband: 0, heartbeatMs: 900_000, staleAfterMs: 900_000 }],
  config: {},
  noData: 'yellow',
  hash,
});

const site = (...devices: DeviceModel[]): SiteModel =>
  ({
    channels: new Map([['b', { id: 'b', carries: 'mqtt', to: 'mqtt://h', version: 5 }]]),
    devices: new Map(devices.map((d) => [d.id, d])),
  }) as unknown as SiteModel;

function bench() {
  const clock = new VirtualClock();
  const broker = new FakeEstateBroker();
  const readings: Reading[] = [];
  const engine = createEngine({
    clock,
    log: memoryLog(),
    random: seededRandom(7),
    drivers: [words],
    memory: [],
    alarmRelevant: () => false,
    onReadings: (r) => void readings.push(...r),
    onReport: () => {},
    onDevice: () => {},
    onMemory: () => {},
    openPort: () => Promise.reject(new Error('no line here')),
    listen: () => Promise.reject(new Error('nothing listens here')),
    http: { ask: () => Promise.reject(new Error('nobody answers here')) },
    udp: { ask: () => Promise.resolve() },
    secret: () => Promise.resolve(undefined),
    intake: {
      connect: (_, take) => broker.connect(take),
      serve: () => Promise.reject(new Error('nothing is served here')),
      settled: () => Promise.resolve(true),
      submit: () => '',
    },
  });
  return { clock, broker, readings, engine };
}

describe('a channel other systems speak on', () => {
  it('is opened when its devices run, and hears what the broker kept for them', async () => {
    const b = bench();
    b.broker.retained.set('d1', new TextEncoder().encode('kept'));
    await b.engine.apply(site(device('d1')));
    await b.clock.advance(10);
    expect(b.readings.map((r) => [r.device, r.value])).toEqual([['d1', 'kept']]);
    expect(b.engine.channels()).toMatchObject([{ id: 'b', state: 'open', replies: 1, dropped: {} }]);
    await b.engine.stop();
    await b.engine.stop();
  });

  it('loses nothing of a device that is just being changed, and restarts for nobody', async () => {
    const b = bench();
    await b.engine.apply(site(device('d1'), device('d2')));
    await b.clock.advance(10);
    b.broker.say('d1', 'before');
    const changing = b.engine.apply(site(device('d1', 'changed'), device('d2'), device('d3')));
    // Its runner was halted by now, and the new one does not run yet.
    b.broker.say('d1', 'meanwhile');
    b.broker.say('d2', 'untouched');
    expect(await changing).toMatchObject({ restarted: ['d1'], started: ['d3'], kept: ['d2'] });
    await b.clock.advance(10);
    b.broker.say('d3', 'new');
    expect(b.readings.map((r) => `${r.device} ${String(r.value)}`)).toEqual([
      'd1 before',
      'd2 untouched',
      'd1 meanwhile',
      'd3 new',
    ]);
    expect(b.broker.connects).toBe(1);
    expect(b.broker.asked).toEqual(['+d1', '+d2', '+d1', '+d3']);
    await b.engine.apply(site(device('d3')));
    await b.clock.advance(10);
    expect(b.broker.say('d1', 'nobody there')).toBe(false);
    await b.engine.stop();
  });

  it('keeps fresh by any word what is told only when it changes, and by its own values what is known to come often', async () => {
    const b = bench();
    const [door] = device('d1').points;
    if (door === undefined) throw new Error('no point');
    const hour = { ...door, id: 'hourly', pollMs: 3_600_000, staleAfterMs: 10_800_000 };
    const points = [{ ...door, staleAfterMs: 7_200_000 }, hour, { ...hour, id: 'never' }];
    await b.engine.apply(site({ ...device('d1'), pollMs: 3_600_000, points }));
    await b.clock.advance(10);
    const latest = (): Record<string, unknown> =>
      Object.fromEntries([...b.engine.latest()].map((r) => [r.point, r.value ?? r.why]));
    b.broker.say('d1', 'shut');
    b.broker.say('d1', 'hourly=21');
    expect(latest()).toEqual({ v: 'shut', hourly: '21' });
    // The temperature is dead, but something of the device goes on: its signal, its availability.
    for (let minutes = 0; minutes < 175; minutes += 25) {
      await b.clock.advance(1_500_000);
      b.broker.say('d1', '');
    }
    expect(latest()).toEqual({ v: 'shut', hourly: '21' });
    await b.clock.advance(600_000);
    expect(latest()).toEqual({ v: 'shut', hourly: 'stale', never: 'stale' });
    b.broker.say('d1', 'never=22');
    expect(latest()).toEqual({ v: 'shut', hourly: 'stale', never: '22' });
    await b.engine.stop();
  });

  it('has nobody to switch where its driver only hears', async () => {
    const b = bench();
    await b.engine.apply(site(device('d1')));
    const { signal } = new AbortController();
    await expect(b.engine.write('d1', 'v', true, signal)).rejects.toMatchObject({ code: 'device.not_writable' });
    expect(b.engine.write('nobody', 'v', true, signal)).toBeUndefined();
    await expect(b.engine.probe('d1', ['v'], signal)).rejects.toMatchObject({ code: 'device.speaks_first' });
    await b.engine.stop();
  });
});
