/**
 * A gateway in small, on virtual time: a machine, the rows its effects leave, and what it did. Unit tests of rules and the replay of history run
 * on it; it is the same machine that runs live, and nothing it does leaves it.
 */
import type { Alarm, Transition } from '../../base/alarm.ts';
import type { Reading } from '../../base/reading.ts';
import type { Act, Answer, Effect, Restorable, RuleInput, RuleMachine, RuleState } from '../../base/rules.ts';
import type { Instant } from '../../base/time.ts';

export interface Happened {
  /** monotonic ms */
  readonly at: number;
  readonly wall: number;
  readonly transition: Transition;
  readonly alarm: Alarm;
  readonly isShadow: boolean;
}

export interface Done {
  readonly at: number;
  readonly act: Act;
}

export class SmallGateway {
  readonly happened: Happened[] = [];
  readonly acts: Done[] = [];
  readonly answers: Answer[] = [];
  /** newest values of points that rules made */
  readonly made = new Map<string, Reading>();
  private machine: RuleMachine;
  private state: RuleState;
  private readonly alarms = new Map<string, Alarm>();
  private readonly states = new Map<string, string>();

  constructor(machine: RuleMachine, now: Instant, rows: Restorable = { alarms: [], states: [] }) {
    this.machine = machine;
    for (const alarm of rows.alarms) this.alarms.set(alarm.key, alarm);
    for (const { key, body } of rows.states) if (body !== null) this.states.set(key, body);
    const { state, effects } = machine.restore(rows, now);
    this.state = state;
    this.keep(effects, now);
  }

  input(input: RuleInput, now: Instant): void {
    const { state, effects } = this.machine.step(this.state, input, now);
    this.state = state;
    this.keep(effects, now);
  }

  /** Everything that is due until `now` (as of `at(mono)`), each at its time, as the live timer does. */
  tick(until: number, at: (mono: number) => Instant): void {
    for (let due = this.machine.due(this.state); due !== undefined && due <= until; due = this.machine.due(this.state))
      this.input({ kind: 'tick' }, at(due));
  }

  /** Ends in good order and begins again from its rows. */
  restart(end: Instant, begin: Instant, machine: RuleMachine = this.machine): void {
    for (const { key, body } of this.machine.snapshot(this.state, end)) if (body !== null) this.states.set(key, body);
    this.machine = machine;
    const rows: Restorable = {
      alarms: [...this.alarms.values()],
      states: [...this.states].map(([key, body]) => ({ key, body })),
      downSince: end.wall,
    };
    const { state, effects } = machine.restore(rows, begin);
    this.state = state;
    this.keep(effects, begin);
  }

  alarm(key: string): Alarm | undefined {
    return this.alarms.get(key);
  }

  private keep(effects: readonly Effect[], now: Instant): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'state':
          if (effect.row.body === null) this.states.delete(effect.row.key);
          else this.states.set(effect.row.key, effect.row.body);
          break;
        case 'alarm':
        case 'shadow':
          this.alarms.set(effect.alarm.key, effect.alarm);
          this.happened.push({
            at: now.mono,
            wall: now.wall,
            transition: effect.transition,
            alarm: effect.alarm,
            isShadow: effect.kind === 'shadow',
          });
          break;
        case 'act':
          this.acts.push({ at: now.mono, act: effect.act });
          this.states.delete(`act:${effect.act.key}`);
          break;
        case 'reading':
          this.made.set(`${effect.reading.device}.${effect.reading.point}`, effect.reading);
          break;
        case 'answer':
          this.answers.push(effect.answer);
          break;
        default:
          break;
      }
    }
  }
}
