/**
 * Conditions: CEL in a restricted profile. Every name is typed by the device model; numbers are doubles; no `matches` (a JavaScript RegExp on
 * data), no comprehension inside a comprehension, at most MAX_NODES nodes. An expression is pure: what it reads is known when it is compiled,
 * and it is only evaluated when all of it is known. Instances of one rule share one program: only where its values come from differs.
 */
import { Environment } from '@marcbachmann/cel-js';
import type { Path } from '../../base/problem.ts';
import { hints, nearest } from '../../base/suggest.ts';
import type { Complain } from '../language/fields.ts';
import type { CelType, Named, Names, Ref } from './names.ts';
import { slip } from './slips.ts';
import { type Ast, type AstId, alarmsIn, bannedIn, idsIn, intDivision } from './syntax.ts';

const MAX_NODES = 300;
const MAX_DEPTH = 24;

export type Context = { [name: string]: unknown };

/** A value an expression reads, and where in its context it goes: [name], or [object, field]. */
export interface Read {
  readonly ref: Ref;
  readonly at: readonly string[];
}

export interface Expression {
  readonly reads: readonly Read[];
  /** rules it asks about with alarm("…") */
  readonly alarms: readonly string[];
  readonly type: CelType;
  /** @param active rules, and instances `rule/instance`, that have an active alarm */
  evaluate(context: Context, active: ReadonlySet<string>): unknown;
}

type CelError = {
  readonly code?: string;
  readonly message: string;
  readonly range?: { readonly start: number; readonly end: number };
};

interface Program {
  readonly type: CelType;
  evaluate(context: Context, active: ReadonlySet<string>): unknown;
}

export interface Wanted {
  readonly text: string;
  readonly path: Path;
  /** where in the scalar the expression begins */
  readonly offset?: number;
  /** types it may give; undefined = any plain one */
  readonly types?: readonly CelType[];
}

/** Compiles the expressions of one rule set. */
export class Expressions {
  private readonly parser = withFunctions(environment(), { active: new Set() });
  private readonly programs = new Map<string, Program>();

  compile(wanted: Wanted, names: Names, complain: Complain): Expression | undefined {
    const { text, path, types, offset = 0 } = wanted;
    const range = (r: { start: number; end: number }) => ({ range: { start: r.start + offset, end: r.end + offset } });
    try {
      const ast = this.parser.parse(text).ast as unknown as Ast;
      const banned = bannedIn(ast, false);
      if (banned !== undefined) return void complain('rules.banned', path, { given: banned.what }, range(banned.at));
      const ids = idsIn(ast);
      const twice = ids.find((id) => id.field === undefined && names.find(id.name) === 'twice');
      if (twice !== undefined) return void complain('rules.ambiguous', path, { given: twice.name }, range(twice.at));
      const named = resolve(ids, names);
      const program = this.program(text, named);
      if (types !== undefined && !types.includes(program.type))
        return void complain(
          'rules.result_type',
          path,
          { wanted: types.join(' | '), got: program.type },
          range({ start: 0, end: text.length }),
        );
      const divided = intDivision(ast);
      if (divided !== undefined) complain('rules.whole_division', path, {}, { ...range(divided), severity: 'warning' });
      const reads = [...named.values()].map(({ named: { ref }, at }) => ({ ref, at }));
      return { reads, alarms: alarmsIn(ast), type: program.type, evaluate: program.evaluate };
    } catch (error) {
      return complainCel(error as CelError, wanted, names, complain);
    }
  }

  /** One program for a text over names of these types, however many instances read it. */
  private program(text: string, named: ReadonlyMap<string, Used>): Program {
    const signature = `${text}\u0000${[...named].map(([key, u]) => `${key}:${u.named.type}`).join(' ')}`;
    const known = this.programs.get(signature);
    if (known !== undefined) return known;
    const asking: Asking = { active: new Set() };
    const env = withFunctions(environment(), asking);
    const objects = new Map<string, Record<string, string>>();
    for (const { named: n, at } of named.values()) {
      const [name = '', field] = at;
      if (field === undefined) declare(env, name, n.type);
      else objects.set(name, { ...objects.get(name), [field]: n.type });
    }
    for (const [name, schema] of objects) declare(env, name, { schema });
    const parsed = env.parse(text);
    const checked = parsed.check();
    if (!checked.valid) throw checked.error;
    const run = parsed as unknown as (context: Context) => unknown;
    const given = String(checked.type);
    const program: Program = {
      type: (given === 'int' ? 'double' : given) as CelType,
      evaluate: (context, active) => {
        asking.active = active;
        return plain(run(context));
      },
    };
    this.programs.set(signature, program);
    return program;
  }
}

interface Used {
  readonly named: Named;
  readonly at: readonly string[];
}

/** Names that exist; the others are left to the type check, which says where they stand. */
function resolve(ids: readonly AstId[], names: Names): Map<string, Used> {
  const used = new Map<string, Used>();
  for (const { name, field } of ids) {
    const object = field === undefined ? undefined : names.object(name);
    const inner = field === undefined ? undefined : object?.get(field);
    const bare = names.find(name);
    if (inner !== undefined && field !== undefined) used.set(`${name}.${field}`, { named: inner, at: [name, field] });
    else if (object !== undefined && field !== undefined) throw unknownField(name, field, object, ids);
    else if (bare !== undefined && bare !== 'twice') used.set(name, { named: bare, at: [name] });
  }
  return used;
}

function unknownField(
  name: string,
  field: string,
  object: ReadonlyMap<string, Named>,
  ids: readonly AstId[],
): CelError & { known: string[] } {
  const at = ids.find((id) => id.name === name && id.field === field)?.at;
  const end = at?.end ?? 0;
  return {
    code: 'unknown_field',
    message: field,
    known: [...object.keys()],
    range: { start: end - field.length, end },
  };
}

/** CEL integers are BigInt; everything here is a double. */
const plain = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);

function environment(): Environment {
  return new Environment({
    unlistedVariablesAreDyn: false,
    limits: { maxAstNodes: MAX_NODES, maxDepth: MAX_DEPTH },
  });
}

/** What a program's alarm() looks into; CEL hands functions no context. */
interface Asking {
  active: ReadonlySet<string>;
}

/** Names of CEL's own types and words are no names for points. */
function declare(env: Environment, name: string, type: string | { schema: Record<string, string> }): void {
  try {
    env.registerVariable(name, type as string);
  } catch (cause) {
    throw Object.assign(new Error(name, { cause }), { code: 'reserved_name' });
  }
}

/** Technicians write `level * 2` and `temp == 31`: numbers meet as doubles. */
function withFunctions(env: Environment, asking: Asking): Environment {
  const number = (x: unknown): number => Number(x);
  for (const [a, b] of [
    ['double', 'int'],
    ['int', 'double'],
  ]) {
    env.registerOperator(`${a} + ${b}`, (x: unknown, y: unknown) => number(x) + number(y));
    env.registerOperator(`${a} - ${b}`, (x: unknown, y: unknown) => number(x) - number(y));
    env.registerOperator(`${a} * ${b}`, (x: unknown, y: unknown) => number(x) * number(y));
    env.registerOperator(`${a} / ${b}`, (x: unknown, y: unknown) => number(x) / number(y));
    if (a === 'double') env.registerOperator('double == int', (x: unknown, y: unknown) => number(x) === number(y));
  }
  env.registerFunction('round(double): double', (x: number) => Math.round(x));
  env.registerFunction('floor(double): double', (x: number) => Math.floor(x));
  env.registerFunction('abs(double): double', (x: number) => Math.abs(x));
  env.registerFunction('hours(double): double', (seconds: number) => Math.floor(seconds / 3600));
  env.registerFunction('min(double, double): double', (x: number, y: number) => Math.min(x, y));
  env.registerFunction('max(double, double): double', (x: number, y: number) => Math.max(x, y));
  env.registerFunction('alarm(string): bool', (rule: string) => asking.active.has(rule));
  return env;
}

function complainCel(
  error: CelError & { known?: string[] },
  { text, path, offset = 0 }: Wanted,
  names: Names,
  complain: Complain,
): undefined {
  const range =
    error.range === undefined ? {} : { range: { start: error.range.start + offset, end: error.range.end + offset } };
  const given = error.range === undefined ? '' : text.slice(error.range.start, error.range.end);
  if (error.code === 'unknown_variable' || error.code === 'unknown_field') {
    const known = error.known ?? names.words();
    const params = {
      given,
      known: known.slice(0, 12).join(' '),
      ...hints(nearest(given, error.known ?? names.allWords())),
    };
    return void complain('rules.unknown_name', path, params, range);
  }
  if (error.code === 'reserved_name') return void complain('rules.reserved', path, { given: error.message });
  const detail = (error.message ?? 'invalid').split('\n')[0] ?? '';
  return void complain('rules.expression', path, { detail, ...slip(text, given) }, range);
}
