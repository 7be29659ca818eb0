/**
 * The way of a value from the engine to rules, store and duty room.
 *
 * Readings and device changes go through the rule machine in the order they come. What a step asks for becomes one commit; commits are handed
 * to the journal at once and in order, and nothing here waits for them. An alarm is shown after its commit. If the store is silent for a
 * second, or gives up, red alarms are shown without it (`held`), and the commit stays in the journal's queue.
 * Limits: waiting commits are bounded by the journal; the mirror of alarms and states by the number of rule instances.
 * Actions are carried out after the commit of what caused them; for a red alarm whose commit does not come, without it.
 * State that changed without an alarm or an action waits up to a second for company: it is worth no sync of its own.
 * It does not promise that a held alarm survives a power cut; only the commit does.
 */
import { type Alarm, type Transition, withoutContent, withoutPictures } from '../base/alarm.ts';
import { alarmDraft } from '../base/alarm-text.ts';
import type { EventDraft } from '../base/event.ts';
import type { Commit, Committed, MemoryRow, Restored, StateRow } from '../base/journal.ts';
import type { Clock, Log, Timer } from '../base/ports.ts';
import type { Reading } from '../base/reading.ts';
import type { Act, Answer, Effect, RuleInput, RuleMachine, RuleState } from '../base/rules.ts';
import type { AlarmBoard } from './board.ts';
import type { Technical, TechnicalFault } from './technical.ts';

export interface PipelineDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly board: AlarmBoard;
  readonly technical: Technical;
  /** adds what the site knows of it */
  readonly describe: (draft: EventDraft) => EventDraft;
  readonly commit: (work: Commit) => Promise<Committed>;
  /** carries out an action; told only once for each */
  readonly perform: (act: Act) => void;
  /** an action that nobody carries out any more */
  readonly onSkipped: (act: Act, why: string) => void;
  /** points that rules made */
  readonly onMade: (readings: readonly Reading[]) => void;
  readonly onShadow: (shown: Shown) => void;
  /** something new stands in the journal */
  readonly onCommitted: (committed: Committed) => void;
}

export interface Shown {
  readonly transition: Transition;
  readonly alarm: Alarm;
}

export interface Pipeline {
  /** @param downSince newest time in the journal, UTC ms */
  restore(machine: RuleMachine, rows: Restored, downSince: number): void;
  /** a new set of rules over the alarms and states as they stand */
  replace(machine: RuleMachine): void;
  /** What is kept under these keys is forgotten: states begin anew, open alarms go on without what they told of people, and without pictures that went. */
  forget(isMeant: (key: string, body: string) => boolean, pictures: readonly string[]): void;
  /** @returns the answer to what a person asked */
  input(input: RuleInput): Answer | undefined;
  machine(): { machine: RuleMachine; state: RuleState } | undefined;
  /** what another machine's step asks for: one commit, as a rule's */
  carry(effects: readonly Effect[]): void;
  event(draft: EventDraft): void;
  /** these together, at once; resolves with whether they are on the disk */
  keep(events: readonly EventDraft[], memory: readonly MemoryRow[]): Promise<boolean>;
  remember(row: MemoryRow): void;
  raise(fault: TechnicalFault): void;
  /** a transition of an alarm about the gateway itself */
  show(shown: Shown | undefined): void;
  clear(topic: string, instance: string): void;
  /** commits the journal has not answered for a second: their red alarms are shown now */
  stalled(waiting: readonly Commit[]): void;
  /** resolves when every commit handed over so far was answered */
  settled(): Promise<void>;
  /** when every commit handed over so far was answered; undefined = all are */
  answered(): Promise<unknown> | undefined;
  stop(): void;
}

export function createPipeline(deps: PipelineDeps): Pipeline {
  return new LivePipeline(deps);
}

class LivePipeline implements Pipeline {
  private readonly deps: PipelineDeps;
  private readonly alarms = new Map<string, Alarm>();
  private readonly states = new Map<string, StateRow>();
  private running: RuleMachine | undefined;
  private state: RuleState | undefined;
  private timer: { due: number; handle: Timer } | undefined;
  private memory: MemoryRow[] = [];
  private memoryTimer: Timer | undefined;
  /** rows that wait for company */
  private readonly lazy = new Map<string, StateRow>();
  /** actions given out while their commit was stalled */
  private readonly performed = new Set<string>();
  /** what a commit that waits would have done */
  private readonly actsOf = new WeakMap<Commit, readonly Act[]>();
  private readonly inFlight = new Set<Promise<boolean>>();
  private stopped = false;

  constructor(deps: PipelineDeps) {
    this.deps = deps;
  }

  restore(machine: RuleMachine, rows: Restored, downSince: number): void {
    this.deps.board.restore(rows.alarms);
    this.deps.technical.restore(rows.alarms);
    for (const alarm of rows.alarms) if (!alarm.rule.startsWith('sys.')) this.alarms.set(alarm.key, alarm);
    for (const row of rows.states) this.states.set(row.key, row);
    this.wake(machine, downSince);
  }

  replace(machine: RuleMachine): void {
    this.keepSnapshot();
    this.wake(machine, this.deps.clock.now().wall);
  }

  forget(isMeant: (key: string, body: string) => boolean, pictures: readonly string[]): void {
    this.keepSnapshot();
    for (const { key, body } of [...this.states.values()])
      if (isMeant(key, body ?? '')) this.keepState({ key, body: null });
    for (const [key, alarm] of this.alarms) {
      const left = isMeant(key, JSON.stringify(alarm)) ? withoutContent(alarm) : withoutPictures(alarm, pictures);
      if (left === alarm) continue;
      this.alarms.set(key, left);
      this.deps.board.restore([left]);
    }
    if (this.running !== undefined) this.wake(this.running, this.deps.clock.now().wall);
    this.handSoon();
  }

  private wake(machine: RuleMachine, downSince: number): void {
    this.running = machine;
    const now = this.deps.clock.now();
    const rows = { alarms: [...this.alarms.values()], states: [...this.states.values()], downSince };
    const { state, effects } = machine.restore(rows, now);
    this.state = state;
    this.carry(effects);
    this.arm();
  }

  input(input: RuleInput): Answer | undefined {
    if (this.running === undefined || this.state === undefined || this.stopped) return undefined;
    const { state, effects } = this.running.step(this.state, input, this.deps.clock.now());
    this.state = state;
    if (effects.length > 0) this.carry(effects);
    this.arm();
    return effects.find((e) => e.kind === 'answer')?.answer;
  }

  machine(): { machine: RuleMachine; state: RuleState } | undefined {
    return this.running === undefined || this.state === undefined
      ? undefined
      : { machine: this.running, state: this.state };
  }

  event(draft: EventDraft): void {
    void this.keep([draft], []);
  }

  keep(events: readonly EventDraft[], memory: readonly MemoryRow[]): Promise<boolean> {
    return this.hand({ events, alarms: [], states: [], memory }, []);
  }

  remember(row: MemoryRow): void {
    // What a driver learned is worth no sync of its own: it travels with the next commit, or after a second.
    this.memory.push(row);
    this.handSoon();
  }

  private handSoon(): void {
    this.memoryTimer ??= this.deps.clock.timer('memory', 1000, () => void this.keep([], []));
  }

  raise(fault: TechnicalFault): void {
    this.show(this.deps.technical.raise(fault, this.deps.clock.now()));
  }

  clear(topic: string, instance: string): void {
    this.show(this.deps.technical.clear(topic, instance, this.deps.clock.now()));
  }

  stalled(waiting: readonly Commit[]): void {
    for (const work of waiting) {
      for (const act of this.actsOf.get(work) ?? []) {
        if (act.level !== 'red' || this.performed.has(act.key)) continue;
        this.performed.add(act.key);
        this.deps.perform(act);
      }
      const transitions = work.events.filter((event) => event.kind.startsWith('alarm.'));
      transitions.forEach((event, i) => {
        const alarm = work.alarms[i];
        if (alarm?.level === 'red')
          this.deps.board.show({ transition: event.kind.slice(6) as Transition, alarm, held: true });
      });
    }
  }

  async settled(): Promise<void> {
    while (this.inFlight.size > 0) await Promise.all(this.inFlight);
  }

  answered(): Promise<unknown> | undefined {
    return this.inFlight.size === 0 ? undefined : Promise.all(this.inFlight);
  }

  stop(): void {
    this.stopped = true;
    this.timer?.handle.cancel();
    this.memoryTimer?.cancel();
    this.keepSnapshot();
    if (this.memory.length > 0 || this.lazy.size > 0) void this.keep([], []);
  }

  show(shown: Shown | undefined): void {
    if (shown === undefined) return;
    const now = this.deps.clock.now();
    void this.hand(
      { events: [alarmDraft(shown.transition, shown.alarm, now)], alarms: [shown.alarm], states: [], memory: [] },
      [shown],
    );
  }

  carry(effects: readonly Effect[]): void {
    const now = this.deps.clock.now();
    const shown: Shown[] = [];
    const alarms: Alarm[] = [];
    const events: EventDraft[] = [];
    const acts: Act[] = [];
    const made: Reading[] = [];
    const skipped: Extract<Effect, { kind: 'skipped' }>[] = [];
    let isAnswer = false;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'alarm':
          shown.push(effect);
          alarms.push(effect.alarm);
          events.push({
            ...alarmDraft(effect.transition, effect.alarm, now),
            ...(effect.test === true ? { test: true } : {}),
          });
          break;
        case 'state':
          this.keepState(effect.row);
          break;
        case 'event':
          events.push(effect.draft);
          break;
        case 'act':
          acts.push(effect.act);
          break;
        case 'reading':
          made.push(effect.reading);
          break;
        case 'shadow':
          this.deps.onShadow(effect);
          break;
        case 'skipped':
          skipped.push(effect);
          break;
        case 'answer':
          isAnswer = effect.answer.ok;
          break;
      }
    }
    for (const alarm of alarms) {
      if (alarm.open) this.alarms.set(alarm.key, alarm);
      else this.alarms.delete(alarm.key);
    }
    if (made.length > 0) this.deps.onMade(made);
    // What a person was told is done must be on the disk, also when it is only a state.
    const isUrgent = events.length > 0 || acts.length > 0 || isAnswer;
    if (isUrgent) void this.hand({ events, alarms, states: [], memory: [] }, shown, acts);
    else if (this.lazy.size > 0) this.handSoon();
    // Afterwards: whoever hears of it may come back with an input.
    for (const { act, why } of skipped) this.deps.onSkipped(act, why);
  }

  /** What is kept only in memory becomes rows: for whoever goes on from here. */
  private keepSnapshot(): void {
    const { running, state } = this;
    if (running === undefined || state === undefined) return;
    for (const row of running.snapshot(state, this.deps.clock.now())) this.keepState(row);
  }

  private keepState(row: StateRow): void {
    if (row.body === null) this.states.delete(row.key);
    else this.states.set(row.key, row);
    this.lazy.set(row.key, row);
  }

  private hand(work: Commit, shown: readonly Shown[], acts: readonly Act[] = []): Promise<boolean> {
    this.memoryTimer?.cancel();
    this.memoryTimer = undefined;
    const states = [...work.states, ...this.lazy.values()];
    this.lazy.clear();
    const events = work.events.map((draft) => this.deps.describe(draft));
    const whole = { ...work, events, states, memory: [...work.memory, ...this.memory.splice(0)] };
    if (acts.length > 0) this.actsOf.set(whole, acts);
    const finish = (isHeld: boolean): void => {
      for (const s of shown) this.deps.board.show({ ...s, held: isHeld });
      for (const act of acts) if (!this.performed.delete(act.key)) this.deps.perform(act);
    };
    const done = this.deps.commit(whole).then(
      (committed) => {
        finish(!committed.durable);
        this.deps.onCommitted(committed);
        return committed.durable;
      },
      (error: unknown) => {
        this.deps.log.error('journal.commit_failed', { detail: String(error) });
        finish(true);
        return false;
      },
    );
    const tracked = done.finally(() => this.inFlight.delete(tracked));
    this.inFlight.add(tracked);
    return done;
  }

  /** One timer for the whole machine, moved only when its earliest due time changed. */
  private arm(): void {
    const due = this.running === undefined || this.state === undefined ? undefined : this.running.due(this.state);
    if (due === this.timer?.due) return;
    this.timer?.handle.cancel();
    this.timer = undefined;
    if (due === undefined || this.stopped) return;
    const handle = this.deps.clock.timer('rules', Math.max(0, due - this.deps.clock.mono()), () => {
      this.timer = undefined;
      this.input({ kind: 'tick' });
    });
    this.timer = { due, handle };
  }
}

/** Readings as the rule machine takes them. */
export const readingsInput = (readings: readonly Reading[]): RuleInput => ({ kind: 'readings', readings });
