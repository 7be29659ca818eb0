/** A unit at work: its windows, and the values its expressions see. */
import type { WhyInput } from '../../base/alarm.ts';
import type { StateRow } from '../../base/journal.ts';
import type { Value } from '../../base/reading.ts';
import type { Instant } from '../../base/time.ts';
import type { Context, Expression } from '../compile/expression.ts';
import type { Ref } from '../compile/names.ts';
import type { Span } from '../compile/times.ts';
import type { CompiledWindow, Near, Workshop } from '../compile/unit.ts';
import { expressionsOf, type Unit } from '../compile/units.ts';
import { createOperator } from '../operators/index.ts';
import { mappingAt, type Operator } from '../operators/operator.ts';
import { parseRow, type Slot, type Step, type Waking } from './context.ts';

/** rows of windows are written no more often than this */
const SAVE_EVERY = 60_000;
/** inputs told by `explain` */
const MOST_TOLD = 32;

export interface Surroundings {
  readonly shop: Workshop;
  slot(device: string, point: string): Slot;
  /** rules and instances with an active alarm */
  readonly active: ReadonlySet<string>;
}

interface WindowRun {
  readonly window: CompiledWindow;
  readonly operator: Operator;
  value: Value | undefined;
  savedAt: number;
  closed: number;
}

interface Nearest {
  readonly name: string;
  readonly near: readonly Near[];
  fields: ReadonlyMap<string, Value>;
}

/** What is open, and for how long that stays so; wall ms. */
interface Boundary {
  readonly from: number;
  readonly until: number;
  readonly named: ReadonlyMap<string, boolean>;
  readonly isGateOpen: boolean;
}

/** Why a unit is looked at: the newest reading behind it. */
export interface Cause {
  /** event time, monotonic ms */
  readonly t: number;
  /** it reached us more than a minute after it happened */
  readonly late: boolean;
}

export class Run {
  readonly index: number;
  readonly windows: readonly WindowRun[];
  cause: Cause | undefined;
  /** times looked at in one step */
  looks = 0;
  protected readonly around: Surroundings;
  /** fields of the devices a pattern was last seen at */
  protected readonly matched = new Map<string, string>();
  private readonly context: Context = Object.create(null) as Context;
  private readonly nearest: Nearest[] = [];
  private readonly windowsByName = new Map<string, WindowRun>();
  private readonly slots = new Map<string, Slot>();
  private readonly names: readonly string[];
  private readonly key: string;
  /** `only`: at least one of these, where there are any */
  private readonly gates: readonly Span[];
  private boundary: Boundary | undefined;

  constructor(index: number, unit: Unit, around: Surroundings) {
    this.index = index;
    this.around = around;
    this.key = unit.key;
    const { shop } = around;
    const places = [...shop.site.places.values()].map((p) => p.name);
    this.windows = unit.windows
      .filter((w) => w.near === undefined)
      .map((window) => ({
        window,
        operator: createOperator(window, unit.windows, shop.times, places),
        value: undefined,
        savedAt: Number.NEGATIVE_INFINITY,
        closed: 0,
      }));
    for (const run of this.windows) this.windowsByName.set(run.window.spec.name, run);
    for (const { near, spec } of unit.windows)
      if (near !== undefined) this.nearest.push({ name: spec.name, near, fields: new Map() });
    const reads = expressionsOf(unit).flatMap((e) => e.reads);
    for (const { ref } of reads)
      if (ref.kind === 'point') this.slots.set(`${ref.device}.${ref.point}`, around.slot(ref.device, ref.point));
    this.names = [...new Set(reads.flatMap(({ ref }) => (ref.kind === 'time' ? [ref.name] : [])))];
    this.gates = unit.kind === 'point' ? [] : unit.only;
    Object.assign(this.context, unit.fixed, { held: 0 });
  }

  /** Brings windows, nearest devices and named times up to the moment. */
  protected refresh(step: Step): void {
    const { now } = step;
    for (const run of this.windows) {
      run.value = run.operator.read(now);
      const end = run.operator.ended();
      const isPeriodic = run.window.spec.everyMs !== undefined;
      if (end === undefined && isPeriodic) continue;
      for (const other of this.windows)
        if (other.window.sources.kind === 'window' && other.window.sources.name === run.window.spec.name)
          other.operator.take(
            { source: 0, t: end?.t ?? now.mono, value: end === undefined ? run.value : end.value },
            now,
          );
    }
    for (const nearest of this.nearest) nearest.fields = this.look(nearest);
    for (const run of this.windows) this.keep(run, step);
  }

  /** monotonic ms of the next moment something changes by itself */
  protected nextChange(now: Instant): number | undefined {
    const dues = this.windows.map((w) => w.operator.next(now));
    if (this.names.length > 0 || this.gates.length > 0) dues.push(now.mono + (this.opened(now).until - now.wall));
    return least(dues);
  }

  /** whether `only` lets it begin */
  protected isGateOpen(now: Instant): boolean {
    return this.gates.length === 0 || this.opened(now).isGateOpen;
  }

  holdFor(seconds: number): void {
    this.context.held = seconds;
  }

  truth(expression: Expression, now: Instant): boolean | undefined {
    const value = this.value(expression, now);
    return typeof value === 'boolean' ? value : undefined;
  }

  /** undefined when something it reads is unknown, or it has no value for what it reads (a division by zero) */
  value(expression: Expression, now: Instant): Value | undefined {
    for (const { ref, at } of expression.reads) {
      const value = this.valueOf(ref, now);
      if (value === undefined) return undefined;
      const [name = '', field] = at;
      if (field === undefined) this.context[name] = value;
      else this.context[name] = { ...(this.context[name] as object | undefined), [field]: value };
    }
    try {
      const value = expression.evaluate(this.context, this.around.active);
      if (typeof value === 'number') return Number.isNaN(value) ? undefined : value;
      return typeof value === 'boolean' || typeof value === 'string' ? value : undefined;
    } catch {
      return undefined;
    }
  }

  isUncertain(expression: Expression | undefined): boolean {
    return (expression?.reads ?? []).some(
      ({ ref }) => ref.kind === 'point' && this.slots.get(`${ref.device}.${ref.point}`)?.uncertain === true,
    );
  }

  /** every point of this expression was read since the start, whatever came of it */
  isRead(expression: Expression): boolean {
    return expression.reads.every(
      ({ ref }) => ref.kind !== 'point' || this.slots.get(`${ref.device}.${ref.point}`)?.seen === true,
    );
  }

  /** every point it reads directly was read since the start */
  isAllRead(): boolean {
    for (const slot of this.slots.values()) if (!slot.seen) return false;
    return true;
  }

  inputs(now: Instant): WhyInput[] {
    const told: WhyInput[] = [];
    for (const slot of this.slots.values()) {
      const quality = !slot.known ? 'bad' : slot.uncertain ? 'uncertain' : 'good';
      told.push({ name: slot.id, value: slot.known ? slot.value : null, quality, ts: Math.round(slot.ts) });
    }
    for (const { window, value } of this.windows) {
      const name = `${window.spec.name} = ${window.spec.fn} ${window.spec.source}`;
      told.push({
        name,
        value: finite(value) ?? null,
        quality: value === undefined ? 'bad' : 'good',
        ts: Math.round(now.wall),
      });
    }
    return told.slice(0, MOST_TOLD);
  }

  /** The device a pattern's part or a nearest window stands for now. */
  deviceOf(name: string): string | undefined {
    const matched = this.matched.get(name);
    if (matched !== undefined) return matched;
    const nearest = this.nearest.find((n) => n.name === name);
    return nearest === undefined ? undefined : this.pick(nearest).near?.device;
  }

  wakeWindows(waking: Waking): void {
    const mapping = mappingAt(waking.now);
    for (const { window, operator } of this.windows) {
      const saved = parseRow<{ m: string; b: never }>(waking, this.rowOf(window));
      // What was kept for another question is no answer to this one.
      if (saved?.m === markOf(window)) operator.load(saved.b, mapping);
    }
  }

  shiftWindows(ms: number, before: number): void {
    for (const { operator } of this.windows) operator.shift(ms, before);
  }

  rows(now: Instant): StateRow[] {
    const mapping = mappingAt(now);
    return this.windows.map(({ window, operator }) => ({
      key: this.rowOf(window),
      body: JSON.stringify({ m: markOf(window), b: operator.save(mapping) }),
    }));
  }

  rowKeys(): string[] {
    return this.windows.map(({ window }) => this.rowOf(window));
  }

  private rowOf(window: CompiledWindow): string {
    return `win:${this.key}#${window.spec.name}`;
  }

  private keep(run: WindowRun, step: Step): void {
    const { closed } = run.operator;
    if (closed === run.closed || step.now.mono - run.savedAt < SAVE_EVERY) return;
    run.closed = closed;
    run.savedAt = step.now.mono;
    const body = { m: markOf(run.window), b: run.operator.save(mappingAt(step.now)) };
    step.state(this.rowOf(run.window), body);
  }

  private valueOf(ref: Ref, now: Instant): Value | undefined {
    switch (ref.kind) {
      case 'point': {
        const slot = this.slots.get(`${ref.device}.${ref.point}`);
        return slot?.known === true && slot.value !== null ? slot.value : undefined;
      }
      case 'window':
        return this.windowsByName.get(ref.name)?.value;
      case 'field':
        return this.fieldOf(ref.name, ref.field);
      case 'time':
        return this.opened(now).named.get(ref.name);
      case 'fixed':
        return this.context[ref.name] as Value | undefined;
    }
  }

  private fieldOf(name: string, field: string): Value | undefined {
    const nearest = this.nearest.find((n) => n.name === name);
    if (nearest !== undefined) return nearest.fields.get(field);
    const device = this.matched.get(name);
    return device === undefined ? undefined : (this.around.shop.things.get(device)?.name ?? device);
  }

  /** Looked up once for each stretch in which nothing opens or closes; a clock that was set back begins another. */
  private opened(now: Instant): Boundary {
    const known = this.boundary;
    if (known !== undefined && now.wall >= known.from && now.wall < known.until) return known;
    const { times, spans } = this.around.shop;
    const named = this.names.flatMap((name) => {
      const span = spans.get(name);
      return span === undefined ? [] : [[name, span] as const];
    });
    const all = [...this.gates, ...named.map(([, span]) => span)];
    this.boundary = {
      from: now.wall,
      until: Math.min(now.wall + DAY, ...all.flatMap((span) => times.nextChange(span, now.wall) ?? [])),
      named: new Map(named.map(([name, span]) => [name, times.isOpen(span, now.wall)])),
      isGateOpen: this.gates.some((span) => times.isOpen(span, now.wall)),
    };
    return this.boundary;
  }

  private look(nearest: Nearest): ReadonlyMap<string, Value> {
    const { near, isFound, skipped } = this.pick(nearest);
    const fields = new Map<string, Value>([
      ['found', isFound],
      ['skipped', skipped.join('、')],
    ]);
    if (near === undefined) return fields;
    fields.set('name', near.name).set('distance', near.distance);
    for (const { id } of near.points) {
      const slot = this.around.slot(near.device, id);
      if (slot.known && slot.value !== null) fields.set(id, slot.value);
    }
    return fields;
  }

  /** The nearest that will do; where none does, the nearest of all, and it is said so. */
  private pick({ near }: Nearest): { near: Near | undefined; isFound: boolean; skipped: string[] } {
    const skipped: string[] = [];
    for (const one of near) {
      if (one.where === undefined || this.does(one)) return { near: one, isFound: true, skipped };
      skipped.push(one.name);
    }
    return { near: near[0], isFound: false, skipped };
  }

  private does({ device, where }: Near): boolean {
    const context: Context = Object.create(null) as Context;
    for (const { ref, at } of where?.reads ?? []) {
      const slot = ref.kind === 'point' ? this.around.slot(device, ref.point) : undefined;
      if (slot?.known !== true) return false;
      context[at[0] ?? ''] = slot.value;
    }
    try {
      return where?.evaluate(context, this.around.active) === true;
    } catch {
      return false;
    }
  }
}

const DAY = 86_400_000;

export function least(values: readonly (number | undefined)[]): number | undefined {
  let found: number | undefined;
  for (const value of values) if (value !== undefined && (found === undefined || value < found)) found = value;
  return found;
}

const markOf = ({ spec, sources }: CompiledWindow): string => {
  const count = sources.kind === 'points' ? sources.points.map((p) => `${p.device}.${p.point.id}`).join(' ') : '';
  return JSON.stringify([
    spec.fn,
    spec.source,
    spec.overMs,
    spec.everyMs,
    spec.between,
    spec.is,
    spec.againstMs,
    count,
  ]);
};

const finite = (value: Value | undefined): Value | undefined =>
  typeof value === 'number' && !Number.isFinite(value) ? undefined : value;
