/**
 * Too many alarms at once: more than MOST new ones in WITHIN and the yellow and blue ones call nobody by themselves any more; one summary stands
 * for them until it is quieter (EEMUA 191 calls ten in ten minutes a flood). Red and orange are never held back. Kept over a restart.
 */
import type { Alarm } from '../../base/alarm.ts';
import { mappingAt } from '../operators/operator.ts';
import { type Clockwork, parseRow, type Step, type Timed, type Waking } from './context.ts';
import { FLOOD } from './no-data.ts';

const MOST = 10;
const WITHIN = 10 * 60_000;
const ROW = 'flood:site';

export class Flood implements Timed {
  /** monotonic ms of the newest alarms, one more than MOST of them */
  private raised: number[] = [];
  private isOn = false;
  /** told how many, or undefined when it is over */
  private readonly changed: (count: number | undefined, step: Step) => void;
  private readonly wheel: Clockwork;

  constructor(changed: (count: number | undefined, step: Step) => void, wheel: Clockwork) {
    this.changed = changed;
    this.wheel = wheel;
  }

  /** @param isOn the summary stands */
  wake(waking: Waking, isOn: boolean): void {
    const { toMono } = mappingAt(waking.now);
    this.raised = (parseRow<number[]>(waking, ROW) ?? []).map(toMono);
    this.isOn = isOn;
    if (isOn) this.wheel.set(this, this.end(waking.now.mono));
  }

  /** @returns whether this alarm only counts */
  count(alarm: Alarm, isNew: boolean, step: Step): boolean {
    if (alarm.rule === FLOOD) return false;
    const { mono } = step.now;
    this.forget(mono);
    if (isNew) {
      this.raised = [...this.raised, mono].slice(-MOST - 1);
      const { toWall } = mappingAt(step.now);
      step.state(ROW, this.raised.map(toWall));
    }
    if (this.raised.length > MOST && !this.isOn) {
      this.isOn = true;
      this.changed(this.raised.length, step);
    }
    if (this.isOn) this.wheel.set(this, this.end(mono));
    return this.isOn && (alarm.level === 'yellow' || alarm.level === 'blue');
  }

  fire(step: Step): void {
    this.forget(step.now.mono);
    if (this.raised.length > MOST) return this.wheel.set(this, this.end(step.now.mono));
    this.isOn = false;
    this.changed(undefined, step);
  }

  /** when it may be over */
  private end(mono: number): number {
    return (this.raised.at(-MOST - 1) ?? mono) + WITHIN + 1;
  }

  private forget(mono: number): void {
    while ((this.raised[0] ?? mono) <= mono - WITHIN) this.raised.shift();
  }
}
