/**
 * Conditions: CEL in a restricted profile. Every name is typed by the device model; numbers are doubles; no `matches` (a JavaScript RegExp on
 * data), no comprehension inside a comprehension, at most MAX_NODES nodes. An expression is pure: what it reads is known when it is compiled,
 * and it is only evaluated when all of it is known.
 */
import { Environment } from '@marcbachmann/cel-js';
import type { DeviceModel, PointModel, SiteModel } from '../base/model.ts';
import type { Path } from '../base/problem.ts';
import { hints, nearest } from '../base/suggest.ts';
import type { Scope } from './select.ts';
import type { Complain } from './spec.ts';

const MAX_NODES = 300;
const MAX_DEPTH = 24;
const COMPREHENSIONS = ['all', 'exists', 'exists_one', 'map', 'filter'];

/** A point an expression reads, and where in its context the value goes. */
export interface Input {
  readonly device: string;
  readonly point: string;
  /** [name] for a bare name, [device, point] for another device's */
  readonly at: readonly string[];
}

export type Context = { [name: string]: unknown };

export interface Expression {
  readonly inputs: readonly Input[];
  /** fixed names it uses: `held` and such */
  readonly uses: ReadonlySet<string>;
  evaluate(context: Context): unknown;
}

/** Names that are no points, with their CEL types. `held`: seconds the condition has been true. */
export const FIXED: Readonly<Record<string, 'double' | 'string'>> = { held: 'double', place: 'string', name: 'string' };

type Ast = { readonly op: string; readonly args: unknown; readonly start: number; readonly end: number };
type CelError = {
  readonly code?: string;
  readonly message: string;
  readonly range?: { readonly start: number; readonly end: number };
};

export interface Wanted {
  readonly text: string;
  readonly path: Path;
  /** where in the scalar the expression begins */
  readonly offset?: number;
  /** CEL types it may give; undefined = any plain one */
  readonly types?: readonly string[];
}

export function compileExpression(
  wanted: Wanted,
  scope: Scope,
  site: SiteModel,
  complain: Complain,
): Expression | undefined {
  const shift = wanted.offset ?? 0;
  const range = (r: { start: number; end: number } | undefined) =>
    r === undefined ? {} : { range: { start: r.start + shift, end: r.end + shift } };
  try {
    const parsed = environmentFor(scope, site, wanted.text).parse(wanted.text);
    const ast = parsed.ast as unknown as Ast;
    const banned = bannedIn(ast, false);
    if (banned !== undefined) {
      complain('rules.banned', wanted.path, { given: banned.what }, range(banned.at));
      return undefined;
    }
    const twice = idsIn(ast).find(
      (id) => id.field === undefined && scope.devices.filter((d) => d.points.some((p) => p.id === id.name)).length > 1,
    );
    if (twice !== undefined) {
      complain('rules.ambiguous', wanted.path, { given: twice.name, zone: scope.id }, range(twice.at));
      return undefined;
    }
    const checked = parsed.check();
    if (!checked.valid) {
      complainCel(checked.error as CelError, wanted, scope, site, complain, shift);
      return undefined;
    }
    if (wanted.types !== undefined && !wanted.types.includes(String(checked.type))) {
      complain(
        'rules.result_type',
        wanted.path,
        { wanted: wanted.types.join(' | '), got: String(checked.type) },
        range({ start: 0, end: wanted.text.length }),
      );
      return undefined;
    }
    return build(ast, parsed as unknown as (context: Context) => unknown, scope, site);
  } catch (error) {
    complainCel(error as CelError, wanted, scope, site, complain, shift);
    return undefined;
  }
}

function build(ast: Ast, run: (context: Context) => unknown, scope: Scope, site: SiteModel): Expression {
  const inputs = new Map<string, Input>();
  const uses = new Set<string>();
  for (const { name, field } of idsIn(ast)) {
    if (field !== undefined && site.devices.has(name))
      inputs.set(`${name}.${field}`, { device: name, point: field, at: [name, field] });
    else if (name in FIXED) uses.add(name);
    else {
      const owner = ownerOf(name, scope);
      if (owner !== undefined) inputs.set(`.${name}`, { device: owner.id, point: name, at: [name] });
    }
  }
  return { inputs: [...inputs.values()], uses, evaluate: (context) => plain(run(context)) };
}

/** CEL integers are BigInt; everything here is a double. */
const plain = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);

function ownerOf(point: string, scope: Scope): DeviceModel | undefined {
  return scope.devices.find((d) => d.points.some((p) => p.id === point));
}

const CEL: Readonly<Record<PointModel['kind'], string>> = { bool: 'bool', number: 'double', string: 'string' };

function environmentFor(scope: Scope, site: SiteModel, text: string): Environment {
  const env = new Environment({
    unlistedVariablesAreDyn: false,
    limits: { maxAstNodes: MAX_NODES, maxDepth: MAX_DEPTH },
  });
  const taken = new Set<string>();
  const variable = (name: string, type: string): void => {
    if (taken.has(name)) return;
    taken.add(name);
    env.registerVariable(name, type);
  };
  for (const device of scope.devices) for (const point of device.points) variable(point.id, CEL[point.kind]);
  for (const [name, type] of Object.entries(FIXED)) variable(name, type);
  for (const device of site.devices.values()) {
    // Only what the text can name: a site has hundreds of devices and a rule set hundreds of expressions.
    if (taken.has(device.id) || !text.includes(device.id)) continue;
    taken.add(device.id);
    env.registerVariable(device.id, { schema: Object.fromEntries(device.points.map((p) => [p.id, CEL[p.kind]])) });
  }
  return withFunctions(env);
}

/** Technicians write `level * 2` and `temp == 31`: numbers meet as doubles. */
function withFunctions(env: Environment): Environment {
  const number = (x: unknown): number => Number(x);
  for (const [a, b] of [
    ['double', 'int'],
    ['int', 'double'],
  ]) {
    env.registerOperator(`${a} + ${b}`, (x: unknown, y: unknown) => number(x) + number(y));
    env.registerOperator(`${a} - ${b}`, (x: unknown, y: unknown) => number(x) - number(y));
    env.registerOperator(`${a} * ${b}`, (x: unknown, y: unknown) => number(x) * number(y));
    env.registerOperator(`${a} / ${b}`, (x: unknown, y: unknown) => number(x) / number(y));
  }
  env.registerFunction('round(double): double', (x: number) => Math.round(x));
  env.registerFunction('floor(double): double', (x: number) => Math.floor(x));
  env.registerFunction('abs(double): double', (x: number) => Math.abs(x));
  env.registerFunction('hours(double): double', (seconds: number) => Math.floor(seconds / 3600));
  env.registerFunction('min(double, double): double', (x: number, y: number) => Math.min(x, y));
  env.registerFunction('max(double, double): double', (x: number, y: number) => Math.max(x, y));
  return env;
}

function isAst(x: unknown): x is Ast {
  return typeof x === 'object' && x !== null && typeof (x as Ast).op === 'string';
}

function children(ast: Ast): Ast[] {
  const found: Ast[] = [];
  const walk = (x: unknown): void => {
    if (isAst(x)) found.push(x);
    else if (Array.isArray(x)) x.forEach(walk);
  };
  walk(ast.args);
  return found;
}

function idsIn(ast: Ast): { name: string; field?: string; at: Ast }[] {
  if (ast.op === 'id') return [{ name: String(ast.args), at: ast }];
  const args = ast.args as unknown[];
  const [object, field] = Array.isArray(args) ? args : [];
  if (ast.op === '.' && isAst(object) && object.op === 'id')
    return [{ name: String(object.args), field: String(field), at: ast }];
  return children(ast).flatMap(idsIn);
}

function bannedIn(ast: Ast, inside: boolean): { what: string; at: Ast } | undefined {
  const called = ast.op === 'call' || ast.op === 'rcall' ? String((ast.args as unknown[])[0]) : ast.op;
  if (called === 'matches') return { what: 'matches', at: ast };
  const comprehension = COMPREHENSIONS.includes(called);
  if (comprehension && inside) return { what: 'nested all/exists/map/filter', at: ast };
  for (const child of children(ast)) {
    const found = bannedIn(child, inside || comprehension);
    if (found !== undefined) return found;
  }
  return undefined;
}

const WIDE = '（），＞＜＝＆｜！；：“”';

function complainCel(
  error: CelError,
  wanted: Wanted,
  scope: Scope,
  site: SiteModel,
  complain: Complain,
  shift: number,
): void {
  const range =
    error.range === undefined ? {} : { range: { start: error.range.start + shift, end: error.range.end + shift } };
  const given = error.range === undefined ? '' : wanted.text.slice(error.range.start, error.range.end);
  const detail = (error.message ?? 'invalid').split('\n')[0] ?? '';
  const isField = error.range !== undefined && wanted.text[error.range.start - 1] === '.';
  if (error.code === 'unknown_variable' || isField) {
    const owner = site.devices.get(wordBefore(wanted.text, error.range?.start ?? 0));
    const points = (owner === undefined ? scope.devices : [owner]).flatMap((d) => d.points.map((p) => p.id));
    const known = isField ? points : [...points, ...Object.keys(FIXED)];
    const guess = nearest(given, isField ? known : [...known, ...site.devices.keys()]);
    complain('rules.unknown_name', wanted.path, { given, known: known.slice(0, 12).join(' '), ...hints(guess) }, range);
    return;
  }
  complain('rules.expression', wanted.path, { detail, ...slip(wanted.text, given) }, range);
}

/** The name in front of the dot before a field. */
function wordBefore(text: string, field: number): string {
  let from = field - 1;
  while (from > 0 && !' ()!&|<>=+-*/,?:'.includes(text[from - 1] ?? '')) from--;
  return text.slice(from, field - 1);
}

/** The usual slips of people who write no CEL. */
function slip(text: string, given: string): { hint_zh: string; hint_en: string } {
  if ([...text].some((c) => WIDE.includes(c)))
    return { hint_zh: '有全角符号，请改为半角', hint_en: 'there are full-width characters; use ASCII ones' };
  const words = text.split(' ');
  if (words.includes('and') || words.includes('or') || words.includes('not'))
    return { hint_zh: '与、或、非写成 && || !', hint_en: 'write && || ! for and, or, not' };
  if (given === '=') return { hint_zh: '相等写成 ==', hint_en: 'equality is ==' };
  return { hint_zh: '例如 level < 1.5 && pump', hint_en: 'for example level < 1.5 && pump' };
}
