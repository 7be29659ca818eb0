/** What zod found, in our words: one problem per issue, with the path of the thing to change and, for slips, a guess. */
import type { z } from 'zod';
import { ERRORS, type ErrorCode } from '../base/errors/index.ts';
import type { Path, Problem } from '../base/problem.ts';
import { hints, nearest } from '../base/suggest.ts';
import type { Params } from '../base/text.ts';
import { suggestUnit } from '../base/units.ts';

type Issue = z.core.$ZodIssue;
type Def = {
  readonly type: string;
  readonly shape?: Record<string, Schema>;
  readonly valueType?: Schema;
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly element?: Schema;
  readonly options?: readonly Schema[];
};
type Schema = { readonly _zod: { readonly def: Def } };

/** @param also keys that may stand beside those of the schema's top level (a device's common ones) */
export function problemsOf(
  issues: readonly Issue[],
  data: unknown,
  schema: z.ZodType,
  base: Path = [],
  also: readonly string[] = [],
): Problem[] {
  return issues.flatMap((issue) =>
    one(issue, data, schema as unknown as Schema, also).map((p) => ({ ...p, path: [...base, ...p.path] })),
  );
}

function one(issue: Issue, data: unknown, schema: Schema, also: readonly string[]): Problem[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const given = dig(data, path);
  const problem = (code: ErrorCode, params: Params, at: Path = path, atKey = false): Problem => ({
    code,
    params,
    path: at,
    atKey,
    severity: 'error',
  });
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const known = [...keysAt(schema, path), ...(path.length === 0 ? also : [])];
        return problem(
          'config.unknown_key',
          { key, keys: known.join(' '), ...hints(nearest(key, known)) },
          [...path, key],
          true,
        );
      });
    case 'invalid_type':
      if (given === undefined)
        return [problem('config.missing', { key: String(path.at(-1) ?? '') }, path.slice(0, -1), true)];
      if (issue.expected === 'int' && typeof given === 'number')
        return [problem('config.not_whole', { given: show(given) })];
      return [wrongType(issue.expected, given, schema, path, problem)];
    case 'invalid_value':
      if (given === undefined)
        return [problem('config.missing', { key: String(path.at(-1) ?? '') }, path.slice(0, -1), true)];
      return [problem('config.bad_choice', { given: show(given), choices: issue.values.map(String).join(' ') })];
    case 'too_small':
      return [problem('config.too_small', { given: show(given), limit: String(issue.minimum) })];
    case 'too_big':
      return [problem('config.too_large', { given: show(given), limit: String(issue.maximum) })];
    case 'invalid_union':
      return (
        union(issue.errors, given, data, schema, path, also) ?? [problem('config.invalid', { detail: show(given) })]
      );
    case 'custom':
      return [custom(issue.params, given, problem)];
    default:
      return [problem('config.invalid', { detail: show(given) })];
  }
}

/** Of several forms, what is wrong with the one that was meant: that of the given kind, a list or a word. */
function union(
  errors: readonly (readonly Issue[])[],
  given: unknown,
  data: unknown,
  schema: Schema,
  path: Path,
  also: readonly string[],
): Problem[] | undefined {
  const isMeant = (issues: readonly Issue[]): boolean =>
    !issues.some((i) => i.path.length === 0 && i.code === 'invalid_type') &&
    (typeof given === 'string' || issues.some((i) => i.path.length > 0 || i.code !== 'invalid_value'));
  const meant =
    errors.find(isMeant) ??
    errors.map((issues) => issues.filter((i) => i.code === 'invalid_type')).find((i) => i.length > 0);
  return meant?.flatMap((i) => one({ ...i, path: [...path, ...i.path] } as Issue, data, schema, also));
}

function wrongType(
  expected: string,
  given: unknown,
  schema: Schema,
  path: Path,
  problem: (code: ErrorCode, params: Params) => Problem,
): Problem {
  const example = describedAt(schema, path);
  const params = { expected, received: typeName(given), example: example ?? '' };
  return problem(example === undefined ? 'config.wrong_type' : 'config.wrong_form', params);
}

function custom(
  params: Record<string, unknown> | undefined,
  given: unknown,
  problem: (code: ErrorCode, params: Params) => Problem,
): Problem {
  const code = String(params?.code);
  if (!(code in ERRORS)) return problem('config.invalid', { detail: show(given) });
  const hint = code === 'config.bad_unit' ? hints(suggestUnit(show(given))) : {};
  return problem(code as ErrorCode, { given: show(given), ...(params as Params), ...hint });
}

/** The keys an object schema at a path would take. */
export function keysAt(schema: Schema, path: Path): string[] {
  let at: Schema | undefined = schema;
  for (const step of path) at = at === undefined ? undefined : child(at, step);
  const shape = at === undefined ? undefined : objectDef(at)?.shape;
  return shape === undefined ? [] : Object.keys(shape);
}

function describedAt(schema: Schema, path: Path): string | undefined {
  let at: Schema | undefined = schema;
  for (const step of path) at = at === undefined ? undefined : child(at, step);
  while (at !== undefined) {
    const { description } = at as { description?: string };
    if (description !== undefined) return description;
    at = at._zod.def.innerType;
  }
  return undefined;
}

function child(schema: Schema, step: string | number): Schema | undefined {
  const def = unwrap(schema)._zod.def;
  if (def.type === 'object') return def.shape?.[String(step)];
  if (def.type === 'record') return def.valueType;
  if (def.type === 'array') return def.element;
  return def.options?.map((o) => child(o, step)).find((s) => s !== undefined);
}

function objectDef(schema: Schema): Def | undefined {
  const def = unwrap(schema)._zod.def;
  if (def.type === 'object') return def;
  return def.options?.map(objectDef).find((d) => d !== undefined);
}

function unwrap(schema: Schema): Schema {
  const def = schema._zod.def;
  const inner = def.innerType ?? def.in;
  return inner === undefined ? schema : unwrap(inner);
}

function dig(data: unknown, path: Path): unknown {
  let at: unknown = data;
  for (const step of path)
    at = typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[step] : undefined;
  return at;
}

export function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
