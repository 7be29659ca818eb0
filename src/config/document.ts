/**
 * A YAML file with positions: every value can be traced back to its line and column. Bounds: MAX_BYTES of text, MAX_ALIASES aliases, MAX_DEPTH
 * brackets. Whatever
 * the bytes, the outcome is documents or problems, never an exception.
 */
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseAllDocuments } from 'yaml';
import type { LocatedProblem, Path, Problem } from '../base/problem.ts';

export const MAX_BYTES = 1024 * 1024;
const MAX_ALIASES = 20;
const MAX_DEPTH = 64;
const MAX_DOCUMENTS = 500;

export interface Source {
  readonly file: string;
  readonly text: string;
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
  /** data of each document; undefined where it had errors */
  readonly data: readonly unknown[];
}

type YamlError = Document.Parsed['errors'][number];

export function parseSource(file: string, text: string): { source: Source; problems: LocatedProblem[] } {
  const lines = new LineCounter();
  const problems: LocatedProblem[] = [];
  let documents: Document.Parsed[] = [];
  const deep = tooDeep(text);
  if (deep !== undefined) {
    const before = text.slice(0, deep).split('\n');
    const where = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    problems.push({ ...at(file, lines, 0, 'config.yaml', { detail: `nested deeper than ${MAX_DEPTH}` }), ...where });
    return { source: { file, text, documents, lines, data: [] }, problems };
  }
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: true,
      version: '1.2',
    });
    documents = (Array.isArray(parsed) ? parsed : []).slice(0, MAX_DOCUMENTS) as Document.Parsed[];
  } catch (error) {
    problems.push(
      at(file, lines, 0, 'config.yaml', { detail: error instanceof RangeError ? 'nested too deeply' : String(error) }),
    );
  }
  const data = documents.map((document) => {
    problems.push(...yamlProblems(file, lines, document.errors, text));
    if (document.errors.length > 0) return undefined;
    try {
      return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
    } catch {
      problems.push(at(file, lines, 0, 'config.aliases', {}));
      return undefined;
    }
  });
  return { source: { file, text, documents, lines, data }, problems };
}

/**
 * Where brackets stand deeper than anybody writes them; undefined when nowhere. Looked for beforehand: the parser goes down by recursion, and where its
 * stack ends depends on the machine.
 */
function tooDeep(text: string): number | undefined {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '[' || c === '{') depth++;
    else if ((c === ']' || c === '}') && depth > 0) depth--;
    if (depth > MAX_DEPTH) return i;
  }
  return undefined;
}

function at(
  file: string,
  lines: LineCounter,
  offset: number,
  code: Problem['code'],
  params: Problem['params'],
): LocatedProblem {
  const pos = lines.linePos(offset);
  return { code, params, file, path: [], severity: 'error', line: Math.max(1, pos.line), column: Math.max(1, pos.col) };
}

/** One syntax error of a kind is told: those behind it mostly follow from it. */
function yamlProblems(file: string, lines: LineCounter, errors: readonly YamlError[], text: string): LocatedProblem[] {
  const told = new Set<string>();
  return errors
    .map((error) => yamlProblem(file, lines, error, text))
    .filter((p) => {
      const again = p.code !== 'config.duplicate_key' && (told.has(p.code) || told.has('config.tab'));
      told.add(p.code);
      return !again;
    });
}

function yamlProblem(file: string, lines: LineCounter, error: YamlError, text: string): LocatedProblem {
  const offset = error.pos[0];
  if (error.code === 'TAB_AS_INDENT') return at(file, lines, offset, 'config.tab', {});
  if (error.code === 'DUPLICATE_KEY')
    return at(file, lines, offset, 'config.duplicate_key', { key: wordAt(text, offset) });
  return at(file, lines, offset, 'config.yaml', { detail: error.message });
}

function wordAt(text: string, offset: number): string {
  let end = offset;
  while (end < text.length && end < offset + 64 && !':,}\n '.includes(text[end] ?? '')) end++;
  return text.slice(offset, end);
}

/** Line and column of a problem's path: the value, the key, or the nearest thing above it that exists. */
export function locateIn(source: Source, problem: Problem): LocatedProblem {
  const document = source.documents[problem.doc ?? 0];
  const found = document === undefined ? undefined : find(document.contents, problem.path, problem.atKey === true);
  let offset = found?.range?.[0] ?? 0;
  if (problem.range !== undefined && isScalar(found)) offset += scalarHead(found) + problem.range.start;
  const pos = source.lines.linePos(offset);
  return { ...problem, file: source.file, line: Math.max(1, pos.line), column: Math.max(1, pos.col) };
}

/** A quoted scalar's text begins behind its quote. */
function scalarHead(node: { type?: string | undefined | null }): number {
  return node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0;
}

function find(root: Node | null, path: Path, atKey: boolean): Node | undefined {
  let node: Node | null | undefined = root;
  let best: Node | undefined = root ?? undefined;
  for (const [i, step] of path.entries()) {
    const last = i === path.length - 1;
    if (isMap(node)) {
      const pair: Pair<Node, Node | null> | undefined = (node.items as Pair<Node, Node | null>[]).find(
        (p) => isScalar(p.key) && String(p.key.value) === String(step),
      );
      if (pair === undefined) return best;
      best = pair.key;
      node = pair.value;
      if (last && (atKey || node === null)) return best;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)] as Node | undefined;
      if (item === undefined) return best;
      best = item;
      node = item;
    } else return best;
  }
  return node ?? best;
}
