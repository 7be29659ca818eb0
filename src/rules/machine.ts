/**
 * The rule machine: (state, input, now) -> (state', effects), over all instances of a site.
 *
 * - Readings find their instances through an index; a reading nobody reads costs two map look-ups. Instances whose input changed are judged
 *   once per step, in the order of the rule set; then every timer that is due.
 * - State belongs to the caller and is handed back; the machine keeps none. It is changed in place: only the returned state may be used.
 * - Effects are alarm transitions and state rows, to be committed in one transaction. A row is written when a phase changes, not before.
 * - After a restart timers go on: time off counts when both clocks were synchronised, else once, on `synced`. Timers that came due while off
 *   wait until the instance's input was read again or START_GRACE passed, and what they raise is marked `firedLate`.
 * - Each device has the built-in rule `no_data/<device>`, fed by the engine's knowledge of who answers.
 */
import type { Alarm } from '../base/alarm.ts';
import { LEVELS, type Level } from '../base/event.ts';
import { feedNumber, type JsonObject } from '../base/json.ts';
import type { SiteModel } from '../base/model.ts';
import type { Reading, Value } from '../base/reading.ts';
import type { Effect, Restorable, RuleInput, RuleMachine, RuleState } from '../base/rules.ts';
import type { Instant } from '../base/time.ts';
import { type Circumstances, clear, raise, relevel, type Step } from './alarms.ts';
import type { Instance } from './compile.ts';
import type { Context, Expression } from './expression.ts';
import { dueOf, type Held, judge, OFF, type Seen } from './judge.ts';
import { NO_DATA, noData } from './no-data.ts';
import { saveHeld, stateKey, wakeHeld } from './saved.ts';

const START_GRACE = 30_000;

interface Slot {
  known: boolean;
  uncertain: boolean;
  value: Value | null;
}

interface Running {
  readonly instance: Instance;
  readonly context: Context;
  held: Held;
  /** due while the process was off: judged late */
  late: boolean;
  waits: { readonly wall: number } | undefined;
  /** its rule means something else: judge the open alarm anew */
  rejudge: boolean;
}

interface State extends RuleState {
  readonly slots: Map<string, Slot>;
  readonly running: readonly Running[];
  readonly alarms: Map<string, Alarm>;
  readonly timed: Set<Running>;
  readonly graceUntil: number;
}

export function createMachine(site: SiteModel, instances: readonly Instance[], ruleset: string): RuleMachine {
  return new Machine(site, instances, ruleset);
}

class Machine implements RuleMachine {
  readonly hash: string;
  private readonly site: SiteModel;
  private readonly instances: readonly Instance[];
  /** device -> point -> indexes of instances */
  private readonly readers = new Map<string, Map<string, number[]>>();

  constructor(site: SiteModel, instances: readonly Instance[], ruleset: string) {
    this.site = site;
    this.instances = instances;
    this.hash = ruleset;
    for (const [i, instance] of instances.entries()) {
      for (const expression of expressionsOf(instance)) {
        for (const { device, point } of expression.inputs) {
          const points = this.readers.get(device) ?? new Map<string, number[]>();
          this.readers.set(device, points);
          const list = points.get(point) ?? [];
          points.set(point, list);
          if (!list.includes(i)) list.push(i);
        }
      }
    }
  }

  reads(device: string, point: string): boolean {
    return this.readers.get(device)?.has(point) === true;
  }

  due(given: RuleState): number | undefined {
    const state = given as State;
    let least: number | undefined;
    for (const running of state.timed) {
      const due = this.dueAt(state, running);
      if (due !== undefined && (least === undefined || due < least)) least = due;
    }
    return least;
  }

  restore(rows: Restorable, now: Instant): { state: RuleState; effects: readonly Effect[] } {
    const effects: Effect[] = [];
    const states = new Map(rows.states.map((row) => [row.key, row.body]));
    const alarms = new Map(rows.alarms.filter((a) => a.open).map((a) => [a.key, a]));
    const keys = new Set(this.instances.map((i) => i.key));
    const timed = new Set<Running>();
    const running = this.instances.map((instance) => this.wake(instance, states, alarms, rows.downSince, now));
    const state: State = {
      machine: this,
      slots: new Map(),
      running,
      alarms,
      timed,
      graceUntil: now.mono + START_GRACE,
    };
    for (const r of running) if (dueOf(r.held, r.instance.spec) !== undefined) timed.add(r);
    for (const alarm of alarms.values())
      if (this.isGone(alarm, keys)) this.emit(state, clear(alarm, now, 'rule-removed'), effects);
    for (const [key, body] of states) {
      const mine = key.startsWith('rule:') && !keys.has(key.slice(5)) && body !== null;
      if (mine) effects.push({ kind: 'state', row: { key, body: null } });
    }
    return { state, effects };
  }

  step(given: RuleState, input: RuleInput, now: Instant): { state: RuleState; effects: readonly Effect[] } {
    const state = given as State;
    const effects: Effect[] = [];
    switch (input.kind) {
      case 'readings':
        this.takeReadings(state, input.readings, now, effects);
        break;
      case 'device':
        this.takeDevice(state, input, now, effects);
        break;
      case 'synced':
        for (const running of state.running) this.takeTimeOff(state, running, now, effects);
        break;
      case 'tick':
        break;
    }
    for (const running of [...state.timed]) {
      const due = this.dueAt(state, running);
      if (due !== undefined && due <= now.mono) this.judgeOne(state, running, now, effects);
    }
    return { state, effects };
  }

  private wake(
    instance: Instance,
    states: ReadonlyMap<string, string | null>,
    alarms: ReadonlyMap<string, Alarm>,
    downSince: number | undefined,
    now: Instant,
  ): Running {
    const woken = wakeHeld(states.get(stateKey(instance.key)), instance.meaning, now, downSince);
    const open = alarms.get(instance.key);
    const active = open?.condition === 'active';
    // The alarm row is the truth about a raise; a state row lost with a card's last second must not raise it twice.
    const lost = active && woken.held.phase !== 'on' && woken.held.phase !== 'clearing';
    const held: Held = lost ? { phase: 'on', since: now.mono, unseen: 0, blind: now.mono } : woken.held;
    const due = dueOf(held, instance.spec);
    const context: Context = Object.assign(Object.create(null) as Context, instance.names, { held: 0 });
    return {
      instance,
      context,
      held,
      late: due !== undefined && due < now.mono,
      waits: woken.waits,
      rejudge: active && woken.changed,
    };
  }

  private isGone(alarm: Alarm, keys: ReadonlySet<string>): boolean {
    if (alarm.rule === NO_DATA) return !this.site.devices.has(alarm.instance);
    return !alarm.rule.startsWith('sys.') && !keys.has(alarm.key);
  }

  private dueAt(state: State, running: Running): number | undefined {
    const due = dueOf(running.held, running.instance.spec);
    if (due === undefined || !running.late) return due;
    return this.allRead(state, running.instance) ? due : Math.max(due, state.graceUntil);
  }

  private allRead(state: State, instance: Instance): boolean {
    return instance.when.inputs.every((i) => state.slots.has(`${i.device}.${i.point}`));
  }

  private takeReadings(state: State, readings: readonly Reading[], now: Instant, effects: Effect[]): void {
    let dirty: Set<number> | undefined;
    for (const reading of readings) {
      const readers = this.readers.get(reading.device)?.get(reading.point);
      if (readers === undefined) continue;
      const id = `${reading.device}.${reading.point}`;
      const known = reading.quality !== 'bad' && reading.value !== null;
      const uncertain = reading.quality === 'uncertain';
      const slot = state.slots.get(id);
      const same =
        slot !== undefined && slot.known === known && slot.value === reading.value && slot.uncertain === uncertain;
      if (same) continue;
      state.slots.set(id, { known, uncertain, value: reading.value });
      dirty ??= new Set();
      for (const i of readers) {
        dirty.add(i);
        this.bind(state.running[i], reading);
      }
    }
    if (dirty === undefined) return;
    for (const i of [...dirty].sort((a, b) => a - b)) {
      const running = state.running[i];
      if (running !== undefined) this.judgeOne(state, running, now, effects);
    }
  }

  private bind(running: Running | undefined, reading: Reading): void {
    if (running === undefined || reading.value === null) return;
    for (const expression of expressionsOf(running.instance)) {
      for (const input of expression.inputs) {
        if (input.device !== reading.device || input.point !== reading.point) continue;
        const [name = '', field] = input.at;
        if (field === undefined) running.context[name] = reading.value;
        else {
          const fields = (running.context[name] ?? {}) as Record<string, unknown>;
          running.context[name] = { ...fields, [field]: reading.value };
        }
      }
    }
  }

  private judgeOne(state: State, running: Running, now: Instant, effects: Effect[]): void {
    const { instance } = running;
    const when = this.truthOf(state, running, instance.when);
    const seen: Seen = {
      when,
      clear:
        instance.clear === undefined
          ? when === undefined
            ? undefined
            : !when
          : this.truthOf(state, running, instance.clear),
    };
    const before = running.held;
    const wasLate = running.late;
    const judged = judge(before, seen, instance.spec, now.mono);
    running.held = judged.held;
    if (judged.held.phase !== before.phase) running.late = false;
    if (dueOf(judged.held, instance.spec) === undefined) state.timed.delete(running);
    else state.timed.add(running);
    if (judged.held.phase !== before.phase)
      effects.push({ kind: 'state', row: saveHeld(instance.key, instance.meaning, judged.held, now) });
    const uncertain = judged.uncertain || this.anyUncertain(state, instance);
    if (judged.happened === 'raised')
      this.emit(
        state,
        raise(
          state.alarms.get(instance.key),
          this.circumstances(state, running, now, uncertain, judged.observed, wasLate),
          now,
        ),
        effects,
      );
    else if (judged.happened === 'cleared')
      this.clearOpen(state, instance.key, now, running.rejudge ? 'rule-changed' : undefined, effects);
    else this.checkLevel(state, running, now, effects);
    if (seen.when !== undefined) running.rejudge = false;
  }

  private checkLevel(state: State, running: Running, now: Instant, effects: Effect[]): void {
    const { instance } = running;
    const open = state.alarms.get(instance.key);
    if (typeof instance.level === 'string' || open?.condition !== 'active' || running.held.phase !== 'on') return;
    const level = this.levelOf(state, running);
    if (level === undefined || level === open.level) return;
    this.emit(state, relevel(open, level, this.valuesOf(state, running, now), now), effects);
  }

  private clearOpen(state: State, key: string, now: Instant, reason: string | undefined, effects: Effect[]): void {
    const open = state.alarms.get(key);
    if (open?.condition === 'active') this.emit(state, clear(open, now, reason), effects);
  }

  private emit(state: State, step: Step, effects: Effect[]): void {
    if (step.alarm.open) state.alarms.set(step.alarm.key, step.alarm);
    else state.alarms.delete(step.alarm.key);
    effects.push({ kind: 'alarm', ...step });
  }

  private circumstances(
    state: State,
    running: Running,
    now: Instant,
    uncertain: boolean,
    observed: number,
    late: boolean,
  ): Circumstances {
    const { instance } = running;
    const { spec } = instance;
    return {
      key: instance.key,
      rule: spec.id,
      instance: instance.id,
      ruleset: this.hash,
      level: this.levelOf(state, running) ?? 'red',
      name: spec.name,
      text: instance.text.template,
      values: this.valuesOf(state, running, now),
      act: spec.act,
      theme: spec.theme,
      device: instance.device,
      zone: instance.zone,
      quality: uncertain ? 'uncertain' : 'good',
      observed,
      firedLate: late,
    };
  }

  /** An expression that gives no level of ours, or cannot be evaluated, is taken for the gravest: too loud is safer than silent. */
  private levelOf(state: State, running: Running): Level | undefined {
    const { level } = running.instance;
    if (typeof level === 'string') return level;
    if (!this.isKnown(state, level)) return undefined;
    const value = evaluate(level, running.context);
    return LEVELS.find((l) => l === value) ?? 'red';
  }

  private valuesOf(state: State, running: Running, now: Instant): JsonObject {
    const values: Record<string, boolean | number | string> = {};
    running.context.held = running.held.phase === 'off' ? 0 : (now.mono - running.held.since) / 1000;
    for (const { name, expression } of running.instance.text.parts) {
      if (!this.isKnown(state, expression)) continue;
      const value = evaluate(expression, running.context);
      const told = typeof value === 'number' ? feedNumber(value) : value;
      if (typeof told === 'number' || typeof told === 'boolean' || typeof told === 'string') values[name] = told;
    }
    return values;
  }

  private truthOf(state: State, running: Running, expression: Expression): boolean | undefined {
    if (!this.isKnown(state, expression)) return undefined;
    const value = evaluate(expression, running.context);
    return typeof value === 'boolean' ? value : undefined;
  }

  private isKnown(state: State, expression: Expression): boolean {
    return expression.inputs.every((i) => state.slots.get(`${i.device}.${i.point}`)?.known === true);
  }

  private anyUncertain(state: State, instance: Instance): boolean {
    return instance.when.inputs.some((i) => state.slots.get(`${i.device}.${i.point}`)?.uncertain === true);
  }

  /** The wall clock is known now: a timer that went on from before the restart gets the time off, once. */
  private takeTimeOff(state: State, running: Running, now: Instant, effects: Effect[]): void {
    const { waits, held, instance } = running;
    if (waits !== undefined) {
      const since = Math.min(held.since, now.mono - Math.max(0, now.wall - waits.wall));
      running.held = { ...held, since, unseen: held.unseen + (held.since - since) };
      running.waits = undefined;
    }
    if (running.held !== OFF && running.held.phase !== 'off')
      effects.push({ kind: 'state', row: saveHeld(instance.key, instance.meaning, running.held, now) });
    if (dueOf(running.held, instance.spec) !== undefined) state.timed.add(running);
  }

  private takeDevice(state: State, input: { device: string; online: boolean }, now: Instant, effects: Effect[]): void {
    const device = this.site.devices.get(input.device);
    const key = `${NO_DATA}/${input.device}`;
    const open = state.alarms.get(key);
    if (device === undefined) return;
    if (input.online) this.clearOpen(state, key, now, undefined, effects);
    else if (open?.condition !== 'active') this.emit(state, raise(open, noData(device, this.hash, key), now), effects);
  }
}

function expressionsOf(instance: Instance): readonly Expression[] {
  return [
    instance.when,
    ...(instance.clear === undefined ? [] : [instance.clear]),
    ...(typeof instance.level === 'string' ? [] : [instance.level]),
    ...instance.text.parts.map((p) => p.expression),
  ];
}

/** CEL can still fail on values (division of integers by zero, overflow); that is unknown, not an exception. */
function evaluate(expression: Expression, context: Context): unknown {
  try {
    return expression.evaluate(context);
  } catch {
    return undefined;
  }
}
