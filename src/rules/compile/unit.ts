/**
 * What all documents have in common once compiled: a unit is one instance of one document, with the windows it keeps and the names its
 * expressions may use.
 */
import type { DataClass } from '../../base/data-class.ts';
import type { PointModel } from '../../base/model.ts';
import type { Privacy } from '../../base/privacy.ts';
import type { Path } from '../../base/problem.ts';
import { hints, nearest } from '../../base/suggest.ts';
import type { Complain } from '../language/fields.ts';
import type { FormSpec } from '../language/form.ts';
import type { Lets, PatternSpec } from '../language/rule.ts';
import type { WindowSpec } from '../language/window.ts';
import type { Expression, Expressions } from './expression.ts';
import { CEL, Names, pointFields } from './names.ts';
import type { Estate, Scope } from './select.ts';
import { type Sources, sourcesOf } from './sources.ts';
import { distance, positionOf } from './things.ts';
import { parseSpan, type Span, type Times } from './times.ts';

/** What the compilation of one rule set shares. */
export interface Workshop extends Estate {
  readonly expressions: Expressions;
  readonly privacy: Privacy;
  readonly forms: ReadonlyMap<string, FormSpec>;
  readonly times: Times;
  readonly spans: ReadonlyMap<string, Span>;
}

export interface CompiledWindow {
  readonly spec: WindowSpec;
  readonly sources: Sources;
  /** what the value is, when it comes out */
  readonly type: 'double' | 'string' | 'bool';
  readonly between?: Span;
  readonly near?: readonly Near[];
}

/** A device of the wanted kind, nearest first. */
export interface Near {
  readonly device: string;
  readonly name: string;
  readonly distance: number;
  readonly points: readonly PointModel[];
  readonly where?: Expression;
}

export interface PatternPart {
  readonly name: string;
  readonly sources: Sources;
}

/** Names an instance's expressions know, and the windows behind some of them. */
export interface Room {
  readonly names: Names;
  readonly windows: readonly CompiledWindow[];
  readonly fixed: Readonly<Record<string, boolean | number | string>>;
  /** of the fixed ones that are not of class none */
  readonly classes: Readonly<Record<string, DataClass>>;
}

export function furnish(
  scope: Scope,
  shop: Workshop,
  complain: Complain,
  given: { windows: readonly WindowSpec[]; lets: Lets; pattern?: PatternSpec | undefined },
): Room | undefined {
  const names = new Names(
    (name) => {
      const thing = shop.things.get(name);
      return thing === undefined ? undefined : pointFields(thing.id, thing.points.values());
    },
    () => shop.things.keys(),
  );
  for (const thing of scope.things) for (const point of thing.points.values()) names.addPoint(thing.id, point);
  // A standard point this device has not is a name all the same: unknown, not an error.
  for (const { id, kind } of shop.site.types.get(scope.thing?.type ?? '') ?? [])
    if (names.find(id) === undefined)
      names.add(id, { type: CEL[kind], ref: { kind: 'point', device: scope.thing?.id ?? '', point: id } });
  for (const [member, id] of Object.entries(scope.thing?.members ?? {})) {
    const thing = shop.things.get(id);
    if (thing !== undefined) names.addObject(member, pointFields(id, thing.points.values()));
  }
  for (const [name, type] of [
    ['held', 'double'],
    ['place', 'string'],
    ['name', 'string'],
  ] as const)
    if (names.find(name) === undefined) names.add(name, { type, ref: { kind: 'fixed', name } });
  for (const name of shop.spans.keys())
    if (names.find(name) === undefined) names.add(name, { type: 'bool', ref: { kind: 'time', name } });
  const lets = { ...given.lets, ...overridden(given.lets, scope.thing?.lets ?? {}) };
  for (const [name, value] of Object.entries(lets)) {
    const type = typeof value === 'number' ? 'double' : typeof value === 'boolean' ? 'bool' : 'string';
    names.add(name, { type, ref: { kind: 'fixed', name } });
  }
  for (const { name } of given.pattern?.parts ?? [])
    names.addObject(name, new Map([['name', { type: 'string', ref: { kind: 'field', name, field: 'name' } }]]));
  const windows: CompiledWindow[] = [];
  for (const spec of given.windows) {
    const window = compileWindow(spec, scope, shop, complain, windows, names);
    if (window === undefined) return undefined;
    windows.push(window);
    if (window.near === undefined)
      names.add(spec.name, { type: window.type, ref: { kind: 'window', name: spec.name } });
    else names.addObject(spec.name, nearFields(spec.name, window.near, shop.site.types.get(spec.source) ?? []));
  }
  const place = scope.zone === undefined ? undefined : (shop.site.places.get(scope.zone)?.name ?? scope.zone);
  const name = scope.thing?.name ?? place ?? scope.id;
  return { names, windows, fixed: { ...lets, name, place: place ?? name }, classes: fixedClasses(scope, shop) };
}

/** What is written for a person's home tells of the person; what a rule says for all of them does not. */
function fixedClasses({ thing, zone }: Scope, { privacy }: Workshop): Record<string, DataClass> {
  const ofThing = thing === undefined ? 'none' : privacy.of(thing.id);
  const ofPlace = zone === undefined ? ofThing : privacy.of(zone);
  const own = Object.keys(thing?.lets ?? {}).map((name) => [name, ofThing] as const);
  return { ...Object.fromEntries(own), name: thing?.name === undefined ? ofPlace : ofThing, place: ofPlace };
}

function overridden(lets: Lets, own: Lets): Lets {
  return Object.fromEntries(Object.entries(own).filter(([name, value]) => typeof lets[name] === typeof value));
}

function compileWindow(
  spec: WindowSpec,
  scope: Scope,
  shop: Workshop,
  complain: Complain,
  before: readonly CompiledWindow[],
  names: Names,
): CompiledWindow | undefined {
  const path: Path = spec.name === 'value' ? ['value', spec.fn] : ['with', spec.name, spec.fn];
  if (spec.fn === 'nearest') return compileNearest(spec, path, scope, shop, complain);
  const sources = sourcesOf(
    { text: spec.source, of: spec.of, path, windows: before.map((w) => w.spec.name) },
    scope,
    shop,
    complain,
  );
  if (sources === undefined) return undefined;
  const between = spec.between === undefined ? undefined : (shop.spans.get(spec.between) ?? parseSpan(spec.between));
  if (spec.between !== undefined && between === undefined) {
    complain('rules.bad_span_text', [...path.slice(0, -1), 'between'], { given: spec.between });
    return undefined;
  }
  if (names.find(spec.name) !== undefined && spec.name !== 'value')
    complain('rules.shadowed', [...path.slice(0, -1)], { given: spec.name }, { severity: 'warning', atKey: true });
  return { spec, sources, type: typeOf(spec, sources, shop), ...(between === undefined ? {} : { between }) };
}

function typeOf({ fn }: WindowSpec, sources: Sources, { forms }: Workshop): CompiledWindow['type'] {
  if (fn === 'top') return 'string';
  if (fn !== 'first' && fn !== 'last') return 'double';
  if (sources.kind === 'form') {
    const field = forms.get(sources.form.form)?.fields.find((f) => f.id === sources.form.field);
    return field?.kind.is === 'number' ? 'double' : 'string';
  }
  const [first] = sources.kind === 'points' ? sources.points : [];
  return first === undefined ? 'double' : CEL[first.point.kind];
}

function compileNearest(
  spec: WindowSpec,
  path: Path,
  scope: Scope,
  shop: Workshop,
  complain: Complain,
): CompiledWindow | undefined {
  const here = scope.thing?.at ?? positionOf(scope.zone ?? '', shop.site);
  const all = [...shop.things.values()].filter((t) => t.type === spec.source);
  if (all.length === 0 && !shop.site.types.has(spec.source)) {
    const known = [...shop.site.types.keys()];
    complain('rules.unknown_ref', path, {
      given: spec.source,
      zh: '类型',
      en: 'type',
      ...hints(nearest(spec.source, known)),
    });
    return undefined;
  }
  if (here === undefined) complain('rules.nowhere', path, { given: scope.id }, { severity: 'warning' });
  const near: Near[] = [];
  for (const thing of all) {
    if (here === undefined || thing.at === undefined) continue;
    const names = new Names();
    for (const point of thing.points.values()) names.addPoint(thing.id, point);
    const where =
      spec.where === undefined
        ? undefined
        : shop.expressions.compile(
            { text: spec.where, path: [...path.slice(0, -1), 'where'], types: ['bool'] },
            names,
            complain,
          );
    if (spec.where !== undefined && where === undefined) return undefined;
    near.push({
      device: thing.id,
      name: thing.name ?? thing.id,
      distance: Math.round(distance(here, thing.at)),
      points: [...thing.points.values()],
      ...(where === undefined ? {} : { where }),
    });
  }
  near.sort((a, b) => a.distance - b.distance || (a.device < b.device ? -1 : 1));
  return { spec, sources: { kind: 'points', points: [] }, type: 'string', near };
}

/** What can be said of the nearest one: name, distance in metres, whether there is one, the nearer ones that did not do, and its points. */
function nearFields(name: string, near: readonly Near[], standard: readonly Pick<PointModel, 'id' | 'kind'>[]) {
  const field = (type: 'double' | 'string' | 'bool', id: string) =>
    [id, { type, ref: { kind: 'field', name, field: id } as const }] as const;
  const points = new Map([...standard, ...near.flatMap((n) => n.points)].map((p) => [p.id, CEL[p.kind]] as const));
  return new Map([
    ...[...points].map(([id, type]) => field(type, id)),
    field('string', 'name'),
    field('double', 'distance'),
    field('bool', 'found'),
    field('string', 'skipped'),
  ]);
}
