/**
 * Points that rules make. One may read another, so they are compiled in rounds: a document whose names are not there yet waits for the next round,
 * and when a round makes nothing, what is still waiting is wrong (or goes in a circle).
 */
import type { DataClass } from '../../base/data-class.ts';
import type { PointModel } from '../../base/model.ts';
import type { Problem } from '../../base/problem.ts';
import { complainer } from '../language/fields.ts';
import type { PointSpec } from '../language/point.ts';
import { classifier } from './classes.ts';
import type { Read } from './expression.ts';
import type { CelType } from './names.ts';
import { scopesOf } from './select.ts';
import { madeThing } from './things.ts';
import { furnish, type Workshop } from './unit.ts';
import type { PointUnit } from './units.ts';

const KIND: Readonly<Record<CelType, PointModel['kind']>> = { bool: 'bool', double: 'number', string: 'string' };
const VALUE_WINDOW: readonly Read[] = [{ ref: { kind: 'window', name: 'value' }, at: [] }];
const STALE = 3 * 60_000;

export function compilePoints(
  documents: readonly { readonly spec: PointSpec }[],
  shop: Workshop,
  problems: Problem[],
): PointUnit[] {
  const units: PointUnit[] = [];
  let waiting = documents.map((d) => d.spec);
  for (;;) {
    const later: PointSpec[] = [];
    const found: Problem[] = [];
    for (const spec of waiting) {
      const own: Problem[] = [];
      const made = compilePoint(spec, shop, own);
      if (own.some((p) => p.severity === 'error')) {
        later.push(spec);
        found.push(...own);
        continue;
      }
      problems.push(...own);
      for (const unit of made) {
        const thing = shop.things.get(unit.owner) ?? madeThing(unit.owner);
        thing.points.set(unit.model.id, unit.model);
        shop.things.set(thing.id, thing);
        units.push(unit);
      }
    }
    if (later.length === 0) return units;
    if (later.length === waiting.length) {
      problems.push(...found);
      return units;
    }
    waiting = later;
  }
}

function compilePoint(spec: PointSpec, shop: Workshop, problems: Problem[]): PointUnit[] {
  const complain = complainer(spec.document, problems);
  const units: PointUnit[] = [];
  const value = spec.value;
  const windows = typeof value === 'string' ? spec.windows : [...spec.windows, value];
  if (spec.each === undefined && shop.things.get(spec.owner)?.points.has(spec.point) === true)
    complain('rules.point_taken', ['point'], { given: spec.id });
  for (const scope of scopesOf(spec.each, shop, complain)) {
    const room = furnish(scope, shop, complain, { windows, lets: spec.lets });
    if (room === undefined) return [];
    if (scope.thing?.points.has(spec.point) === true) complain('rules.point_taken', ['point'], { given: spec.id });
    const when =
      spec.when === undefined
        ? undefined
        : shop.expressions.compile({ text: spec.when, path: ['when'], types: ['bool'] }, room.names, complain);
    const expression =
      typeof value === 'string'
        ? shop.expressions.compile({ text: value, path: ['value'] }, room.names, complain)
        : undefined;
    if (problems.some((p) => p.severity === 'error')) return [];
    const type = expression?.type ?? room.windows.at(-1)?.type ?? 'double';
    const classOf = classifier(room, shop);
    const reads = [...(expression?.reads ?? VALUE_WINDOW), ...(when?.reads ?? [])];
    const owner = scope.thing?.id ?? (spec.each === undefined ? spec.owner : scope.id);
    units.push({
      kind: 'point',
      key: `${spec.id}/${scope.id}`,
      id: scope.id,
      spec,
      owner,
      model: modelOf(spec, KIND[type], spec.class ?? classOf({ reads })),
      ...(when === undefined ? {} : { when }),
      ...(expression === undefined ? {} : { value: expression }),
      windows: room.windows,
      fixed: room.fixed,
      ...(scope.thing === undefined ? {} : { device: scope.thing.id }),
      ...(scope.zone === undefined ? {} : { zone: scope.zone }),
    });
  }
  return units;
}

function modelOf(spec: PointSpec, kind: PointModel['kind'], of: DataClass): PointModel {
  return {
    id: spec.point,
    ...(spec.name === undefined ? {} : { name: spec.name }),
    kind,
    ...(spec.unit === undefined ? {} : { unit: spec.unit }),
    class: of,
    deadband: spec.sendChange,
    heartbeatMs: spec.sendEveryMs,
    staleAfterMs: Math.max(STALE, 3 * spec.sendEveryMs),
  };
}
