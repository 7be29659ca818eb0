/**
 * The rule machine: (state, input, now) -> (state', effects), over all units of a site.
 *
 * - State belongs to the caller and is handed back; the machine keeps none. It is changed in place: only the returned state may be used.
 * - Effects are alarm transitions, actions, derived readings and state rows, to be committed in one transaction and in order.
 * - After a restart timers go on: time off counts when both clocks were synchronised, else once, on `synced`. Timers that came due while off
 *   wait until the instance's input was read again or a start grace passed, and what they raise is marked `firedLate`.
 * - Windows are written when a partial closes, at most once a minute each, and all of them by `snapshot` at an orderly end. After a power cut a
 *   window is older by what was not written; that time counts as not seen (design.md 4 would rebuild it from the series; rows of partials are
 *   those series, and there is one thing less to go wrong at boot).
 * - Each device has the built-in rule `no_data/<device>`, fed by the engine's knowledge of who answers.
 */
import type { Alarm } from '../../base/alarm.ts';
import type { StateRow } from '../../base/journal.ts';
import type { PointModel } from '../../base/model.ts';
import type { Effect, Look, Maintenance, Restorable, RuleInput, RuleMachine, RuleState } from '../../base/rules.ts';
import type { Instant } from '../../base/time.ts';
import type { Workshop } from '../compile/unit.ts';
import { outputsOf, type Unit } from '../compile/units.ts';
import { RuleRun } from './rule-run.ts';
import { Subscriptions } from './subscriptions.ts';
import { openOf, World } from './world.ts';

export function createMachine(shop: Workshop, units: readonly Unit[], hash: string): RuleMachine {
  return new Machine(shop, units, hash);
}

class Machine implements RuleMachine {
  readonly hash: string;
  readonly made: ReadonlyMap<string, readonly PointModel[]>;
  readonly outputs: ReadonlySet<string>;
  private readonly shop: Workshop;
  private readonly units: readonly Unit[];
  private readonly subscriptions: Subscriptions;

  constructor(shop: Workshop, units: readonly Unit[], hash: string) {
    this.shop = shop;
    this.units = units;
    this.hash = hash;
    this.subscriptions = new Subscriptions(
      units,
      (device, point) => shop.things.get(device)?.points.get(point)?.event === true,
    );
    const made = new Map<string, PointModel[]>();
    for (const unit of units)
      if (unit.kind === 'point') made.set(unit.owner, [...(made.get(unit.owner) ?? []), unit.model]);
    this.made = made;
    this.outputs = new Set(units.flatMap(outputsOf));
  }

  reads(device: string, point: string): boolean {
    return this.subscriptions.point(device, point).length > 0;
  }

  restore(rows: Restorable, now: Instant): { state: RuleState; effects: readonly Effect[] } {
    const world = new World(this, this.shop, this.units, this.subscriptions, now);
    return { state: world, effects: world.wake(rows, now) };
  }

  step(state: RuleState, input: RuleInput, now: Instant): { state: RuleState; effects: readonly Effect[] } {
    return { state, effects: (state as World).step(input, now) };
  }

  due(state: RuleState): number | undefined {
    return (state as World).wheel.next();
  }

  snapshot(state: RuleState, now: Instant): readonly StateRow[] {
    return (state as World).runs.flatMap((run) => run.rows(now));
  }

  open(state: RuleState): readonly Alarm[] {
    return openOf(state as World);
  }

  maintenance(state: RuleState, now: Instant): readonly Maintenance[] {
    return (state as World).desk.mutes.list(now);
  }

  look(state: RuleState, rule: string, now: Instant): readonly Look[] {
    return (state as World).runs
      .filter((run) => run.unit.spec.id === rule || run.unit.key === rule)
      .map((run) => ({
        key: run.unit.key,
        phase: run instanceof RuleRun ? run.phase() : run.unit.kind,
        inputs: run.inputs(now),
      }));
  }
}
