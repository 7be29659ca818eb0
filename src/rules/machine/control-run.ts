/**
 * A control at work: an output is written when it should be something else than what was written last. Unknown input changes nothing; a person's
 * own switching is left alone for `override`; two writes are `hold` apart. A write that failed is made again after RETRY, as long as it is still wanted.
 */
import type { Value } from '../../base/reading.ts';
import type { Instant } from '../../base/time.ts';
import type { ControlUnit } from '../compile/units.ts';
import type { Acts } from './acts.ts';
import { type SavedAnchor, saveAnchor, wakeAnchor } from './anchor.ts';
import { parseRow, type Step, type Waking } from './context.ts';
import { least, Run, type Surroundings } from './run.ts';

/** a device that does not take it now is not asked all the time */
const RETRY = 60_000;

interface Written {
  /** of the action */
  readonly key: string;
  value: Value;
  /** monotonic ms */
  at: number;
  n: number;
}

interface Saved {
  readonly w: readonly [string, Value, SavedAnchor, number, string][];
  readonly o?: SavedAnchor;
}

export class ControlRun extends Run {
  readonly unit: ControlUnit;
  private readonly acts: Acts;
  private readonly written = new Map<string, Written>();
  /** monotonic ms until which a person's switching stands */
  private overridden: number | undefined;
  private heldUntil: number | undefined;
  /** monotonic ms before which a failed output is not written again */
  private readonly failedUntil = new Map<string, number>();

  constructor(index: number, unit: ControlUnit, around: Surroundings, acts: Acts) {
    super(index, unit, around);
    this.unit = unit;
    this.acts = acts;
  }

  wake(waking: Waking): void {
    this.wakeWindows(waking);
    const saved = parseRow<Saved>(waking, this.row);
    const mono = (at: SavedAnchor): number => wakeAnchor(at, waking.now, waking.downSince).mono;
    for (const [output, value, at, n, key] of saved?.w ?? []) this.written.set(output, { key, value, at: mono(at), n });
    if (saved?.o !== undefined) this.overridden = mono(saved.o);
  }

  due(now: Instant): number | undefined {
    return least([this.overridden, this.heldUntil, this.nextChange(now)]);
  }

  evaluate(step: Step): void {
    this.refresh(step);
    this.cause = undefined;
    const { now } = step;
    this.heldUntil = undefined;
    if (this.overridden !== undefined && now.mono < this.overridden) return;
    this.overridden = undefined;
    if (!this.isGateOpen(now)) return;
    for (const { output, value } of this.unit.outputs) {
      const wanted = this.value(value, now);
      if (wanted !== undefined) this.write(`${output.device}.${output.point}`, output, wanted, step);
    }
  }

  /** A person switched it. */
  override(step: Step): void {
    this.overridden = step.now.mono + this.unit.spec.overrideMs;
    // What was written last no longer holds: afterwards it is written again.
    this.written.clear();
    this.save(step);
  }

  /** The action was not done. */
  failed(key: string, step: Step): void {
    for (const [output, written] of this.written) {
      if (written.key !== key) continue;
      this.written.delete(output);
      this.failedUntil.set(output, step.now.mono + RETRY);
      this.save(step);
    }
  }

  private write(key: string, output: { device: string; point: string }, value: Value, step: Step): void {
    const { now } = step;
    const before = this.written.get(key);
    if (before?.value === value) return;
    const { holdMs, mode } = this.unit.spec;
    const earliest = before === undefined ? (this.failedUntil.get(key) ?? now.mono) : before.at + holdMs;
    if (now.mono < earliest) {
      this.heldUntil = least([this.heldUntil, earliest]);
      return;
    }
    this.failedUntil.delete(key);
    const n = (before?.n ?? 0) + 1;
    const actKey = `${this.unit.key}/${output.point}/${Math.round(now.wall)}.${n}`;
    this.written.set(key, { key: actKey, value, at: now.mono, n });
    this.save(step);
    const act = {
      key: actKey,
      step: { do: 'write', ...output, value } as const,
      leaves: true,
      at: now.wall,
    };
    if (mode === 'shadow') step.emit({ kind: 'skipped', act, why: 'shadow' });
    else this.acts.give(act, step);
  }

  private save(step: Step): void {
    const { now } = step;
    const saved: Saved = {
      w: [...this.written].map(([output, { key, value, at, n }]) => [
        output,
        value,
        saveAnchor({ mono: at }, now),
        n,
        key,
      ]),
      ...(this.overridden === undefined ? {} : { o: saveAnchor({ mono: this.overridden }, now) }),
    };
    step.state(this.row, saved);
  }

  private get row(): string {
    return `ctl:${this.unit.key}`;
  }
}
