/** Statistics at work: readings and raised alarms go in, what a step asks for goes to the pipeline; one timer for all of them. */
import type { Alarm } from '../base/alarm.ts';
import type { StateRow } from '../base/journal.ts';
import type { Clock, Timer } from '../base/ports.ts';
import type { Reading } from '../base/reading.ts';
import type { Effect } from '../base/rules.ts';
import {
  compileStats,
  createStatMachine,
  type StatInput,
  type StatMachine,
  type StatState,
} from '../engine/stats/index.ts';
import type { CheckedSite } from './check.ts';

/** alarms about the gateway itself are no happenings of the estate */
const TECHNICAL = 'sys.';

export class StatDesk {
  private readonly clock: Clock;
  private readonly carry: (effects: readonly Effect[]) => void;
  private running: { readonly machine: StatMachine; readonly state: StatState } | undefined;
  private timer: { readonly due: number; readonly handle: Timer } | undefined;

  constructor(clock: Clock, carry: (effects: readonly Effect[]) => void) {
    this.clock = clock;
    this.carry = carry;
  }

  start({ model, machine: rules }: CheckedSite, rows: readonly StateRow[]): void {
    const machine = createStatMachine(model, compileStats(model, rules.made).stats);
    const { state, effects } = machine.restore(rows, this.clock.now());
    this.running = { machine, state };
    if (effects.length > 0) this.carry(effects);
    this.arm();
  }

  replace(site: CheckedSite): void {
    if (this.running !== undefined) this.start(site, this.snapshot());
  }

  readings(readings: readonly Reading[]): void {
    this.step({ kind: 'readings', readings });
  }

  raised(alarm: Alarm): void {
    if (!alarm.rule.startsWith(TECHNICAL) && alarm.mute !== 'maintenance') this.step({ kind: 'alarm', alarm });
  }

  /** Writes everything down; nothing is counted any more. */
  stop(): void {
    this.timer?.handle.cancel();
    this.timer = undefined;
    if (this.running === undefined) return;
    this.carry(this.snapshot().map((row): Effect => ({ kind: 'state', row })));
    this.running = undefined;
  }

  private snapshot(): readonly StateRow[] {
    return this.running?.machine.snapshot(this.running.state, this.clock.now()) ?? [];
  }

  private step(input: StatInput): void {
    if (this.running === undefined) return;
    const { machine, state } = this.running;
    const { effects } = machine.step(state, input, this.clock.now());
    if (effects.length > 0) this.carry(effects);
    this.arm();
  }

  private arm(): void {
    const due = this.running === undefined ? undefined : this.running.machine.due(this.running.state);
    if (due === this.timer?.due) return;
    this.timer?.handle.cancel();
    this.timer = undefined;
    if (due === undefined) return;
    const handle = this.clock.timer('statistics', Math.max(0, due - this.clock.mono()), () => {
      this.timer = undefined;
      this.step({ kind: 'tick' });
    });
    this.timer = { due, handle };
  }
}
