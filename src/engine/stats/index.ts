/**
 * Statistics: aggregates made before the journal, so that a feed's view only selects them (`stats:` in weinao.yaml). Pure, as rules are:
 * (state, input, now) -> (state', effects); the state belongs to the caller, is changed in place and handed back.
 *
 * - One `stat.computed` event for each window and group: `{stat, from, to, value, n, k, coverage, unit, rev}`. Windows lie side by side in the
 *   site's local time (base/calendar.ts). `coverage` is the share 0..1 of the sources' time that was observed with good data; `n` how many sources
 *   the value was made of. A source of which too little is known counts as unknown, never as what it was.
 * - Late data are taken for the window before the running one: its event comes again with the next `rev`, the newest wins. Older data change
 *   nothing. A statistic of personal points is told once, after waiting for as long as its window, at most an hour: the difference between two
 *   tellings would be one home's data.
 * - Personal statistics withhold groups that tell of few (suppress.ts); their event says `suppressed` and no value.
 * - Time off, and a jump of the clock forward, is time not observed. After a jump back the running window begins anew.
 * - State is a row `stat/<id>`, written with each event and up to four times a window; all of it by `snapshot` at an orderly end. A power cut
 *   loses what was not written, and coverage says so. An event and the state behind it are one commit: none is told twice with one `rev`.
 * Limits: two windows and one hole of each source are kept, no samples.
 */
import type { Alarm } from '../../base/alarm.ts';
import { createCalendar } from '../../base/calendar.ts';
import type { StateRow } from '../../base/journal.ts';
import type { SiteModel } from '../../base/model.ts';
import type { Reading } from '../../base/reading.ts';
import type { Effect } from '../../base/rules.ts';
import type { Instant } from '../../base/time.ts';
import type { CompiledStat } from './compile.ts';
import { type Saved, StatRun } from './run.ts';

export { type CompiledStat, compileStats } from './compile.ts';

export type StatInput =
  | { readonly kind: 'readings'; readonly readings: readonly Reading[] }
  /** an alarm was raised */
  | { readonly kind: 'alarm'; readonly alarm: Alarm }
  | { readonly kind: 'tick' };

export type StatEffect = Extract<Effect, { kind: 'event' | 'state' }>;

/** Opaque outside this folder. */
export interface StatState {
  readonly runs: readonly StatRun[];
  /** the moment of the last step */
  at: Instant;
  /** wall ms */
  due: number;
}

export interface StatMachine {
  restore(rows: Iterable<StateRow>, now: Instant): { state: StatState; effects: readonly StatEffect[] };
  step(state: StatState, input: StatInput, now: Instant): { state: StatState; effects: readonly StatEffect[] };
  /** monotonic ms; undefined when there are no statistics */
  due(state: StatState): number | undefined;
  snapshot(state: StatState, now: Instant): readonly StateRow[];
}

export const STAT_ROWS = 'stat/';
/** the wall clock moved by more than slewing would */
const JUMP = 2000;

export function createStatMachine(site: Pick<SiteModel, 'site'>, stats: readonly CompiledStat[]): StatMachine {
  const calendar = createCalendar(site.site.timezone);
  const readers = readersOf(stats);
  const finish = (state: StatState, now: Instant, effects: StatEffect[]): void => {
    state.at = now;
    if (now.wall >= state.due)
      for (const run of state.runs)
        effects.push(...run.advance(now).map((draft): StatEffect => ({ kind: 'event', draft })));
    for (const run of state.runs) if (run.isDirty) effects.push({ kind: 'state', row: rowOf(run, now) });
    state.due = Math.min(...state.runs.map((run) => run.due()));
  };
  return {
    restore: (rows, now) => {
      const saved = new Map([...rows].filter((row) => row.key.startsWith(STAT_ROWS)).map((r) => [r.key, r.body]));
      const runs = stats.map((stat) => new StatRun(stat, calendar, Math.round(now.wall)));
      for (const run of runs) wake(run, saved.get(keyOf(run)) ?? null, Math.round(now.wall));
      const known = new Set(runs.map(keyOf));
      const effects = [...saved.keys()]
        .filter((key) => !known.has(key))
        .map((key): StatEffect => ({ kind: 'state', row: { key, body: null } }));
      const state: StatState = { runs, at: now, due: 0 };
      finish(state, now, effects);
      return { state, effects };
    },
    step: (state, input, now) => {
      const effects: StatEffect[] = [];
      follow(state, now);
      // What ended, ended before what comes now.
      if (now.wall >= state.due) finish(state, now, effects);
      if (input.kind === 'alarm') for (const run of state.runs) run.count(input.alarm);
      if (input.kind === 'readings') take(state, input.readings, readers, Math.round(now.wall));
      finish(state, now, effects);
      return { state, effects };
    },
    due: ({ runs, at, due }) => (runs.length === 0 ? undefined : at.mono + Math.max(0, due - at.wall)),
    snapshot: ({ runs }, now) => runs.map((run) => rowOf(run, now)),
  };
}

type Readers = ReadonlyMap<string, ReadonlyMap<string, readonly (readonly [run: number, source: number])[]>>;

function readersOf(stats: readonly CompiledStat[]): Readers {
  const readers = new Map<string, Map<string, [number, number][]>>();
  stats.forEach(({ sources }, run) => {
    sources.forEach(({ device, key }, source) => {
      const points = readers.get(device) ?? new Map<string, [number, number][]>();
      const point = key.slice(device.length + 1);
      points.set(point, [...(points.get(point) ?? []), [run, source]]);
      readers.set(device, points);
    });
  });
  return readers;
}

function take({ runs }: StatState, readings: readonly Reading[], readers: Readers, wall: number): void {
  for (const { device, point, value, quality, ts } of readings) {
    const found = readers.get(device)?.get(point);
    if (found === undefined || typeof value === 'string') continue;
    const told = quality === 'bad' || value === null ? undefined : Number(value);
    // A time ahead of ours is not believed.
    const t = Math.min(Math.round(ts), wall);
    for (const [run, source] of found) runs[run]?.take(source, t, told, quality === 'good', wall);
  }
}

function wake(run: StatRun, body: string | null, wall: number): void {
  if (body === null) return;
  const saved = JSON.parse(body) as Saved;
  if (!run.load(saved)) return;
  if (wall > saved.at) run.pause(saved.at, wall);
  else if (wall < saved.at) run.reset(wall);
}

/** The wall clock may have jumped since the last step. */
function follow({ runs, at }: StatState, now: Instant): void {
  const jump = now.wall - at.wall - (now.mono - at.mono);
  if (Math.abs(jump) <= JUMP) return;
  for (const run of runs) {
    if (jump > 0) run.pause(Math.round(now.wall - jump), Math.round(now.wall));
    else run.reset(Math.round(now.wall));
  }
}

const keyOf = (run: StatRun): string => `${STAT_ROWS}${run.stat.model.id}`;
const rowOf = (run: StatRun, now: Instant): StateRow => ({
  key: keyOf(run),
  body: JSON.stringify(run.save(Math.round(now.wall))),
});
