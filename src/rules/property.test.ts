/** What must hold whatever happens: restarts, clocks, late and doubled data, bad quality, and the same again from what was stored. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { device, site } from '../../test/kit/hand.ts';
import type { SiteModel } from '../base/model.ts';
import type { Reading, Value } from '../base/reading.ts';
import type { Instant } from '../base/time.ts';
import { compileRules, SmallGateway } from './index.ts';

const S = 1000;
const M = 60 * S;
const RUNS = process.env.WEINAO_NIGHT === '1' ? 10_000 : 300;
const T0 = Date.UTC(2026, 5, 1, 4);

const RULES = `rule: low
level: 'level < 1 ? "red" : "orange"'
act: x
each: {type: tank}
when: level < 2
clear: level > 3
for: 20s
keep: 10s
escalate: {0s: duty, 30s: street}
do: [{write: {siren.on: true}, stop_after: 1m}]
undo: [{write: {siren.on: false}}]
---
rule: both
level: yellow
then: [tank.pump, siren.on]
within: 30s
keep: 5s
---
rule: shaky
level: blue
each: {type: tank}
when: pump
flap: {more_than: 3, over: 2m, settle: 1m}
rearm: 20s
---
rule: locked
level: red
act: x
each: {type: tank}
when: pump && level < 4
latch: true
unless: siren.on
---
rule: busy
level: blue
with: {high: {max: tank.level, over: 1m, need: 0.2}, edges: {count: tank.pump, over: 2m, need: 0}}
when: high > 4.5 || edges >= 3
---
point: tank.half
each: {type: tank}
value: level / 2
---
rule: halved
level: blue
each: {type: tank}
when: half < 0.6
unknown: pause
for: 15s
---
control: lamp
each: {type: lamp}
with: {idle: {since: tank.pump}}
set: {dim: "idle < 30 ? 100 : 20"}
hold: 10s
`;

const stale = { staleAfterMs: 10 * M };
const POINTS = ['tank.level', 'tank.pump', 'siren.on', 'lamp.dim'] as const;
const SITE: SiteModel = site(RULES, [
  device('tank', 'tank', { level: stale, pump: { kind: 'bool', ...stale } }),
  device('siren', 'siren', { on: { kind: 'bool', ...stale } }),
  device('lamp', 'lamp', { dim: stale }),
]);
const compiled = compileRules(SITE);

interface Move {
  readonly ms: number;
  readonly point: (typeof POINTS)[number];
  readonly value: Value | null;
  readonly ago: number;
  readonly again: boolean;
  readonly restart: boolean;
  readonly ask: 'none' | 'ack' | 'reset' | 'shelve';
}

const move: fc.Arbitrary<Move> = fc
  .record({
    ms: fc.integer({ min: 1, max: 25_000 }),
    point: fc.constantFrom(...POINTS.slice(0, 3)),
    number: fc.integer({ min: 0, max: 5 }),
    bool: fc.boolean(),
    bad: fc.integer({ min: 0, max: 9 }),
    ago: fc.constantFrom(0, 0, 0, 0, 0, 3000),
    again: fc.boolean(),
    restart: fc.boolean(),
    ask: fc.constantFrom('none', 'none', 'none', 'none', 'ack', 'reset', 'shelve') as fc.Arbitrary<Move['ask']>,
  })
  .map(({ number, bool, bad, ...m }) => ({ ...m, value: bad === 0 ? null : m.point === 'tank.level' ? number : bool }));

class Run {
  readonly gateway: SmallGateway;
  readonly seen: Reading[] = [];
  private mono = 0;
  private offset = 0;
  private readonly newest = new Map<string, Reading>();

  constructor() {
    if (compiled.machine === undefined) throw new Error(JSON.stringify(compiled.problems));
    this.gateway = new SmallGateway(compiled.machine, this.at(0));
    for (const id of POINTS) this.feed(id, id === 'tank.level' || id === 'lamp.dim' ? 5 : false, 0);
  }

  at(mono: number): Instant {
    return { wall: T0 + this.offset + mono, mono, synced: true };
  }

  play(moves: readonly Move[], restarts: boolean, rest = 5 * M): this {
    for (const m of moves) {
      this.pass(m.ms);
      if (restarts && m.restart) this.restart();
      if (m.ask !== 'none') this.ask(m.ask);
      this.feed(m.point, m.value, m.ago);
      if (m.again) this.feed(m.point, m.value, m.ago);
    }
    this.pass(rest);
    return this;
  }

  pass(ms: number): void {
    const end = this.mono + ms;
    this.gateway.tick(end, (mono) => this.at(mono));
    this.mono = end;
  }

  /** A process ends and another begins at once; it reads everything anew, and gets what it read before. */
  restart(down = 0): void {
    const end = this.at(this.mono);
    this.offset += this.mono + down;
    this.mono = 0;
    this.gateway.restart(end, this.at(0));
    const again = (r: Reading): Reading => ({ ...r, at: this.at(0), ...(down === 0 ? {} : { ts: this.at(0).wall }) });
    const readings = [...this.newest.values()].map(again);
    this.gateway.input({ kind: 'readings', readings }, this.at(0));
  }

  /** what came of it, as anybody outside can tell; what is due at one moment has no order */
  log(): string[] {
    const happened = this.gateway.happened.map(({ alarm, transition, wall }) => {
      const at = String(Math.round(wall - T0)).padStart(9, '0');
      return `@${at} ${transition} ${alarm.key} ${alarm.level} ${alarm.ack} ${alarm.mute} ${alarm.count} ${alarm.condition}`;
    });
    const acts = this.gateway.acts.map(({ act }) => JSON.stringify(act.step)).sort();
    return [...happened.sort(), ...acts];
  }

  private feed(id: string, value: Value | null, ago: number): void {
    const [name = '', point = ''] = id.split('.');
    const now = this.at(this.mono);
    const reading: Reading = {
      device: name,
      point,
      value,
      quality: value === null ? 'bad' : 'good',
      ...(value === null ? { why: 'timeout' as const } : {}),
      ts: now.wall - ago,
      at: now,
    };
    const before = this.newest.get(id);
    if (before === undefined || before.ts <= reading.ts || value === null) this.newest.set(id, reading);
    this.seen.push(reading);
    this.gateway.input({ kind: 'readings', readings: [reading] }, now);
  }

  private ask(kind: 'ack' | 'reset' | 'shelve'): void {
    const now = this.at(this.mono);
    for (const aid of ['low/tank', 'locked/tank']) {
      if (kind === 'shelve') this.gateway.input({ kind, aid, by: 'x', reason: 'y', forMs: M }, now);
      else this.gateway.input({ kind, aid, by: 'x' }, now);
    }
  }
}

describe('the rule machine, whatever comes', () => {
  it('a restart of no length between any two inputs changes nothing', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
        expect(new Run().play(moves, true).log()).toEqual(new Run().play(moves, false).log());
      }),
      { numRuns: RUNS },
    );
  });

  it('a downtime in which nothing changed changes no raise and no clear, only when they are told and how sure they are', () => {
    // A paused timer stands while nobody looks: that is what pausing means.
    const timed = ['low', 'locked'];
    fc.assert(
      fc.property(
        fc.array(move, { maxLength: 15 }),
        fc.integer({ min: 0, max: 14 }),
        fc.integer({ min: 1, max: 90 }),
        (moves, when, down) => {
          const run = (isOff: boolean): string[] => {
            const r = new Run();
            for (const [i, m] of moves.entries()) {
              if (i === when && isOff) r.restart(down * S);
              else if (i === when) r.pass(down * S);
              r.play([{ ...m, value: m.value ?? 5, ask: 'none', ago: 0, again: false }], false, 0);
            }
            r.pass(5 * M);
            return r.gateway.happened
              .filter((h) => timed.includes(h.alarm.rule) && (h.transition === 'raised' || h.transition === 'cleared'))
              .map((h) => `${h.transition} ${h.alarm.key} ${h.alarm.count}`);
          };
          expect(run(true)).toEqual(run(false));
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('1,000 random sequences, stored and replayed, raise and clear the same', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 20 }), (moves) => {
        const plain = moves.map((m) => ({ ...m, ask: 'none' as const }));
        const live = new Run().play(plain, false);
        if (compiled.machine === undefined) throw new Error('no machine');
        const stored = JSON.parse(JSON.stringify(live.seen)) as Reading[];
        const at = (mono: number): Instant => ({ wall: T0 + mono, mono, synced: true });
        const again = new SmallGateway(compiled.machine, at(0));
        for (const reading of stored) {
          again.tick(reading.at.mono, at);
          again.input({ kind: 'readings', readings: [reading] }, reading.at);
        }
        again.tick((stored.at(-1)?.at.mono ?? 0) + 5 * M, at);
        const edges = (g: SmallGateway): string[] =>
          g.happened.map((h) => `${h.transition} ${h.alarm.aid} ${h.alarm.rev}`);
        expect(edges(again)).toEqual(edges(live.gateway));
      }),
      { numRuns: 1000 },
    );
  });

  it('an alarm has one life: one open per key, its rev grows, nothing happens to a closed one', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
        const { happened } = new Run().play(moves, true).gateway;
        const open = new Map<string, { aid: string; rev: number }>();
        const closed = new Map<string, number>();
        for (const { alarm } of happened) {
          const before = open.get(alarm.key);
          if (before !== undefined) {
            expect(alarm.aid).toBe(before.aid);
            expect(alarm.rev).toBe(before.rev + 1);
          } else expect(alarm.rev).toBe((closed.get(alarm.aid) ?? 0) + 1);
          if (alarm.open) open.set(alarm.key, alarm);
          else {
            open.delete(alarm.key);
            closed.set(alarm.aid, alarm.rev);
          }
          if (alarm.condition === 'cleared' && alarm.ack === 'acked' && alarm.latched !== true && alarm.open)
            expect(happened.some((h) => h.alarm.aid === alarm.aid && h.alarm.rev > alarm.rev)).toBe(true);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('whatever was switched on is switched off again', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
        const { acts } = new Run().play(moves, true).gateway;
        const last = acts.filter(({ act }) => act.step.do === 'write' && act.step.device === 'siren').at(-1);
        expect(last?.act.step.do === 'write' ? last.act.step.value : false).toBe(false);
      }),
      { numRuns: RUNS },
    );
  });

  it.each([
    ['NTP sets it five hours on', 5 * 3_600_000],
    ['two hours back', -2 * 3_600_000],
  ])('a clock step while it runs (%s) fires no timer and loses none', (_, step) => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 15 }), fc.integer({ min: 0, max: 14 }), (moves, when) => {
        const run = (by: number): string[] => {
          if (compiled.machine === undefined) throw new Error('no machine');
          let offset = 0;
          const at = (mono: number): Instant => ({ wall: T0 + offset + mono, mono, synced: true });
          const gateway = new SmallGateway(compiled.machine, at(0));
          let mono = 0;
          const see = (id: string, value: Value | null): void => {
            const [name = '', p = ''] = id.split('.');
            const now = at(mono);
            const quality = value === null ? 'bad' : 'good';
            gateway.input(
              { kind: 'readings', readings: [{ device: name, point: p, value, quality, ts: now.wall, at: now }] },
              now,
            );
          };
          for (const id of POINTS) see(id, id === 'tank.level' || id === 'lamp.dim' ? 5 : false);
          for (const [i, m] of moves.entries()) {
            if (i === when) offset = by;
            gateway.tick(mono + m.ms, at);
            mono += m.ms;
            see(m.point, m.value);
          }
          gateway.tick(mono + 5 * M, at);
          return gateway.happened.map((h) => `${h.transition} ${h.alarm.key} @${h.at}`);
        };
        expect(run(step)).toEqual(run(0));
      }),
      { numRuns: RUNS },
    );
  });

  it('no clock at boot: timers run meanwhile, time off counts once when it is known', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }), (ran, off) => {
        if (compiled.machine === undefined) throw new Error('no machine');
        const at = (wall: number, mono: number, synced: boolean): Instant => ({ wall: T0 + wall, mono, synced });
        const low = (now: Instant): Reading => ({
          device: 'tank',
          point: 'level',
          value: 1,
          quality: 'good',
          ts: now.wall,
          at: now,
        });
        const gateway = new SmallGateway(compiled.machine, at(0, 0, true));
        gateway.input({ kind: 'readings', readings: [low(at(0, 0, true))] }, at(0, 0, true));
        if (ran < 20) gateway.tick(ran * S - 1, (m) => at(m, m, true));
        // the board wakes up in 1970, and learns the time five seconds later
        const begin = at(-40 * 365 * 86_400_000, 0, false);
        gateway.restart(at(Math.min(ran, 19) * S, Math.min(ran, 19) * S, true), begin);
        gateway.input({ kind: 'readings', readings: [low(begin)] }, begin);
        gateway.tick(5 * S, (m) => ({ ...begin, mono: m, wall: begin.wall + m }));
        const known = at(Math.min(ran, 19) * S + off * S + 5 * S, 5 * S, true);
        gateway.input({ kind: 'synced' }, known);
        gateway.tick(5 * S, () => known);
        const raised = gateway.happened.filter((h) => h.alarm.rule === 'low' && h.transition === 'raised');
        const total = Math.min(ran, 19) + off + 5;
        expect(raised.length).toBe(total >= 20 ? 1 : 0);
      }),
      { numRuns: 100 },
    );
  });

  it('a day of 25 hours has one night', () => {
    const body = { rule: 'n', level: 'blue', each: { type: 'tank' }, when: 'pump && night' };
    const berlin: SiteModel = {
      ...SITE,
      site: { id: 's', name: 's', timezone: 'Europe/Berlin' },
      times: new Map([['night', '22:00 .. 06:00']]),
      rules: [{ file: 'rules/a.yaml', doc: 0, body }],
    };
    const { machine } = compileRules(berlin);
    if (machine === undefined) throw new Error('no machine');
    // the evening before the clocks go back, 2026-10-25 03:00
    const begin = Date.UTC(2026, 9, 24, 18);
    const at = (mono: number): Instant => ({ wall: begin + mono, mono, synced: true });
    const gateway = new SmallGateway(machine, at(0));
    const now = at(0);
    gateway.input(
      {
        kind: 'readings',
        readings: [{ device: 'tank', point: 'pump', value: true, quality: 'good', ts: now.wall, at: now }],
      },
      now,
    );
    gateway.tick(24 * 3_600_000, at);
    // 22:00 summer time is 20:00 UTC, 06:00 winter time is 05:00 UTC
    expect(gateway.happened.map((h) => `${h.transition} ${new Date(h.wall).toISOString().slice(11, 16)}`)).toEqual([
      'raised 20:00',
      'cleared 05:00',
    ]);
  });
});
