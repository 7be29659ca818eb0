/**
 * The rule machine as the rest of the house sees it: a pure function with state. Nobody but the caller does anything with the effects, so that
 * live, shadow, unit test and replay run the same code.
 */
import type { Alarm, Transition } from './alarm.ts';
import type { StateRow } from './journal.ts';
import type { SiteModel } from './model.ts';
import type { Problem } from './problem.ts';
import type { Reading } from './reading.ts';
import type { Instant } from './time.ts';

export type RuleInput =
  | { readonly kind: 'readings'; readonly readings: readonly Reading[] }
  /** a device began or ceased to answer: feeds the built-in 无数据 rule `no_data/<device>` */
  | { readonly kind: 'device'; readonly device: string; readonly online: boolean }
  /** time has passed: fire what is due */
  | { readonly kind: 'tick' }
  /** the wall clock was synchronised; time spent off is counted once from here */
  | { readonly kind: 'synced' };

/** What a step asks for. Effects of one step are committed in one transaction, in order. */
export type Effect =
  | { readonly kind: 'alarm'; readonly transition: Transition; readonly alarm: Alarm }
  | { readonly kind: 'state'; readonly row: StateRow };

/** Owned by one caller and handed back by each step; opaque outside src/rules. */
export interface RuleState {
  readonly machine: RuleMachine;
}

export interface Restorable {
  readonly alarms: readonly Alarm[];
  readonly states: readonly StateRow[];
  /** UTC ms of the last thing known before the process ended: time from then on was not observed */
  readonly downSince?: number;
}

export interface RuleMachine {
  /** hash of the compiled rule set; stands in every alarm */
  readonly hash: string;
  /** State at boot or after a change of rules, with what that change itself causes (rule-removed, rule-changed). */
  restore(rows: Restorable, now: Instant): { state: RuleState; effects: readonly Effect[] };
  step(state: RuleState, input: RuleInput, now: Instant): { state: RuleState; effects: readonly Effect[] };
  /** monotonic ms of the earliest timer, undefined when none is pending */
  due(state: RuleState): number | undefined;
  /** whether any rule reads this point: such polls go first on the line */
  reads(device: string, point: string): boolean;
}

/** Compiles the rule documents of a site. A set with errors yields no machine. */
export type CompileRules = (site: SiteModel) => { machine: RuleMachine | undefined; problems: readonly Problem[] };

/** Renders an alarm's text from its template and values. */
export type RenderText = (alarm: Alarm) => string;
