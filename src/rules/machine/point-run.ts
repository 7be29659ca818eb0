/** A derived point at work: its value is a reading like any other, with the quality of what it was made of. */
import type { Reading, Value } from '../../base/reading.ts';
import type { Instant } from '../../base/time.ts';
import type { PointUnit } from '../compile/units.ts';
import type { Step, Waking } from './context.ts';
import { Run, type Surroundings } from './run.ts';

export class PointRun extends Run {
  readonly unit: PointUnit;
  private last: { value: Value | null; isUncertain: boolean } | undefined;

  constructor(index: number, unit: PointUnit, around: Surroundings) {
    super(index, unit, around);
    this.unit = unit;
  }

  wake(waking: Waking): void {
    this.wakeWindows(waking);
  }

  due(now: Instant): number | undefined {
    return this.nextChange(now);
  }

  /** undefined when `when` does not hold: then the point says nothing at all */
  evaluate(step: Step): Reading | undefined {
    this.refresh(step);
    const { now } = step;
    const { unit } = this;
    this.cause = undefined;
    if (unit.when !== undefined && this.truth(unit.when, now) !== true) return undefined;
    const value = this.result(now);
    const isUncertain = this.isUncertain(unit.value);
    // Never seen to be anything: nothing is known to have become unknown.
    if (value === undefined && this.last === undefined) return undefined;
    this.last = { value: value ?? null, isUncertain };
    const quality = value === undefined ? 'bad' : isUncertain ? 'uncertain' : 'good';
    return {
      device: unit.owner,
      point: unit.model.id,
      value: value ?? null,
      quality,
      ...(value === undefined ? { why: 'stale' as const } : {}),
      ts: now.wall,
      at: now,
    };
  }

  private result(now: Instant): Value | undefined {
    const { value } = this.unit;
    const result =
      value === undefined ? this.windows.find((w) => w.window.spec.name === 'value')?.value : this.value(value, now);
    return typeof result === 'number' && !Number.isFinite(result) ? undefined : result;
  }
}
