import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { device } from '../../../test/kit/hand.ts';
import type { Alarm } from '../../base/alarm.ts';
import type { StateRow } from '../../base/journal.ts';
import type { JsonObject } from '../../base/json.ts';
import type { DeviceModel, Place, SiteModel, StatModel } from '../../base/model.ts';
import type { Instant } from '../../base/time.ts';
import { compileStats, createStatMachine, type StatEffect, type StatInput, type StatState } from './index.ts';
import { type Candidate, withheld } from './suppress.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;
/** midnight in Shanghai */
const T0 = Date.UTC(2026, 5, 1, 16);

const flow: StatModel = {
  id: 'flow',
  of: { kind: 'points', point: 'flow' },
  make: ['mean'],
  by: 'estate',
  everyMs: 15 * M,
};
const meter = (id: string, more: Partial<DeviceModel> = {}): DeviceModel =>
  device(id, 'meter', { flow: { unit: 'm3/h', staleAfterMs: 5 * M }, total: { rollover: 1000 } }, more);

function estate(stats: readonly StatModel[], devices: readonly DeviceModel[], more: Partial<SiteModel> = {}) {
  const site = {
    site: { id: 's1', name: 's', timezone: 'Asia/Shanghai' },
    places: new Map<string, Place>(),
    assets: new Map(),
    rules: [],
    devices: new Map(devices.map((d) => [d.id, d])),
    stats: new Map(stats.map((s) => [s.id, s])),
    ...more,
  } as unknown as SiteModel;
  const compiled = compileStats(site, new Map());
  return { ...compiled, machine: createStatMachine(site, compiled.stats) };
}

/** A gateway that makes statistics, moved by hand. */
class Hand {
  readonly events: (JsonObject & { subject: string })[] = [];
  /** rows as the journal has them */
  readonly rows = new Map<string, StateRow>();
  private readonly machine: ReturnType<typeof createStatMachine>;
  private state!: StatState;
  private wall: number;
  private mono = 0;

  constructor(machine: ReturnType<typeof createStatMachine>, wall = T0) {
    this.machine = machine;
    this.wall = wall;
    this.wake([]);
  }

  now(): Instant {
    return { wall: this.wall, mono: this.mono, synced: true };
  }

  /** to ms after the beginning, with timers on the way */
  to(at: number, from = T0): this {
    for (;;) {
      const due = this.machine.due(this.state) ?? Number.POSITIVE_INFINITY;
      const next = Math.min(from + at, this.wall + Math.max(0, due - this.mono));
      this.mono += next - this.wall;
      this.wall = next;
      if (next === from + at) return this.step({ kind: 'tick' });
      this.step({ kind: 'tick' });
    }
  }

  see(id: string, value: boolean | number | null, { ago = 0, point = 'flow', sure = true } = {}): this {
    const quality = value === null ? 'bad' : sure ? 'good' : 'uncertain';
    const reading = { device: id, point, value, quality, ts: this.wall - ago, at: this.now() } as const;
    return this.step({ kind: 'readings', readings: [reading] });
  }

  raise(alarm: Partial<Alarm>): this {
    return this.step({ kind: 'alarm', alarm: alarm as Alarm });
  }

  /** off in good order, on again later */
  restart(down = 0): this {
    const rows = this.machine.snapshot(this.state, this.now());
    for (const row of rows) this.rows.set(row.key, row);
    return this.cut(down);
  }

  /** the power goes; only what was committed is there again */
  cut(down = 0): this {
    this.wall += down;
    this.mono = 7;
    return this.wake([...this.rows.values()]);
  }

  jump(ms: number): this {
    this.wall += ms;
    return this;
  }

  private step(input: StatInput): this {
    return this.took(this.machine.step(this.state, input, this.now()));
  }

  private wake(rows: readonly StateRow[]): this {
    return this.took(this.machine.restore(rows, this.now()));
  }

  private took({ state, effects }: { state: StatState; effects: readonly StatEffect[] }): this {
    this.state = state;
    for (const effect of effects) {
      if (effect.kind === 'event') this.events.push({ subject: effect.draft.subject ?? '', ...effect.draft.data });
      else this.rows.set(effect.row.key, effect.row);
    }
    return this;
  }
}

describe('a statistic', () => {
  it('weighs a value by how long it held, and says what it was made of', () => {
    const h = new Hand(estate([flow], [meter('a'), meter('b')]).machine);
    h.see('a', 10).see('b', 40);
    for (let t = M; t <= 15 * M; t += M)
      h.to(t)
        .see('a', t < 5 * M ? 10 : 40)
        .see('b', 40);
    h.to(16 * M);
    expect(h.events).toEqual([
      {
        subject: 's1',
        stat: 'flow',
        from: '2026-06-01T16:00:00.000Z',
        to: '2026-06-01T16:15:00.000Z',
        value: { mean: 35 },
        n: 2,
        coverage: 1,
        unit: 'm3/h',
        rev: 1,
      },
    ]);
  });

  it('knows nothing of a point that is bad, or silent for too long', () => {
    const h = new Hand(estate([flow], [meter('a')]).machine);
    h.see('a', 10)
      .to(3 * M)
      .see('a', null)
      .to(10 * M)
      .see('a', 30);
    h.to(16 * M);
    expect(h.events[0]).toMatchObject({ value: { mean: 22.5 }, coverage: 0.5333 });
    h.to(31 * M);
    expect(h.events[1]).toMatchObject({ value: {}, n: 0, coverage: 0 });
  });

  it('takes a doubtful value, and does not call it observed', () => {
    const h = new Hand(estate([flow], [meter('a')]).machine);
    h.see('a', 10)
      .to(3 * M)
      .see('a', 20, { sure: false })
      .to(6 * M)
      .see('a', null)
      .to(16 * M);
    expect(h.events[0]).toMatchObject({ value: { mean: 15 }, coverage: 0.2 });
  });

  it('makes several things of one point', () => {
    const h = new Hand(estate([{ ...flow, make: ['min', 'max', 'sum', 'mean'] }], [meter('a'), meter('b')]).machine);
    h.see('a', 1)
      .see('b', 5)
      .to(4 * M)
      .see('a', 3)
      .see('b', 5)
      .to(8 * M)
      .see('a', null)
      .see('b', null)
      .to(16 * M);
    expect(h.events[0]?.value).toEqual({ min: 1, max: 5, sum: 7, mean: 3.5 });
  });

  it('groups by device, place, kind of place, and leaves out what is in none', () => {
    const places = new Map<string, Place>([
      ['b1', { id: 'b1', name: '1栋', kind: 'building' }],
      ['f1', { id: 'f1', name: '1层', in: 'b1' }],
      ['b2', { id: 'b2', name: '2栋', kind: 'building' }],
    ]);
    const devices = [meter('a', { zone: 'f1' }), meter('b', { zone: 'b1' }), meter('c', { zone: 'b2' }), meter('d')];
    const by = (by: string) => {
      const { machine, problems } = estate([{ ...flow, by }], devices, { places });
      const h = new Hand(machine);
      devices.forEach((d, i) => void h.see(d.id, i));
      return { told: h.to(16 * M).events.map((e) => [e.subject, e.n]), problems: problems.map((p) => p.code) };
    };
    expect(by('building')).toEqual({
      told: [
        ['b1', 2],
        ['b2', 1],
      ],
      problems: ['config.stat_placeless'],
    });
    expect(by('place').told).toEqual([
      ['f1', 1],
      ['b1', 1],
      ['b2', 1],
    ]);
    expect(by('device').told).toEqual(devices.map((d) => [d.id, 1]));
  });

  it('counts states by what they mostly were, and events by how often', () => {
    const stat: StatModel = { ...flow, make: ['count', 'share'], words: ['occupied', 'vacant'], everyMs: H };
    const bays = [1, 2, 3].map((i) => device(`bay_${i}`, 'bay', { flow: { kind: 'bool', staleAfterMs: H } }));
    const h = new Hand(estate([stat], bays).machine);
    h.see('bay_1', true)
      .see('bay_2', false)
      .to(20 * M)
      .see('bay_1', false)
      .see('bay_2', true)
      .to(50 * M);
    h.see('bay_3', true).to(61 * M);
    expect(h.events[0]).toMatchObject({ value: { occupied: 1, vacant: 1, unknown: 1, share: 0.5385 }, n: 2 });
    const beam = device('beam', 'beam', { flow: { kind: 'bool', event: true } });
    const g = new Hand(estate([{ ...stat, make: ['count'], words: ['broken', 'not_broken'] }], [beam]).machine);
    g.see('beam', true)
      .to(M)
      .see('beam', false)
      .to(2 * M)
      .see('beam', true)
      .see('beam', true)
      .to(61 * M);
    expect(g.events[0]).toMatchObject({ value: { broken: 2 }, n: 1, coverage: 1 });
  });

  it('adds up counters over resets and rollovers, and over the border of two windows', () => {
    const stat: StatModel = { ...flow, of: { kind: 'points', point: 'total' }, make: ['delta'] };
    const h = new Hand(estate([stat], [meter('a')]).machine);
    const see = (at: number, value: number) => h.to(at).see('a', value, { point: 'total' });
    see(0, 990);
    see(5 * M, 999);
    see(6 * M, 4); // rolled over at 1000
    see(10 * M, 10);
    see(20 * M, 30); // half of it before the border
    h.to(31 * M);
    expect(h.events.map((e) => [e.value, e.rev])).toEqual([
      [{ delta: 20 }, 1],
      [{ delta: 30 }, 2],
      [{ delta: 10 }, 1],
    ]);
  });

  it('counts alarms by what they are', () => {
    const stat: StatModel = {
      id: 'n',
      of: { kind: 'alarms', level: ['red'] },
      make: ['count'],
      by: 'rule',
      everyMs: H,
    };
    const h = new Hand(estate([stat, { ...stat, id: 'all', of: { kind: 'alarms' }, by: 'estate' }], []).machine);
    h.to(10 * M)
      .raise({ rule: 'fire', level: 'red' })
      .raise({ rule: 'fire', level: 'red' });
    h.raise({ rule: 'leak', level: 'yellow' })
      .cut()
      .to(61 * M)
      .to(2 * H + M);
    expect(h.events.map((e) => [e.stat, e.value, e.coverage])).toEqual([
      ['n', { fire: 2 }, 1],
      ['all', { alarms: 3 }, 1],
      ['n', {}, 1],
      ['all', { alarms: 0 }, 1],
    ]);
  });
});

describe('windows', () => {
  it('of a day are those of the site, also one of 25 hours', () => {
    const midnight = Date.UTC(2026, 9, 24, 22);
    const berlin = { site: { id: 's1', name: 's', timezone: 'Europe/Berlin' } };
    const h = new Hand(estate([{ ...flow, everyMs: D }], [meter('a')], berlin).machine, midnight);
    for (let t = 0; t < 26 * H; t += 4 * M) h.to(t, midnight).see('a', 8);
    expect(h.events).toMatchObject([
      { from: '2026-10-24T22:00:00.000Z', to: '2026-10-25T23:00:00.000Z', coverage: 1, value: { mean: 8 } },
    ]);
  });

  it('do not observe the time off', () => {
    const h = new Hand(estate([flow], [meter('a')]).machine);
    h.see('a', 10)
      .to(3 * M)
      .restart(3 * M);
    for (let t = 6 * M; t < 15 * M; t += 3 * M) h.to(t).see('a', 10);
    h.to(16 * M);
    expect(h.events).toMatchObject([{ value: { mean: 10 }, coverage: 0.8 }]);
    // A night off: the window that ran is told, those nobody saw are not.
    h.to(20 * M)
      .restart(8 * H)
      .to(20 * M + 8 * H + M);
    expect(h.events.slice(1).map((e) => e.from)).toEqual(['2026-06-01T16:15:00.000Z']);
  });

  it('follow the clock forward, and begin anew when it goes back', () => {
    const h = new Hand(estate([flow], [meter('a')]).machine);
    h.see('a', 10)
      .to(4 * M)
      .jump(4 * M)
      .see('a', 10)
      .to(12 * M)
      .see('a', 10)
      .to(16 * M);
    expect(h.events).toMatchObject([{ coverage: 0.7333, rev: 1 }]);
    h.jump(-8 * M)
      .see('a', 50)
      .to(12 * M)
      .see('a', 50)
      .to(31 * M);
    // 16:00 to 16:15 was told already.
    expect(h.events.map((e) => e.from)).toEqual(['2026-06-01T16:00:00.000Z', '2026-06-01T16:15:00.000Z']);
  });
});

describe('late data', () => {
  it('of the window before come as a further revision; older ones change nothing', () => {
    const h = new Hand(estate([flow], [meter('a')]).machine);
    for (let t = 0; t <= 8 * M; t += 2 * M) h.to(t).see('a', 10);
    h.to(9 * M)
      .see('a', null)
      .to(17 * M);
    expect(h.events).toMatchObject([{ value: { mean: 10 }, coverage: 0.6, rev: 1 }]);
    // What the device kept while its radio was down, in its order.
    for (let ago = 7 * M; ago >= 0; ago -= M) h.see('a', 40, { ago });
    h.to(19 * M);
    expect(h.events.slice(1)).toMatchObject([{ value: { mean: 20.7143 }, coverage: 0.9333, rev: 2 }]);
    h.see('a', 99, { ago: 18 * M })
      .to(25 * M)
      .see('a', 40);
    expect(h.events).toHaveLength(2);
  });

  it('fill a hole also behind a newer value', () => {
    const h = new Hand(estate([flow], [meter('a')]).machine);
    h.see('a', 10);
    h.to(4 * M).see('a', null);
    h.to(12 * M).see('a', 10);
    for (const [value, ago] of [
      [30, 8],
      [30, 6],
      [20, 2],
      [99, 11],
    ] as const)
      h.see('a', value, { ago: ago * M });
    expect(h.to(16 * M).events).toMatchObject([{ coverage: 1, value: { mean: 19.3333 } }]);
  });

  it('are waited for where a second telling would give somebody away', () => {
    const home = (i: number) => device(`h${i}`, 'home', { flow: { class: 'personal', staleAfterMs: D } });
    const h = new Hand(estate([{ ...flow, everyMs: 4 * H }], [1, 2, 3, 4, 5].map(home)).machine);
    for (const i of [1, 2, 3, 4, 5]) h.see(`h${i}`, 10);
    h.to(4 * H + 59 * M);
    expect(h.events).toEqual([]);
    h.see('h1', 60, { ago: 3 * H }).to(5 * H);
    expect(h.events).toMatchObject([{ value: { mean: 15.0417 }, k: 5, n: 5, rev: 1 }]);
    h.see('h2', 0, { ago: 4 * H }).to(7 * H);
    expect(h.events).toHaveLength(1);
  });
});

describe('what tells of few', () => {
  const group = (n: number, around: readonly string[] = [], cells: readonly number[] = []): Candidate => ({
    n,
    around,
    cells,
  });
  const out = (groups: readonly Candidate[], k = 5) => [...withheld(groups, k)].sort();

  it('is withheld, with another so that the total does not tell it', () => {
    expect(out([group(20), group(3), group(9), group(6)])).toEqual([1, 3]);
    expect(out([group(20), group(3), group(4)])).toEqual([1, 2]);
    expect(out([group(20), group(9)])).toEqual([]);
    expect(out([group(3)])).toEqual([0]);
  });

  it('includes a count that is small, or its complement', () => {
    expect(out([group(50, [], [48, 2]), group(50, [], [20, 30]), group(60, [], [30, 30])])).toEqual([0, 1]);
    expect(out([group(50, [], [50, 0])])).toEqual([0]);
  });

  it('is withheld within each place that may be told as a whole', () => {
    // Floor 2 of building 1 is small: with floor 3 of another building the estate would be safe, and building 1 would not.
    expect(out([group(9, ['b1']), group(3, ['b1']), group(6, ['b2']), group(8, ['b2'])])).toEqual([0, 1]);
  });

  it('counts those that are in no group', () => {
    expect(out([group(20), { ...group(2), isHidden: true }, group(7)])).toEqual([1, 2]);
    expect(out([group(20), { ...group(5), isHidden: true }, group(7)])).toEqual([1]);
    expect(out([group(0), group(7)])).toEqual([]);
  });

  it('can never be worked out from totals and what is told', () => {
    const groups = fc.array(
      fc.record({
        n: fc.constant(0),
        cells: fc.tuple(fc.nat(12), fc.nat(12)),
        around: fc.constantFrom<readonly string[]>([], ['x'], ['y'], ['x', 'z'], ['y', 'z']),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(groups, (drawn) => {
        const all: Candidate[] = drawn.map((g) => ({ ...g, n: g.cells[0] + g.cells[1] }));
        const hidden = withheld(all, 5);
        all.forEach((g, i) => {
          if (!hidden.has(i) && g.n > 0) for (const x of [g.n, ...g.cells]) expect(x).toBeGreaterThanOrEqual(5);
        });
        for (const level of ['x', 'y', 'z', undefined]) {
          const inside = all.map((_, i) => i).filter((i) => level === undefined || all[i]?.around.includes(level));
          const rest = inside.filter((i) => hidden.has(i));
          // Withheld altogether, it is the total itself that must be withheld.
          if (rest.length === 0 || rest.length === inside.length) continue;
          const sum = (of: (g: Candidate) => number): number => rest.reduce((a, i) => a + of(all[i] ?? group(0)), 0);
          if (sum((g) => g.n) === 0) continue;
          for (const x of [sum((g) => g.n), sum((g) => g.cells[0] ?? 0), sum((g) => g.cells[1] ?? 0)])
            expect(x).toBeGreaterThanOrEqual(5);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has an event without a value', () => {
    const home = (i: number) => device(`h${i}`, 'home', { flow: { class: 'personal', staleAfterMs: D } });
    const h = new Hand(estate([flow], [1, 2, 3, 4].map(home)).machine);
    for (const i of [1, 2, 3, 4]) h.see(`h${i}`, 10);
    h.to(31 * M);
    expect(h.events).toEqual([
      {
        subject: 's1',
        stat: 'flow',
        from: '2026-06-01T16:00:00.000Z',
        to: '2026-06-01T16:15:00.000Z',
        k: 5,
        suppressed: true,
        rev: 1,
      },
    ]);
  });
});

describe('whatever happens', () => {
  type Op = readonly ['pass', number] | readonly ['see', number, number | null, number] | readonly ['end'];
  const op: fc.Arbitrary<Op> = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(fc.constant('pass' as const), fc.integer({ min: 1, max: 12 * 60 })) },
    {
      weight: 4,
      arbitrary: fc.tuple(
        fc.constant('see' as const),
        fc.nat(2),
        fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant(null)),
        fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(30 * 60) }),
      ),
    },
    { weight: 1, arbitrary: fc.constant(['end'] as const) },
  );
  const stats: StatModel[] = [
    { ...flow, make: ['mean', 'min', 'max', 'delta'] },
    { ...flow, id: 'each', by: 'device', everyMs: 5 * M },
  ];
  const run = (ops: readonly Op[], end: (h: Hand) => void): Hand => {
    const { machine } = estate(stats, [meter('m0'), meter('m1'), meter('m2')]);
    const h = new Hand(machine);
    let at = 0;
    for (const [kind, a, value, ago] of ops) {
      if (kind === 'pass') {
        at += a * S;
        h.to(at);
      } else if (kind === 'see') h.see(`m${a}`, value ?? null, { ago: (ago ?? 0) * S });
      else end(h);
    }
    return h.to(at + H);
  };

  it('a restart changes no event', () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
        expect(run(ops, (h) => h.restart()).events).toEqual(run(ops, () => {}).events);
      }),
      { numRuns: 100 },
    );
  });

  it('a power cut tells nothing twice, and claims no more than was seen', () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
        const keyOf = (e: JsonObject): string => [e.stat, e.subject, e.from].join();
        const whole = new Map(run(ops, () => {}).events.map((e) => [keyOf(e), Number(e.coverage)]));
        const { events } = run(ops, (h) => h.cut());
        expect(new Set(events.map((e) => `${keyOf(e)},${String(e.rev)}`)).size).toBe(events.length);
        for (const e of events) {
          expect(Number(e.coverage)).toBeGreaterThanOrEqual(0);
          expect(Number(e.coverage)).toBeLessThanOrEqual(1);
          expect(whole.has(keyOf(e))).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});
