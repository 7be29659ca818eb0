import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { ChannelModel, DeviceModel, PointModel, SiteModel } from '../base/model.ts';
import type { Reading } from '../base/reading.ts';
import type { DriverModule, PollResult } from '../kit/driver.ts';
import { simulatedPort } from '../link/simulated.ts';
import { DuePoints } from './due.ts';
import { createEngine, type DeviceChange } from './index.ts';
import { isNews, type Told } from './report.ts';
import { Grid } from './schedule.ts';

const point = (id: string, over: Partial<PointModel> = {}): PointModel => ({
  id,
  kind: 'number',
  class: 'none',
  deadband: 0,
  heartbeatMs: 600_000,
  staleAfterMs: 10_000,
  ...over,
});
const channel: ChannelModel = {
  id: 'l',
  carries: 'serial',
  path: '/x',
  line: { baud: 9600, parity: 'none', dataBits: 8, stopBits: 1 },
  timeoutMs: 300,
  gapMs: 0,
};
const device = (id: string, over: Partial<DeviceModel> = {}): DeviceModel => ({
  id,
  driver: 'toy',
  channel: 'l',
  pollMs: 1000,
  tags: [],
  points: [point('v')],
  config: { n: Number(id.slice(1)) },
  noData: 'yellow',
  hash: `${id}${JSON.stringify(over)}`,
  ...over,
});
const site = (...devices: DeviceModel[]): SiteModel =>
  ({ channels: new Map([['l', channel]]), devices: new Map(devices.map((d) => [d.id, d])) }) as unknown as SiteModel;

/** A one-byte protocol: ask n, get n and a value. Values of 200 and more are refused. */
const toy: DriverModule = {
  name: 'toy',
  carries: ['serial'],
  protocols: [],
  face: () => Promise.reject(new Error('the engine reads no configuration')),
  decode: () => ({ outcome: 'none' }),
  create: ({ device: model, line }) => ({
    probe: () => Promise.resolve({ present: true }),
    close: () => Promise.resolve(),
    poll: async (points, signal) => {
      const n = (model.config as { n: number }).n;
      try {
        const reply = await line.turn('poll', signal, (turn) =>
          turn.transact(Uint8Array.of(n), (b) =>
            b.length >= 2 && b[0] === n ? { kind: 'frame', start: 0, end: 2 } : { kind: 'need' },
          ),
        );
        const value = reply[1] ?? 0;
        if (value >= 200)
          return { readings: points.map((p) => ({ point: p, value: null, why: 'nan' as const })), faults: [] };
        return { readings: points.map((p) => ({ point: p, value })), faults: [] };
      } catch (error) {
        if (!(error instanceof WeinaoError)) throw error;
        return { readings: [], faults: points.map((p) => ({ point: p, error })) };
      }
    },
  }),
};

function bench(answer: (n: number) => number | undefined, more: readonly DriverModule[] = []) {
  const clock = new VirtualClock();
  const asked: { n: number; at: number }[] = [];
  const readings: Reading[] = [];
  const reports: Reading[] = [];
  const changes: DeviceChange[] = [];
  const engine = createEngine({
    clock,
    log: memoryLog(),
    random: seededRandom(7),
    drivers: [toy, ...more],
    memory: [],
    alarmRelevant: () => false,
    onReadings: (r) => void readings.push(...r),
    onReport: (r) => void reports.push(...r),
    onDevice: (c) => void changes.push(c),
    onMemory: () => {},
    listen: () => Promise.reject(new Error('nothing listens here')),
    http: { ask: () => Promise.reject(new Error('nobody answers here')) },
    udp: { ask: () => Promise.resolve() },
    secret: () => Promise.resolve('secret'),
    openPort: () =>
      Promise.resolve(
        simulatedPort(
          {
            receive: (b) => {
              const n = b[0] ?? 0;
              asked.push({ n, at: clock.mono() });
              const value = answer(n);
              return value === undefined ? [] : [{ afterMs: 10, bytes: Uint8Array.of(n, value) }];
            },
          },
          clock,
        ),
      ),
  });
  return { clock, asked, readings, reports, changes, engine };
}

describe('the engine', () => {
  it('polls without drift and tells every poll to the rules, news to the journal', async () => {
    const b = bench(() => 5);
    await b.engine.apply(site(device('d1'), device('d2')));
    await b.clock.advance(60_000);
    const times = b.asked.filter((a) => a.n === 1).map((a) => a.at);
    expect(times.length).toBeGreaterThanOrEqual(59);
    const first = times[1] ?? 0;
    for (const [i, t] of times.slice(1).entries()) expect(Math.abs(t - first - i * 1000)).toBeLessThan(60);
    expect(b.readings.length).toBeGreaterThan(110);
    expect(b.reports.map((r) => [r.device, r.value])).toEqual([
      ['d1', 5],
      ['d2', 5],
    ]);
    expect(b.changes.map((c) => [c.device, c.online])).toEqual([
      ['d1', true],
      ['d2', true],
    ]);
    await b.engine.stop();
    await b.engine.stop();
    expect(b.clock.timers()).toEqual([]);
  });

  it('a dead device goes offline once, costs its line a tenth, and comes back', async () => {
    let dead = true;
    const b = bench((n) => (n === 1 && dead ? undefined : 5));
    await b.engine.apply(site(device('d1'), device('d3', { pollMs: 500 })));
    await b.clock.advance(20_000);
    expect(b.changes.filter((c) => c.device === 'd1').map((c) => [c.online, c.why])).toEqual([[false, 'timeout']]);
    expect(b.readings.filter((r) => r.device === 'd1').map((r) => r.why)).toEqual(['timeout', 'offline']);
    const before = b.engine.channels()[0]?.wastedMs ?? 0;
    const healthy = b.asked.filter((a) => a.n === 3).length;
    await b.clock.advance(600_000);
    expect((b.engine.channels()[0]?.wastedMs ?? 0) - before).toBeLessThan(60_000);
    expect(b.asked.filter((a) => a.n === 3).length - healthy).toBeGreaterThan(1190);
    dead = false;
    await b.clock.advance(10_000);
    expect(b.changes.at(-1)).toMatchObject({ device: 'd1', online: true });
    await b.engine.stop();
  });

  it('a device that loses three replies of ten is asked again, marked uncertain, and not thrown out', async () => {
    let random = 12345;
    let share = 0.3;
    const b = bench(() => {
      random = (random * 1103515245 + 12345) % 2 ** 31;
      return random / 2 ** 31 < share ? undefined : 5;
    });
    await b.engine.apply(site(device('d1')));
    await b.clock.advance(2_000_000);
    expect(b.changes.map((c) => c.online)).toEqual([true]);
    expect(b.engine.devices()[0]).toMatchObject({ online: true, flaky: true });
    const late = b.readings.slice(-500);
    expect(late.filter((r) => r.quality === 'uncertain' && r.why === 'flaky' && r.value === 5).length).toBeGreaterThan(
      400,
    );
    share = 0;
    await b.clock.advance(100_000);
    expect(b.readings.at(-1)).toMatchObject({ quality: 'good', value: 5 });
    expect(b.engine.devices()[0]?.flaky).toBeUndefined();
    await b.engine.stop();
  });

  it('ten dead devices cost no more than one', async () => {
    const b = bench((n) => (n < 10 ? undefined : 5));
    await b.engine.apply(site(...Array.from({ length: 10 }, (_, i) => device(`d${i}`)), device('d10')));
    await b.clock.advance(60_000);
    const before = b.engine.channels()[0]?.wastedMs ?? 0;
    await b.clock.advance(600_000);
    expect((b.engine.channels()[0]?.wastedMs ?? 0) - before).toBeLessThan(60_000);
    await b.engine.stop();
  });

  it('a missing value is bad with its reason, once', async () => {
    let value = 5;
    const b = bench(() => value);
    await b.engine.apply(site(device('d1')));
    await b.clock.advance(3000);
    value = 250;
    await b.clock.advance(3000);
    value = 6;
    await b.clock.advance(2000);
    expect(b.reports.map((r) => [r.value, r.quality, r.why])).toEqual([
      [5, 'good', undefined],
      [null, 'bad', 'nan'],
      [6, 'good', undefined],
    ]);
    await b.engine.stop();
  });

  it('a point gets stale when polls no longer end', async () => {
    const b = bench(() => 5);
    await b.engine.apply(site(device('d1', { pollMs: 60_000, points: [point('v', { staleAfterMs: 30_000 })] })));
    await b.clock.advance(40_000);
    expect(b.reports.at(-1)).toMatchObject({ quality: 'bad', why: 'stale', value: null });
    await b.engine.stop();
  });

  it('a reload restarts only what changed', async () => {
    const b = bench(() => 5);
    await b.engine.apply(site(device('d1'), device('d2'), device('d3')));
    await b.clock.advance(5000);
    const applied = await b.engine.apply(site(device('d1'), device('d2', { pollMs: 2000 }), device('d4')));
    expect(applied).toEqual({ started: ['d4'], restarted: ['d2'], stopped: ['d3'], kept: ['d1'] });
    const from = b.clock.mono();
    await b.clock.advance(10_000);
    const polls = b.asked.filter((a) => a.n === 1 && a.at > from).length;
    expect(polls).toBeGreaterThanOrEqual(9);
    expect(b.asked.some((a) => a.n === 3 && a.at > from)).toBe(false);
    await b.engine.stop();
  });

  it('a port that gets a second line of other settings goes on with both, and with one again', async () => {
    const b = bench((n) => n);
    const slow: ChannelModel = {
      ...channel,
      id: 'm',
      line: { baud: 2400, parity: 'even', dataBits: 8, stopBits: 1 },
    } as ChannelModel;
    const both = {
      channels: new Map([
        ['l', channel],
        ['m', slow],
      ]),
      devices: new Map([
        ['d1', device('d1')],
        ['d2', device('d2', { channel: 'm' })],
      ]),
    } as unknown as SiteModel;
    const seen = async (): Promise<Set<string>> => {
      const from = b.readings.length;
      await b.clock.advance(10_000);
      return new Set(b.readings.slice(from).flatMap((r) => (r.quality === 'good' ? [r.device] : [])));
    };
    await b.engine.apply(site(device('d1')));
    expect(await seen()).toEqual(new Set(['d1']));
    expect((await b.engine.apply(both)).restarted).toEqual(['d1']);
    expect(await seen()).toEqual(new Set(['d1', 'd2']));
    await b.engine.apply(site(device('d1')));
    expect(await seen()).toEqual(new Set(['d1']));
    await b.engine.stop();
    expect(b.clock.timers()).toEqual([]);
  });

  it('lends a line, and goes on with it afterwards', async () => {
    const b = bench((n) => n);
    await b.engine.apply(site(device('d1')));
    await b.clock.advance(3000);
    let giveBack: () => void = () => {};
    const lent = b.engine.lend('l', () => new Promise<void>((resolve) => (giveBack = resolve)));
    await expect(b.engine.lend('l', () => Promise.resolve())).rejects.toMatchObject({ code: 'link.lent' });
    expect(b.engine.lend('nowhere', () => Promise.resolve())).toBeUndefined();
    const asked = b.asked.length;
    await b.clock.advance(5000);
    expect(b.asked.length).toBe(asked);
    giveBack();
    await lent;
    await b.clock.advance(5000);
    expect(b.asked.length).toBeGreaterThan(asked + 2);
    await b.engine.stop();
  });

  it('converts to the standard unit', async () => {
    const b = bench(() => 150);
    await b.engine.apply(site(device('d1', { points: [point('v', { convert: { scale: 0.01, offset: 0 } })] })));
    await b.clock.advance(3000);
    expect(b.reports[0]?.value).toBe(1.5);
    await b.engine.stop();
  });
});

describe('report by exception', () => {
  const reading = (value: number | null, mono: number): Reading => ({
    device: 'd',
    point: 'v',
    value,
    quality: value === null ? 'bad' : 'good',
    ts: mono,
    at: { wall: mono, mono, synced: true },
  });
  it('measures from what was told, not from the last poll', () => {
    const told: Told = { reading: undefined };
    const p = point('v', { deadband: 1, heartbeatMs: 1000 });
    const seen = [0, 0.6, 1.1, 1.6, 2.1, 2.05].map((v, i) => isNews(told, reading(v, i), p));
    expect(seen).toEqual([true, false, true, false, false, false]);
    expect(isNews(told, reading(2.05, 1002), p)).toBe(true);
    expect(isNews(told, reading(null, 1003), p)).toBe(true);
    expect(isNews(told, reading(null, 1004), p)).toBe(false);
  });
});

describe('points with periods of their own', () => {
  it('are asked for at their multiple of the device’s, and the same ones as the same list', () => {
    const due = new DuePoints(
      [point('fast'), point('slow', { pollMs: 3000 }), point('slower', { pollMs: 6100 })],
      1000,
    );
    const lists = Array.from({ length: 13 }, () => due.next());
    expect(lists.map((l) => l.length)).toEqual([3, 1, 1, 2, 1, 1, 3, 1, 1, 2, 1, 1, 3]);
    expect(lists[1]).toBe(lists[2]);
    expect(lists[0]).toBe(lists[6]);
    expect(lists[3]).toEqual(['fast', 'slow']);
  });
});

describe('the grid', () => {
  it('never drifts, never goes back, counts what it missed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 50 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (busy, spread) => {
          const grid = new Grid(0, 1000, spread);
          const anchor = grid.due();
          let now = 0;
          let used = 0;
          for (const ms of busy) {
            now = Math.max(now, grid.due()) + ms;
            const before = grid.due();
            grid.next(now);
            used++;
            expect(grid.due()).toBeGreaterThan(before);
            expect(Math.abs((grid.due() - anchor) / 1000 - (used + grid.missed))).toBeLessThan(1e-6);
            expect(grid.due() - now).toBeLessThanOrEqual(1000);
          }
        },
      ),
    );
  });
});

describe('a device on no line that speaks by itself', () => {
  const lost = new WeinaoError('http.reset', { host: 'h' });
  let speak: (result: PollResult) => void = () => {};
  let ended = 0;
  let state: PollResult = { readings: [], faults: [] };
  const talker: DriverModule = {
    ...toy,
    name: 'talker',
    carries: [],
    attach: ({ secret }) => ({
      probe: () => Promise.resolve({ present: true }),
      close: () => Promise.resolve(),
      poll: () => Promise.resolve(state),
      listen: (emit, signal) => {
        speak = emit;
        return new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            ended++;
            resolve();
          }),
        );
      },
      snapshot: async () => ({ type: 'image/jpeg', bytes: Uint8Array.of((await secret({ file: 'x' })).length) }),
      health: () => ({ level: 'up_auth' }),
    }),
  };
  const camera: DeviceModel = {
    ...device('c1', { driver: 'talker', points: [point('motion', { kind: 'bool', staleAfterMs: 90_000 })] }),
    pollMs: 30_000,
  };
  const { channel: _, ...alone } = camera;

  it('is heard between its polls, lost with all its points, shown in the status, and ends with the engine', async () => {
    const { engine, clock, readings, changes } = bench(() => 1, [talker]);
    await engine.apply(site(alone));
    await clock.advance(3000);
    expect(changes.map((c) => c.online)).toEqual([true]);
    speak({ readings: [{ point: 'motion', value: true }], faults: [] });
    expect(readings.map((r) => [r.point, r.value])).toEqual([['motion', true]]);
    state = { readings: [{ point: 'motion', value: true }], faults: [] };
    await clock.advance(300_000);
    expect(readings.every((r) => r.value === true)).toBe(true);
    expect(readings.length).toBe(11);
    state = { readings: [], faults: [{ point: 'motion', error: lost }] };
    speak(state);
    expect(readings.at(-1)).toMatchObject({ value: null, quality: 'bad', why: 'closed' });
    await clock.advance(60_000);
    expect(changes.map((c) => c.online)).toEqual([true, false]);
    expect(engine.devices()[0]).toMatchObject({ health: { level: 'up_auth' }, error: 'http.reset' });
    expect((await engine.snapshot('c1', new AbortController().signal))?.bytes).toEqual(Uint8Array.of(6));
    expect(engine.snapshot('nobody', new AbortController().signal)).toBeUndefined();
    await engine.stop();
    speak({ readings: [{ point: 'motion', value: false }], faults: [] });
    expect(ended).toBe(1);
    expect(readings.at(-1)?.value).toBeNull();
    expect(clock.timers()).toEqual([]);
  });
});
