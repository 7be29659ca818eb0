/** Compiled instances, as the machine runs them. */
import type { Level } from '../../base/event.ts';
import type { PointModel } from '../../base/model.ts';
import type { EscalationStep } from '../language/action.ts';
import type { ControlSpec, PointSpec } from '../language/point.ts';
import type { RuleSpec } from '../language/rule.ts';
import type { Expression } from './expression.ts';
import type { CompiledAction, Output } from './output.ts';
import type { CompiledText } from './text.ts';
import type { Span } from './times.ts';
import type { CompiledWindow, PatternPart } from './unit.ts';

interface Common {
  /** `document/instance` */
  readonly key: string;
  readonly id: string;
  readonly windows: readonly CompiledWindow[];
  /** values of names that never change: name, place, constants */
  readonly fixed: Readonly<Record<string, boolean | number | string>>;
  readonly device?: string;
  readonly zone?: string;
}

export interface RuleUnit extends Common {
  readonly kind: 'rule';
  readonly spec: RuleSpec;
  /** hash of what decides; a change drops what is pending and re-judges what is active */
  readonly meaning: string;
  readonly when?: Expression;
  readonly clear?: Expression;
  readonly unless?: Expression;
  readonly only: readonly Span[];
  readonly level: Level | Expression;
  readonly text: CompiledText;
  readonly pattern?: readonly PatternPart[];
  readonly do: readonly CompiledAction[];
  readonly undo: readonly CompiledAction[];
  readonly escalate: readonly EscalationStep[];
}

export interface PointUnit extends Common {
  readonly kind: 'point';
  readonly spec: PointSpec;
  /** whose point it is */
  readonly owner: string;
  readonly model: PointModel;
  readonly when?: Expression;
  /** undefined: the value is that of the window `value` */
  readonly value?: Expression;
}

export interface ControlUnit extends Common {
  readonly kind: 'control';
  readonly spec: ControlSpec;
  readonly only: readonly Span[];
  readonly outputs: readonly { readonly output: Output; readonly value: Expression }[];
}

export type Unit = RuleUnit | PointUnit | ControlUnit;

/** What a unit may write. */
export function outputsOf(unit: Unit): readonly string[] {
  if (unit.kind === 'point') return [];
  const steps = unit.kind === 'control' ? unit.outputs : [...unit.do, ...unit.undo];
  return steps.flatMap((step) => ('output' in step ? [`${step.output.device}.${step.output.point}`] : []));
}

/** Every expression of a unit. */
export function expressionsOf(unit: Unit): readonly Expression[] {
  const given = (...all: (Expression | undefined)[]): Expression[] => all.filter((e) => e !== undefined);
  switch (unit.kind) {
    case 'rule':
      return [
        ...given(unit.when, unit.clear, unit.unless, typeof unit.level === 'string' ? undefined : unit.level),
        ...unit.text.parts.map((p) => p.expression),
      ];
    case 'point':
      return given(unit.when, unit.value);
    case 'control':
      return unit.outputs.map((o) => o.value);
  }
}
