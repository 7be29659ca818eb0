/** Counts how often a condition comes and goes: too often, and it flaps until it is quiet for a while. Kept over a restart. */
import type { StateRow } from '../../base/journal.ts';
import type { FlapSpec } from '../language/rule.ts';
import { type Mapping, mappingAt } from '../operators/operator.ts';
import { parseRow, type Step, type Waking } from './context.ts';

interface Saved {
  /** wall ms of the edges, and until when it flaps */
  readonly e: readonly number[];
  readonly u?: number;
  /** what the condition was */
  readonly l?: boolean;
}

export class Flaps {
  /** monotonic ms; undefined = it does not flap */
  until: number | undefined;
  private readonly key: string;
  private readonly spec: FlapSpec;
  private last: boolean | undefined;
  private times: number[] = [];

  constructor(key: string, spec: FlapSpec) {
    this.key = key;
    this.spec = spec;
  }

  get edges(): number {
    return this.times.length;
  }

  wake(waking: Waking): void {
    const saved = parseRow<Saved>(waking, `flap:${this.key}`);
    if (saved === undefined) return;
    const { toMono } = mappingAt(waking.now);
    this.times = saved.e.map(toMono);
    if (saved.u !== undefined) this.until = toMono(saved.u);
    this.last = saved.l;
  }

  see(when: boolean | undefined, step: Step): 'began' | 'ended' | undefined {
    const { moreThan, overMs, settleMs } = this.spec;
    const { mono } = step.now;
    const isEdge = when !== undefined && this.last !== undefined && when !== this.last;
    if (when !== undefined) this.last = when;
    if (isEdge) {
      this.times.push(mono);
      if (this.times.length > moreThan + 1) this.times.shift();
      if (this.until !== undefined) this.until = mono + settleMs;
    }
    while ((this.times[0] ?? mono) <= mono - overMs) this.times.shift();
    const change = this.change(mono);
    if (isEdge || change !== undefined)
      for (const row of this.rows(mappingAt(step.now))) step.emit({ kind: 'state', row });
    return change;
  }

  private change(mono: number): 'began' | 'ended' | undefined {
    if (this.until === undefined) {
      if (this.times.length <= this.spec.moreThan) return undefined;
      this.until = mono + this.spec.settleMs;
      return 'began';
    }
    if (mono < this.until) return undefined;
    this.until = undefined;
    this.times = [];
    return 'ended';
  }

  rows({ toWall }: Mapping): StateRow[] {
    const saved: Saved = {
      e: this.times.map(toWall),
      ...(this.until === undefined ? {} : { u: toWall(this.until) }),
      ...(this.last === undefined ? {} : { l: this.last }),
    };
    return [{ key: `flap:${this.key}`, body: JSON.stringify(saved) }];
  }
}
