/** The operator of a compiled window. */
import type { Instant } from '../../base/time.ts';
import type { Times } from '../compile/times.ts';
import type { CompiledWindow } from '../compile/unit.ts';
import { Drift } from './drift.ts';
import type { Operator, SourceFacts } from './operator.ts';
import { Periodic } from './periodic.ts';
import { Present } from './present.ts';
import { Since } from './since.ts';
import { Sliding } from './sliding.ts';
import { Top } from './top.ts';
import { Eta } from './trend.ts';

const PARTIALS = 60;
const TREND_PARTIALS = 120;
/** a periodic window that skipped one period is not known through it */
const PERIODS = 1.5;

export function createOperator(
  window: CompiledWindow,
  earlier: readonly CompiledWindow[],
  times: Times,
  placeNames: readonly string[],
): Operator {
  const { spec } = window;
  const sources = factsOf(window, earlier);
  const overMs = spec.overMs ?? spec.everyMs;
  if (spec.fn === 'since') return new Since(spec.is, sources);
  if (overMs === undefined) return new Present(spec.fn, spec.is, spec.need, sources.length);
  if (spec.fn === 'top') return new Top(overMs, spec.n, spec.atLeast, placeNames);
  if (spec.fn === 'drift')
    return new Drift({ overMs, againstMs: spec.againstMs ?? overMs, need: spec.need, calendar: times.calendar });
  const sliding = new Sliding({
    fn: spec.fn === 'eta' ? 'median' : spec.fn,
    overMs,
    partials: spec.fn === 'eta' ? TREND_PARTIALS : PARTIALS,
    need: spec.need,
    is: spec.is,
    sources,
    ...within(window, times),
  });
  if (spec.fn === 'eta') return new Eta(sliding, spec.to ?? 0);
  return spec.everyMs === undefined
    ? sliding
    : new Periodic(sliding, spec.everyMs, spec.overMs === undefined, times.calendar);
}

function within({ between }: CompiledWindow, times: Times) {
  if (between === undefined) return {};
  const wall = (mono: number, now: Instant): number => now.wall - (now.mono - mono);
  return {
    inside: (mono: number, now: Instant) => times.isOpen(between, wall(mono, now)),
    wanted: (from: number, until: number, now: Instant) => times.overlap(between, wall(from, now), wall(until, now)),
  };
}

function factsOf({ sources, spec }: CompiledWindow, earlier: readonly CompiledWindow[]): SourceFacts[] {
  switch (sources.kind) {
    case 'form':
      return [{ staleMs: 0, isEvent: true, isEach: true }];
    case 'window': {
      const periodMs = earlier.find((w) => w.spec.name === sources.name)?.spec.everyMs;
      return [
        periodMs === undefined
          ? { staleMs: spec.overMs ?? 60_000, isEvent: false }
          : { staleMs: PERIODS * periodMs, isEvent: false, periodMs },
      ];
    }
    case 'points':
      return sources.points.map(({ point }) => ({
        staleMs: point.staleAfterMs,
        isEvent: point.event === true,
        ...(point.rollover === undefined ? {} : { rollover: point.rollover }),
      }));
  }
}
