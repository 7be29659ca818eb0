/**
 * A world: the state of a rule set that runs. It is handed back by each step and changed in place; the machine itself (index.ts) keeps none.
 *
 * One step: what the input touches is marked; marked units are looked at in their order, derived points before those who read them; then whatever
 * is due, each followed by what it touches. A unit is looked at most MOST_LOOKS times in a step, so that rules that suppress each other end.
 */
import type { Alarm } from '../../base/alarm.ts';
import { placesAround } from '../../base/places.ts';
import type { Reading, Value } from '../../base/reading.ts';
import type { Answer, Effect, Operation, Restorable, RuleInput, RuleMachine, RuleState } from '../../base/rules.ts';
import type { Instant } from '../../base/time.ts';
import type { Workshop } from '../compile/unit.ts';
import type { Unit } from '../compile/units.ts';
import type { Sample } from '../operators/operator.ts';
import { Acts } from './acts.ts';
import { type Slot, Step, type Timed, type Waking } from './context.ts';
import { ControlRun } from './control-run.ts';
import { type Book, Desk, type DeskWorld, PLAIN } from './desk.ts';
import { Forms } from './forms.ts';
import { Heap, Wheel } from './heap.ts';
import { FLAPPING, FLOOD, NO_DATA, noData } from './no-data.ts';
import { PointRun } from './point-run.ts';
import { ageOf, EVENT_AGE, isAgain, isOlder, timeOf } from './readings.ts';
import { RuleRun } from './rule-run.ts';
import type { Run, Surroundings } from './run.ts';
import type { Subscriber, Subscriptions } from './subscriptions.ts';

const MOST_LOOKS = 8;

export type AnyRun = RuleRun | PointRun | ControlRun;

export class World implements RuleState, Surroundings, DeskWorld {
  readonly machine: RuleMachine;
  readonly shop: Workshop;
  readonly ruleset: string;
  readonly active = new Set<string>();
  readonly runs: readonly AnyRun[];
  readonly desk: Desk;
  readonly wheel = new Wheel<Timed>();
  private readonly acts = new Acts(this.wheel);
  private readonly forms: Forms;
  private readonly slots = new Map<string, Slot>();
  private readonly byKey = new Map<string, AnyRun>();
  private readonly timers: readonly Timed[];
  private readonly subscriptions: Subscriptions;
  private readonly marked = new Heap<number>((a, b) => a < b);
  private readonly isMarked = new Set<number>();
  private readonly looked: Run[] = [];
  private readonly boot: Instant;

  constructor(
    machine: RuleMachine,
    shop: Workshop,
    units: readonly Unit[],
    subscriptions: Subscriptions,
    now: Instant,
  ) {
    this.machine = machine;
    this.shop = shop;
    this.ruleset = machine.hash;
    this.subscriptions = subscriptions;
    this.boot = now;
    this.desk = new Desk(this, this.wheel, this.acts);
    this.runs = units.map((unit, i) => this.runOf(unit, i));
    for (const run of this.runs) this.byKey.set(run.unit.key, run);
    this.timers = this.runs.map((run) => ({ fire: () => this.mark(run.index) }));
    this.forms = new Forms(shop.forms, new Set(shop.site.places.keys()), shop.privacy, (form, entry, step) => {
      for (const [field, value] of Object.entries(entry.values))
        this.deliver(this.subscriptions.form(form.id, field), entry, value, step);
    });
  }

  wake({ alarms, states, downSince }: Restorable, now: Instant): readonly Effect[] {
    const step = new Step(now);
    const rows = new Map(states.map((row) => [row.key, row.body]));
    const waking: Waking = { states: rows, now, downSince };
    this.acts.wake(waking, step);
    this.desk.wake(
      alarms.filter((a) => a.open),
      waking,
    );
    for (const alarm of this.desk.open.values())
      if (alarm.condition === 'active') this.activeChanged(alarm.rule, alarm.instance);
    this.forms.wake(waking);
    for (const run of this.runs) run.wake(waking);
    this.desk.forget((key) => this.isKnown(key), step);
    this.sweep(rows, step);
    for (const run of this.runs) this.arm(run, now);
    this.fire(step);
    this.rest();
    return step.effects;
  }

  step(input: RuleInput, now: Instant): readonly Effect[] {
    const step = new Step(now);
    this.take(input, step);
    this.settle(step);
    this.fire(step);
    this.rest();
    return step.effects;
  }

  slot(device: string, point: string): Slot {
    const id = `${device}.${point}`;
    const known = this.slots.get(id);
    if (known !== undefined) return known;
    const slot: Slot = {
      id,
      seen: false,
      known: false,
      uncertain: false,
      value: null,
      ts: 0,
      t: Number.NEGATIVE_INFINITY,
    };
    this.slots.set(id, slot);
    return slot;
  }

  book(key: string): Book {
    const run = this.byKey.get(key);
    if (run?.unit.kind !== 'rule') return PLAIN;
    const { spec, escalate } = run.unit;
    return {
      isShadow: spec.mode === 'shadow',
      do: run.unit.do,
      undo: run.unit.undo,
      escalate,
      untilClear: spec.untilClear,
      rearmMs: spec.rearmMs,
      shelveMs: spec.shelveMs,
    };
  }

  deviceOf(key: string, name: string): string | undefined {
    return this.byKey.get(key)?.deviceOf(name);
  }

  isSuppressed(key: string): boolean {
    const run = this.byKey.get(key);
    return run instanceof RuleRun && run.isSuppressed;
  }

  placesAround(zone: string | undefined): readonly string[] {
    return placesAround(zone, this.shop.site);
  }

  activeChanged(rule: string, instance: string): void {
    const key = `${rule}/${instance}`;
    if (this.desk.active(key) === undefined) this.active.delete(key);
    else this.active.add(key);
    const isActive = [...this.desk.open.values()].some((a) => a.rule === rule && a.condition === 'active');
    if (isActive) this.active.add(rule);
    else this.active.delete(rule);
    for (const i of [...this.subscriptions.alarm(rule), ...this.subscriptions.alarm(key)]) this.mark(i);
  }

  private runOf(unit: Unit, i: number): AnyRun {
    switch (unit.kind) {
      case 'rule':
        return new RuleRun(i, unit, this, this.desk, this.ruleset);
      case 'point':
        return new PointRun(i, unit, this);
      case 'control':
        return new ControlRun(i, unit, this, this.acts);
    }
  }

  private take(input: RuleInput, step: Step): void {
    switch (input.kind) {
      case 'readings':
        for (const reading of input.readings) this.takeReading(reading, step);
        return;
      case 'device':
        return this.takeDevice(input.device, input.online, step);
      case 'tick':
        return;
      case 'synced':
        return this.takeClock(step);
      case 'acted':
        this.acts.answered(input.key, step);
        if (!input.ok) this.takeFailure(input.key, step);
        if (input.media !== undefined) this.desk.pictured(input.key.split('/')[0] ?? '', input.media, step);
        return;
      case 'unreachable':
        return this.desk.unreachable(input.aid, step);
      case 'manual':
        for (const run of this.runs)
          if (
            run instanceof ControlRun &&
            run.unit.outputs.some((o) => o.output.device === input.device && o.output.point === input.point)
          ) {
            run.override(step);
            this.mark(run.index);
          }
        return;
      default:
        step.emit({ kind: 'answer', answer: this.operate(input, step) });
    }
  }

  /** A control's write that was not done is still to be done. */
  private takeFailure(key: string, step: Step): void {
    const run = this.byKey.get(key.split('/').slice(0, 2).join('/'));
    if (!(run instanceof ControlRun)) return;
    run.failed(key, step);
    this.mark(run.index);
  }

  private operate(ask: Operation, step: Step): Answer {
    switch (ask.kind) {
      case 'ack':
        return this.desk.ack(ask.aid, ask.by, ask.rev, step);
      case 'reset':
        return this.desk.reset(ask.aid, ask.by, step);
      case 'shelve':
        return this.desk.shelve(ask.aid, ask.by, ask.reason, ask.forMs, step);
      case 'unshelve':
        return this.desk.unshelve(ask.aid, step);
      case 'maintain': {
        const { site } = this.shop;
        const isKnown =
          this.shop.things.has(ask.what) ||
          site.places.has(ask.what) ||
          this.runs.some((r) => r.unit.spec.id === ask.what);
        if (!isKnown) return { ok: false, code: 'alarms.nothing_there', params: { what: ask.what.slice(0, 64) } };
        return this.desk.maintain(ask.what, ask.by, ask.reason, ask.forMs, step);
      }
      case 'maintained':
        return this.desk.maintained(ask.what, step);
      case 'form':
        return this.forms.submit(ask, step);
      case 'confirm':
        return this.forms.confirm(ask, step);
    }
  }

  private takeReading(reading: Reading, step: Step): void {
    const subscribers = this.subscriptions.point(reading.device, reading.point);
    if (subscribers.length === 0) return;
    const slot = this.slot(reading.device, reading.point);
    if (isAgain(slot, reading)) return;
    const { t, isWrongClock } = timeOf(reading);
    const value = reading.quality === 'bad' || reading.value === null ? undefined : reading.value;
    if (isOlder(slot, t) && value !== undefined) return this.takeOld(slot, t, value, subscribers, reading, step);
    const isSame = slot.seen && slot.known === (value !== undefined) && slot.value === (value ?? slot.value);
    const uncertain = reading.quality === 'uncertain' || isWrongClock;
    const isNews = !isSame || slot.uncertain !== uncertain;
    Object.assign(slot, { seen: true, known: value !== undefined, uncertain, ts: reading.ts, t });
    if (value !== undefined) slot.value = value;
    const { isLate, isTooOld } = ageOf(reading);
    for (const subscriber of subscribers) {
      if (isTooOld && subscriber.isEvent) continue;
      const touched = this.hand(subscriber, { t, value }, step);
      const run = this.runs[subscriber.unit];
      // What is made of a point is as fresh as the point, also when its value stays.
      const isDirect = subscriber.isDirect && (isNews || run instanceof PointRun);
      if (!touched && !isDirect) continue;
      if (run !== undefined) run.cause = { t, late: isLate };
      this.mark(subscriber.unit);
    }
  }

  /** What came out of order: windows take it where it belongs; it speaks against a condition, or for something that happened. */
  private takeOld(
    slot: Slot,
    t: number,
    value: Value,
    subscribers: readonly Subscriber[],
    reading: Reading,
    step: Step,
  ): void {
    for (const subscriber of subscribers) {
      this.hand(subscriber, { t, value, isOld: true }, step);
      const run = this.runs[subscriber.unit];
      if (!(run instanceof RuleRun) || !subscriber.isDirect || run.unit.when === undefined) continue;
      const newest = { value: slot.value, known: slot.known };
      Object.assign(slot, { value, known: true });
      const truth = run.truth(run.unit.when, step.now);
      run.cause = { t, late: ageOf(reading).isLate };
      if (truth === true && subscriber.isEvent && step.now.mono - t < EVENT_AGE) run.recall(step);
      Object.assign(slot, newest);
      if (truth === false) run.contradict(t, step);
      run.cause = undefined;
      this.mark(subscriber.unit);
    }
  }

  /** @returns whether a window or a pattern took it */
  private hand(subscriber: Subscriber, sample: Omit<Sample, 'source'>, step: Step): boolean {
    const run = this.runs[subscriber.unit];
    if (run === undefined) return false;
    for (const [window, source] of subscriber.windows)
      run.windows[window]?.operator.take({ source, ...sample }, step.now);
    if (run instanceof RuleRun && sample.isOld !== true)
      for (const [part, source] of subscriber.parts) run.happen(part, source, sample.t, sample.value, step);
    return subscriber.windows.length > 0 || subscriber.parts.length > 0 || subscriber.isNear;
  }

  private deliver(
    subscribers: readonly Subscriber[],
    entry: { readonly ts: number; readonly place?: string; readonly people: readonly string[] },
    value: Value,
    step: Step,
  ): void {
    const t = step.now.mono - (step.now.wall - entry.ts);
    const around = placesAround(entry.place, this.shop.site);
    for (const subscriber of subscribers) {
      if (subscriber.zone !== undefined && !around.includes(subscriber.zone)) continue;
      this.hand(subscriber, { t, value, by: entry.people[0] ?? '' }, step);
      this.mark(subscriber.unit);
    }
  }

  private takeDevice(id: string, online: boolean, step: Step): void {
    const device = this.shop.site.devices.get(id);
    if (device === undefined) return;
    const key = `${NO_DATA}/${id}`;
    if (online) this.desk.clear(key, undefined, step);
    else if (this.desk.active(key) === undefined) this.desk.raise(noData(device, this.ruleset), step);
  }

  private takeClock(step: Step): void {
    const { now } = step;
    this.desk.countTimeOff(now);
    this.acts.countTimeOff(now);
    const ms = this.boot.synced ? 0 : now.wall - now.mono - (this.boot.wall - this.boot.mono);
    for (const run of this.runs) {
      if (ms > 0) run.shiftWindows(ms, this.boot.mono);
      if (run instanceof RuleRun) run.countTimeOff(step);
      this.mark(run.index);
    }
  }

  private mark(i: number): void {
    if (this.isMarked.has(i)) return;
    this.isMarked.add(i);
    this.marked.push(i);
  }

  private settle(step: Step): void {
    for (let i = this.marked.pop(); i !== undefined; i = this.marked.pop()) {
      this.isMarked.delete(i);
      const run = this.runs[i];
      if (run === undefined || run.looks >= MOST_LOOKS) continue;
      if (run.looks++ === 0) this.looked.push(run);
      if (run instanceof PointRun) {
        const reading = run.evaluate(step);
        if (reading !== undefined) {
          step.emit({ kind: 'reading', reading });
          this.takeReading(reading, step);
        }
      } else run.evaluate(step);
      this.arm(run, step.now);
    }
  }

  private fire(step: Step): void {
    for (let timed = this.wheel.take(step.now.mono); timed !== undefined; timed = this.wheel.take(step.now.mono)) {
      timed.fire(step);
      this.settle(step);
    }
  }

  private rest(): void {
    for (const run of this.looked.splice(0)) run.looks = 0;
  }

  private arm(run: AnyRun, now: Instant): void {
    const timer = this.timers[run.index];
    const due = run.due(now);
    // Looked at now and still due now: a gate holds it back until something comes.
    if (timer !== undefined)
      this.wheel.set(timer, due !== undefined && due <= now.mono && run.looks > 0 ? undefined : due);
  }

  private isKnown(key: string): boolean {
    const [rule = '', instance = ''] = [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)];
    if (rule === NO_DATA) return this.shop.site.devices.has(instance);
    if (rule === FLAPPING) {
      const unit = this.byKey.get(instance)?.unit;
      return unit?.kind === 'rule' && unit.spec.flap !== undefined;
    }
    return rule === FLOOD || rule.startsWith('sys.') || this.byKey.has(key);
  }

  /** Rows of rules that are no longer there. */
  private sweep(rows: ReadonlyMap<string, string | null>, step: Step): void {
    const windows = new Set(this.runs.flatMap((r) => r.rowKeys()));
    for (const [row, body] of rows) {
      if (body === null) continue;
      const [kind = '', key = ''] = [row.slice(0, row.indexOf(':')), row.slice(row.indexOf(':') + 1)];
      const isGone =
        (kind === 'win' && !windows.has(row)) ||
        (['rule', 'ctl', 'pat', 'flap'].includes(kind) && !this.byKey.has(key));
      if (isGone) step.state(row, null);
    }
  }
}

export const openOf = (world: World): readonly Alarm[] => [...world.desk.open.values()];
