/** Outputs rules may write to, and devices pictures may come from. */
import { VALUE_TYPE } from '../../base/model.ts';
import type { Path } from '../../base/problem.ts';
import type { Value } from '../../base/reading.ts';
import { hints, nearest } from '../../base/suggest.ts';
import type { ActionSpec, ReadAction } from '../language/action.ts';
import type { Complain } from '../language/fields.ts';
import type { Scope } from './select.ts';
import type { CompiledWindow, Workshop } from './unit.ts';

export interface Output {
  readonly device: string;
  readonly point: string;
}

export type CompiledAction =
  | {
      readonly do: 'write';
      readonly output: Output;
      readonly value: Value;
      readonly stopAfterMs?: number;
      readonly stop: Value;
    }
  /** `of`: a device, or the name of a pattern's part or of a nearest window */
  | { readonly do: 'snapshot' | 'clip'; readonly of: string; readonly isName: boolean }
  | { readonly do: 'tell'; readonly to: string; readonly text?: string };

export function compileOutput(
  target: string,
  path: Path,
  scope: Scope,
  shop: Workshop,
  complain: Complain,
): (Output & { readonly kind: 'bool' | 'number' | 'string' }) | undefined {
  const dot = target.indexOf('.');
  const head = dot < 0 ? undefined : target.slice(0, dot);
  const point = target.slice(dot + 1);
  const member = head === undefined ? undefined : scope.thing?.members[head];
  const device = head === undefined ? scope.thing?.id : (member ?? head);
  const thing = shop.things.get(device ?? '');
  const found = thing?.points.get(point);
  if (device !== undefined && thing?.isDevice === true && found !== undefined)
    return { device, point, kind: found.kind };
  const known = [...shop.things.values()]
    .filter((t) => t.isDevice)
    .flatMap((t) => [...t.points.keys()].map((p) => `${t.id}.${p}`));
  complain('rules.unknown_output', path, { given: target, ...hints(nearest(target, known)) }, { atKey: true });
  return undefined;
}

export function compileActions(
  actions: readonly ReadAction[],
  names: { readonly windows: readonly CompiledWindow[]; readonly parts: readonly string[] },
  scope: Scope,
  shop: Workshop,
  complain: Complain,
): readonly CompiledAction[] | undefined {
  const compiled: CompiledAction[] = [];
  for (const { action, path } of actions) {
    const done = compileAction(action, path, names, scope, shop, complain);
    if (done === undefined) return undefined;
    compiled.push(...done);
  }
  return compiled;
}

function compileAction(
  action: ActionSpec,
  path: Path,
  names: { readonly windows: readonly CompiledWindow[]; readonly parts: readonly string[] },
  scope: Scope,
  shop: Workshop,
  complain: Complain,
): readonly CompiledAction[] | undefined {
  switch (action.do) {
    case 'write': {
      const output = compileOutput(action.target, [...path, 'write', action.target], scope, shop, complain);
      if (output === undefined) return undefined;
      if (typeof action.value !== VALUE_TYPE[output.kind]) {
        complain('rules.output_type', [...path, 'write', action.target], { given: action.target, kind: output.kind });
        return undefined;
      }
      const { value, stop, stopAfterMs } = action;
      return [{ do: 'write', output, value, stop, ...(stopAfterMs === undefined ? {} : { stopAfterMs }) }];
    }
    case 'snapshot':
    case 'clip': {
      const isName =
        names.parts.includes(action.of) || names.windows.some((w) => w.near !== undefined && w.spec.name === action.of);
      if (!isName && !shop.things.has(action.of)) {
        const known = [...names.parts, ...names.windows.map((w) => w.spec.name), ...shop.things.keys()];
        complain('rules.unknown_ref', [...path, action.do], {
          given: action.of,
          zh: '摄像机',
          en: 'camera',
          ...hints(nearest(action.of, known)),
        });
        return undefined;
      }
      return [{ do: action.do, of: action.of, isName }];
    }
    case 'tell':
      if (!checkPeople(action.to, path, shop, complain)) return undefined;
      return action.to.map((to) => ({ do: 'tell', to, ...(action.text === undefined ? {} : { text: action.text }) }));
  }
}

export function checkPeople(to: readonly string[], path: Path, shop: Workshop, complain: Complain): boolean {
  const unknown = to.find((name) => !shop.site.people.has(name));
  if (unknown === undefined) return true;
  complain('rules.unknown_person', path, {
    given: unknown,
    known: [...shop.site.people.keys()].join(' '),
    ...hints(nearest(unknown, shop.site.people.keys())),
  });
  return false;
}
