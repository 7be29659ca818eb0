/**
 * What is to be done in the world: each step once per key, kept until it is answered for, and the timers that end what was begun.
 *
 * After a restart steps back to the safe state (`undo`, `stop_after`) are given out first of all; what leaves the safe state and is older than
 * ACT_WITHIN is skipped, and said so. A stop is kept as its own row and becomes an act when it is due, or at boot when nobody knows the time.
 */
import type { Alarm } from '../../base/alarm.ts';
import { ACT_WITHIN, type Act, type ActStep } from '../../base/rules.ts';
import type { Instant } from '../../base/time.ts';
import type { CompiledAction } from '../compile/output.ts';
import { type Anchor, countTimeOff, type SavedAnchor, saveAnchor, wakeAnchor } from './anchor.ts';
import { type Clockwork, parseRow, type Step, type Timed, type Waking } from './context.ts';

const ACT = 'act:';
const STOP = 'stop:';

interface SavedStop {
  readonly step: ActStep;
  readonly at: SavedAnchor;
}

export class Acts {
  private readonly pending = new Map<string, Act>();
  private readonly stops = new Map<string, Stop>();
  private readonly wheel: Clockwork;

  constructor(wheel: Clockwork) {
    this.wheel = wheel;
  }

  wake(waking: Waking, step: Step): void {
    const rows = [...waking.states.keys()];
    for (const row of rows) if (row.startsWith(STOP)) this.wakeStop(row, waking, step);
    const acts = rows.filter((row) => row.startsWith(ACT)).flatMap((row) => parseRow<Act>(waking, row) ?? []);
    for (const act of [...acts.filter((a) => !a.leaves), ...acts.filter((a) => a.leaves)]) this.wakeAct(act, step);
  }

  /** @param deviceOf the device a name stands for in this alarm */
  carryOut(
    actions: readonly CompiledAction[],
    alarm: Alarm,
    transition: 'raised' | 'cleared',
    deviceOf: (name: string) => string | undefined,
    step: Step,
    only: 'all' | 'tell' | 'tell-not' = 'all',
  ): void {
    actions.forEach((action, i) => {
      if (only === 'tell' && action.do !== 'tell') return;
      if (only === 'tell-not' && action.do === 'tell') return;
      const key = `${alarm.aid}/${alarm.rev}.${transition}/${i}`;
      const doing = stepOf(action, deviceOf);
      if (doing === undefined) return;
      this.give(
        {
          key,
          step: doing,
          leaves: transition === 'raised' && doing.do !== 'tell',
          at: step.now.wall,
          level: alarm.level,
          alarm,
        },
        step,
      );
      if (action.do !== 'write' || action.stopAfterMs === undefined) return;
      const { device, point } = action.output;
      const due = { mono: step.now.mono + action.stopAfterMs };
      this.setStop(`${key}/stop`, { do: 'write', device, point, value: action.stop }, due, step);
    });
  }

  give(given: Act, step: Step): void {
    const act = lean(given);
    this.pending.set(act.key, act);
    step.state(ACT + act.key, act);
    step.emit({ kind: 'act', act });
  }

  answered(key: string, step: Step): void {
    if (this.pending.delete(key)) step.state(ACT + key, null);
  }

  countTimeOff(now: Instant): void {
    for (const stop of this.stops.values()) {
      countTimeOff(stop.due, now);
      this.wheel.set(stop, stop.due.mono);
    }
  }

  /** A stop is due: what was switched on goes off. */
  stop(stop: Stop, step: Step): void {
    this.stops.delete(stop.key);
    step.state(STOP + stop.key, null);
    this.give({ key: stop.key, step: stop.step, leaves: false, at: step.now.wall }, step);
  }

  private setStop(key: string, doing: ActStep, due: Anchor, step: Step): void {
    const stop = new Stop(key, doing, due, this);
    this.stops.set(key, stop);
    this.wheel.set(stop, due.mono);
    step.state(STOP + key, { step: doing, at: saveAnchor(due, step.now) } satisfies SavedStop);
  }

  private wakeAct(act: Act, step: Step): void {
    if (act.leaves && step.now.wall - act.at > ACT_WITHIN) {
      step.state(ACT + act.key, null);
      return step.emit({ kind: 'skipped', act, why: 'stale' });
    }
    this.pending.set(act.key, act);
    step.emit({ kind: 'act', act });
  }

  private wakeStop(row: string, waking: Waking, step: Step): void {
    const saved = parseRow<SavedStop>(waking, row);
    if (saved === undefined) return;
    const due = wakeAnchor(saved.at, waking.now, waking.downSince);
    const stop = new Stop(row.slice(STOP.length), saved.step, due, this);
    if (!waking.now.synced || due.mono <= waking.now.mono) return this.stop(stop, step);
    this.stops.set(stop.key, stop);
    this.wheel.set(stop, due.mono);
  }
}

/** Whoever carries it out needs no explanation; rows are bytes on a card. */
function lean(act: Act): Act {
  if (act.alarm?.why === undefined) return act;
  const { why: _, ...alarm } = act.alarm;
  return { ...act, alarm };
}

class Stop implements Timed {
  readonly key: string;
  readonly step: ActStep;
  readonly due: Anchor;
  private readonly acts: Acts;

  constructor(key: string, step: ActStep, due: Anchor, acts: Acts) {
    this.key = key;
    this.step = step;
    this.due = due;
    this.acts = acts;
  }

  fire(step: Step): void {
    this.acts.stop(this, step);
  }
}

function stepOf(action: CompiledAction, deviceOf: (name: string) => string | undefined): ActStep | undefined {
  switch (action.do) {
    case 'write':
      return { do: 'write', ...action.output, value: action.value };
    case 'tell':
      return { do: 'tell', to: action.to, ...(action.text === undefined ? {} : { text: action.text }) };
    default: {
      const device = action.isName ? deviceOf(action.of) : action.of;
      return device === undefined ? undefined : { do: action.do, device };
    }
  }
}
