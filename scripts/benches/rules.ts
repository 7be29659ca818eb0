/**
 * Rules at size: 10,000 instances over 2,000 points at 2,000 readings a second. How much of one core that takes, how long one reading takes to be
 * judged, how long such a rule set takes to start with a million rows of history beside it, and what an instance weighs. The limit measured in the
 * same run: the same expressions evaluated alone, without machine, windows or alarms.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Environment } from '@marcbachmann/cel-js';
import type { SiteModel } from '../../src/base/model.ts';
import type { Reading } from '../../src/base/reading.ts';
import type { Instant } from '../../src/base/time.ts';
import { systemClock } from '../../src/io/clock.ts';
import { systemRandom } from '../../src/io/random.ts';
import { openSqlite } from '../../src/io/sqlite.ts';
import { startWorker } from '../../src/io/worker.ts';
import { createJournal } from '../../src/journal/index.ts';
import { compileRules } from '../../src/rules/index.ts';
import { SECRET } from '../../test/fakes/entitlement.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { device, site } from '../../test/kit/hand.ts';
import { fixed, row } from './kit.ts';

const DEVICES = 500;
const POINTS = 4;
const RATE = 2000;
const SECONDS = Number(process.env.SECONDS ?? 30);
const STALE = { staleAfterMs: 10_000 };
const HISTORY = Number(process.env.ROWS ?? 1_000_000);

/** Twenty documents of five shapes: thresholds, hysteresis, a sliding window, a text with arithmetic, and one that gates by the hour. */
const YAML = Array.from(
  { length: 4 },
  (_, i) => `rule: high_${i}
level: yellow
each: {type: meter}
when: a > ${70 + i}
for: 10s
text: "{a} {round(b * 2)}"
---
rule: hold_${i}
level: orange
act: look
each: {type: meter}
when: b < ${10 - i} && c > 5
clear: b > ${15 - i}
for: 1m
keep: 5s
---
rule: mean_${i}
level: blue
each: {type: meter}
with: {mean: {avg: c, over: ${5 + i}m}, top: {max: d, over: 10m}}
when: mean > 80 && top > 90
---
rule: night_${i}
level: blue
each: {type: meter}
only: "22:00 .. 06:00"
when: d > 95 || a + b > 180
---
rule: sum_${i}
level: 'a > 90 ? "red" : "orange"'
act: look
each: {type: meter}
when: (a + b + c + d) / 4 > ${60 + i}
clear: (a + b + c + d) / 4 < 50
`,
).join('---\n');

const estate = (): SiteModel =>
  site(
    YAML,
    Array.from({ length: DEVICES }, (_, i) => device(`m${i}`, 'meter', { a: STALE, b: STALE, c: STALE, d: STALE })),
  );

const value = (device: number, p: number, t: number): number => {
  const wave = 50 + 45 * Math.sin(t / 40 + device * 0.37 + p);
  return Math.round(wave * 10) / 10;
};

async function main(): Promise<void> {
  const model = estate();
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const began = performance.now();
  const { machine, problems } = compileRules(model);
  if (machine === undefined) throw new Error(JSON.stringify(problems.slice(0, 3)));
  const origin = Date.now();
  const at = (mono: number): Instant => ({ wall: origin + mono, mono, synced: true });
  const { state } = machine.restore({ alarms: [], states: [] }, at(0));
  const compiled = performance.now() - began;
  globalThis.gc?.();
  const instances = 20 * DEVICES;
  const empty = process.memoryUsage().heapUsed - before;

  const batch = DEVICES / (RATE / POINTS);
  if (batch !== 1) throw new Error('one round of all devices is one second');
  const times: number[] = [];
  let effects = 0;
  let spent = 0;
  for (let t = 0; t < SECONDS; t++) {
    for (let d = 0; d < DEVICES; d++) {
      const now = at(t * 1000 + (d * 1000) / DEVICES);
      const readings = ['a', 'b', 'c', 'd'].map(
        (p, i): Reading => ({
          device: `m${d}`,
          point: p,
          value: value(d, i, t),
          quality: 'good',
          ts: now.wall,
          at: now,
        }),
      );
      const start = performance.now();
      for (const reading of readings)
        effects += machine.step(state, { kind: 'readings', readings: [reading] }, now).effects.length;
      const took = performance.now() - start;
      spent += took;
      times.push(took / POINTS);
    }
    const due = performance.now();
    effects += machine.step(state, { kind: 'tick' }, at((t + 1) * 1000)).effects.length;
    spent += performance.now() - due;
  }
  globalThis.gc?.();
  const full = process.memoryUsage().heapUsed - before;
  // still in use, or there would be nothing to weigh
  if (machine.due(state) === undefined) throw new Error('nothing is due');
  times.sort((x, y) => x - y);
  const bare = bareEvaluations();
  const readings = RATE * SECONDS;
  const share = spent / (SECONDS * 1000);
  const p99 = quantile(times, 0.99);
  const ratio = spent / readings / ((bare * instances) / (DEVICES * POINTS));
  row('rule instances / points / readings a second', `${instances} / ${DEVICES * POINTS} / ${RATE}`, '', undefined);
  row('share of one core', `${fixed(share * 100, 1)} %`, '<= 25 %', share <= 0.25);
  row(
    'one reading judged, p50 / p99',
    `${fixed(quantile(times, 0.5), 4)} / ${fixed(p99, 4)} ms`,
    'p99 <= 2 ms',
    p99 <= 2,
  );
  row('one reading, against its bare expressions', `${fixed(ratio, 1)} x`, '', undefined);
  row('effects', String(effects), '', undefined);
  row(
    'bytes an instance, compiled / windows filled',
    `${Math.round(empty / instances)} / ${Math.round(full / instances)}`,
    '',
    undefined,
  );
  row('compile and start', `${Math.round(compiled)} ms`, '', undefined);
  await startWithHistory(model);
}

/** ms of one expression alone */
function bareEvaluations(): number {
  const env = new Environment({ unlistedVariablesAreDyn: false });
  for (const name of ['a', 'b', 'c', 'd']) env.registerVariable(name, 'double');
  const run = env.parse('b < 10.0 && c > 5.0') as unknown as (context: object) => unknown;
  const contexts = Array.from({ length: 1000 }, (_, i) => ({ a: i, b: value(i, 1, i), c: value(i, 2, i), d: 4 }));
  const n = 200_000;
  let held = 0;
  const loop = (): void => {
    for (let i = 0; i < n; i++) if (run(contexts[i % 1000] ?? {}) === true) held++;
  };
  loop();
  const start = performance.now();
  loop();
  if (held === 0) throw new Error('nothing was evaluated');
  return (performance.now() - start) / n;
}

/** What a boot waits for: the rules compiled, the store opened and read with a million rows in it, and the machine restored. */
async function startWithHistory(model: SiteModel): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weinao-bench-'));
  try {
    const path = join(folder, 'journal.db');
    const open = () =>
      createJournal({
        clock: systemClock(),
        random: systemRandom(),
        log: memoryLog(),
        path,
        windowMs: 1000,
        startWorker: () => startWorker(new URL('../../src/app/store-worker.ts', import.meta.url), undefined),
        secret: SECRET,
        onStalled: () => {},
      });
    const first = open();
    await first.start();
    await first.close();
    const db = openSqlite(path);
    const insert = db.prepare('INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)');
    const body = JSON.stringify({
      kind: 'alarm.raised',
      at: { wall: 1, mono: 1, synced: true },
      data: { key: 'x/y', level: 'blue' },
    });
    db.transaction(() => {
      for (let i = 1; i <= HISTORY; i++) insert.run(i, `id${i}`, 'a', 'alarm.raised', i, 'boot', body);
      const state = db.prepare('INSERT OR REPLACE INTO states VALUES (?, ?)');
      for (let i = 0; i < DEVICES; i++)
        state.run(`rule:high_0/m${i}`, JSON.stringify({ v: 1, m: 'x', p: 'pending', w: Date.now(), s: true, u: 0 }));
    })();
    db.close();
    const began = performance.now();
    const journal = open();
    await journal.start();
    const rows = await journal.restore();
    const { machine } = compileRules(model);
    machine?.restore({ alarms: rows.alarms, states: rows.states, downSince: Date.now() }, systemClock().now());
    const took = performance.now() - began;
    row(`start with ${HISTORY} rows of history`, `${Math.round(took)} ms`, '<= 3000 ms', took <= 3000);
    await journal.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? 0;

await main();
