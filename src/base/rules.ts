/**
 * The rule machine as the rest of the house sees it: a pure function with state. Nobody but the caller does anything with the effects, so that
 * live, shadow, unit test and replay run the same code.
 */
import type { Alarm, Transition, Why } from './alarm.ts';
import type { ErrorCode } from './errors/index.ts';
import type { EventDraft, Level } from './event.ts';
import type { StateRow } from './journal.ts';
import type { Media } from './media.ts';
import type { PointModel, SiteModel } from './model.ts';
import type { Problem } from './problem.ts';
import type { Reading, Value } from './reading.ts';
import type { Params } from './text.ts';
import type { Instant } from './time.ts';

export type RuleInput =
  | { readonly kind: 'readings'; readonly readings: readonly Reading[] }
  /** a device began or ceased to answer: feeds the built-in 无数据 rule `no_data/<device>` */
  | { readonly kind: 'device'; readonly device: string; readonly online: boolean }
  /** time has passed: fire what is due */
  | { readonly kind: 'tick' }
  /** the wall clock was synchronised; time spent off is counted once from here */
  | { readonly kind: 'synced' }
  | Operation
  /** an action was carried out, refused or skipped: its row goes */
  | { readonly kind: 'acted'; readonly key: string; readonly ok: boolean; readonly media?: Media }
  /** an escalation step could not be delivered now: the next one is pulled forward */
  | { readonly kind: 'unreachable'; readonly aid: string }
  /** a person switched an output by hand: its control keeps off for a while */
  | { readonly kind: 'manual'; readonly device: string; readonly point: string };

/** What a person does. Each is answered by an `answer` effect. `aid` may also be the alarm's key. */
export type Operation =
  /** `rev`: the revision that was seen; refused when the alarm asks for another acknowledgement since */
  | { readonly kind: 'ack'; readonly aid: string; readonly by: string; readonly rev?: number }
  | { readonly kind: 'reset'; readonly aid: string; readonly by: string }
  | {
      readonly kind: 'shelve';
      readonly aid: string;
      readonly by: string;
      readonly reason: string;
      readonly forMs: number;
    }
  | { readonly kind: 'unshelve'; readonly aid: string; readonly by: string }
  | {
      readonly kind: 'maintain';
      /** a device, a place or a rule */
      readonly what: string;
      readonly by: string;
      readonly reason: string;
      readonly forMs: number;
    }
  | { readonly kind: 'maintained'; readonly what: string; readonly by: string }
  | {
      readonly kind: 'form';
      readonly form: string;
      readonly fields: Readonly<Record<string, unknown>>;
      readonly by: string;
      /** what the entry is to be called; made by the form when left out */
      readonly id?: string;
      /** UTC ms of what is told, when not now */
      readonly ts?: number;
    }
  | { readonly kind: 'confirm'; readonly id: string; readonly by: string };

export const OPERATIONS = [
  'ack',
  'reset',
  'shelve',
  'unshelve',
  'maintain',
  'maintained',
  'form',
  'confirm',
] as const satisfies readonly Operation['kind'][];

/** Something to be done in the world, once per key. */
export interface Act {
  /** `aid/transition/step`, or `control/instance/point/n` */
  readonly key: string;
  readonly step: ActStep;
  /** leaves the safe state: skipped when older than ACT_WITHIN. `stop_after` and `undo` are always carried out. */
  readonly leaves: boolean;
  /** UTC ms at which it was decided */
  readonly at: number;
  readonly level?: Level;
  readonly alarm?: Alarm;
  /** a person's own doing */
  readonly by?: string;
  /** a platform's: tried once, not begun after this monotonic time, and told of by whoever took it */
  readonly command?: { readonly until: number };
}

export type ActStep =
  | { readonly do: 'write'; readonly device: string; readonly point: string; readonly value: Value }
  | { readonly do: 'snapshot' | 'clip'; readonly device: string }
  | { readonly do: 'tell'; readonly to: string; readonly text?: string };

/** ms after which a step that leaves the safe state is no longer carried out (rules.md 5.7) */
export const ACT_WITHIN = 60_000;

/** What a step asks for. Effects of one step are committed in one transaction, in order. */
export type Effect =
  | {
      readonly kind: 'alarm';
      readonly transition: Transition;
      readonly alarm: Alarm;
      /** under maintenance: goes out as a test */
      readonly test?: boolean;
    }
  /** what a rule in `mode: shadow` would have done */
  | { readonly kind: 'shadow'; readonly transition: Transition; readonly alarm: Alarm }
  | { readonly kind: 'state'; readonly row: StateRow }
  /** a derived point has a value */
  | { readonly kind: 'reading'; readonly reading: Reading }
  | { readonly kind: 'act'; readonly act: Act }
  /** an action that came too late, or that nobody may carry out */
  | { readonly kind: 'skipped'; readonly act: Act; readonly why: 'stale' | 'shadow' }
  | { readonly kind: 'event'; readonly draft: EventDraft }
  | { readonly kind: 'answer'; readonly answer: Answer };

/** The outcome of an operation. */
export type Answer =
  | { readonly ok: true; readonly alarm?: Alarm; readonly id?: string }
  | { readonly ok: false; readonly code: ErrorCode; readonly params: Params };

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
  /** Rows of everything that is kept but not yet written: windows between two partials. For an orderly end. */
  snapshot(state: RuleState, now: Instant): readonly StateRow[];
  /** open alarms, and what is under maintenance */
  open(state: RuleState): readonly Alarm[];
  maintenance(state: RuleState, now: Instant): readonly Maintenance[];
  /** `device.point` of everything rules and controls may write; nothing else is written for anybody */
  readonly outputs: ReadonlySet<string>;
  /** points the rules make, by device (a real one, an asset, or one that is only a name) */
  readonly made: ReadonlyMap<string, readonly PointModel[]>;
  /** what a rule sees now, by instance */
  look(state: RuleState, rule: string, now: Instant): readonly Look[];
}

export interface Maintenance {
  readonly what: string;
  readonly by: string;
  readonly reason: string;
  /** UTC ms */
  readonly until: number;
}

/** One instance as it stands. */
export interface Look {
  readonly key: string;
  readonly phase: string;
  readonly inputs: Why['inputs'];
}

/** Compiles the rule documents of a site. A set with errors yields no machine. */
export type CompileRules = (site: SiteModel) => { machine: RuleMachine | undefined; problems: readonly Problem[] };
