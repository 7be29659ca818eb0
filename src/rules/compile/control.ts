/** One instance of a `control` document: outputs and what they should be. */
import type { Complain } from '../language/fields.ts';
import type { ControlSpec } from '../language/point.ts';
import { CEL } from './names.ts';
import { compileOutput } from './output.ts';
import { spansOf } from './rule.ts';
import type { Scope } from './select.ts';
import { furnish, type Workshop } from './unit.ts';
import type { ControlUnit } from './units.ts';

export function compileControl(
  spec: ControlSpec,
  scope: Scope,
  shop: Workshop,
  complain: Complain,
): ControlUnit | undefined {
  const room = furnish(scope, shop, complain, spec);
  const only = spansOf(spec.only, ['only'], shop, complain);
  if (room === undefined || only === undefined) return undefined;
  const outputs: ControlUnit['outputs'][number][] = [];
  for (const { target, value } of spec.set) {
    const output = compileOutput(target, ['set', target], scope, shop, complain);
    if (output === undefined) return undefined;
    const types = [CEL[output.kind]];
    const expression = shop.expressions.compile({ text: value, path: ['set', target], types }, room.names, complain);
    if (expression === undefined) return undefined;
    outputs.push({ output: { device: output.device, point: output.point }, value: expression });
  }
  return {
    kind: 'control',
    key: `${spec.id}/${scope.id}`,
    id: scope.id,
    spec,
    only,
    outputs,
    windows: room.windows,
    fixed: room.fixed,
    ...(scope.thing === undefined ? {} : { device: scope.thing.id }),
    ...(scope.zone === undefined ? {} : { zone: scope.zone }),
  };
}
