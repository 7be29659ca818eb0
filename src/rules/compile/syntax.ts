/** The syntax tree of an expression, as far as rules look into it. */

export type Ast = { readonly op: string; readonly args: unknown; readonly start: number; readonly end: number };

export interface AstId {
  readonly name: string;
  readonly field?: string;
  readonly at: Ast;
}

const COMPREHENSIONS = ['all', 'exists', 'exists_one', 'map', 'filter'];

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

/** Every name, and every `name.field`. */
export function idsIn(ast: Ast): AstId[] {
  if (ast.op === 'id') return [{ name: String(ast.args), at: ast }];
  const args = ast.args as unknown[];
  const [object, field] = Array.isArray(args) ? args : [];
  if (ast.op === '.' && isAst(object) && object.op === 'id')
    return [{ name: String(object.args), field: String(field), at: ast }];
  return children(ast).flatMap(idsIn);
}

const called = (ast: Ast): string =>
  ast.op === 'call' || ast.op === 'rcall' ? String((ast.args as unknown[])[0]) : ast.op;

export function bannedIn(ast: Ast, inside: boolean): { what: string; at: Ast } | undefined {
  const name = called(ast);
  if (name === 'matches') return { what: 'matches', at: ast };
  const comprehension = COMPREHENSIONS.includes(name);
  if (comprehension && inside) return { what: 'nested all/exists/map/filter', at: ast };
  for (const child of children(ast)) {
    const found = bannedIn(child, inside || comprehension);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Names in alarm("…"). */
export function alarmsIn(ast: Ast): string[] {
  const inner = children(ast);
  const own = called(ast) === 'alarm' && ast.op === 'call' ? inner.filter((a) => a.op === 'value') : [];
  return [...own.map((a) => String(a.args)), ...inner.flatMap(alarmsIn)];
}

/** `7/2` of two whole numbers is 3. */
export function intDivision(ast: Ast): Ast | undefined {
  const [a, b] = children(ast);
  const isWhole = (x: Ast | undefined): boolean => x?.op === 'value' && typeof x.args === 'bigint';
  if (ast.op === '/' && isWhole(a) && isWhole(b)) return ast;
  for (const child of children(ast)) {
    const found = intDivision(child);
    if (found !== undefined) return found;
  }
  return undefined;
}
