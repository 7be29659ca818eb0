/**
 * A problem found in configuration: what, where (as a path in a document), and what would be right. Positions are resolved by whoever holds
 * the document, so that rules and drivers can report problems without knowing YAML.
 */
import type { ErrorCode } from './errors/index.ts';
import type { Params } from './text.ts';

export type Path = readonly (string | number)[];

export interface Problem {
  readonly code: ErrorCode;
  readonly params: Params;
  /** file the path is in, relative to the configuration folder; the loader fills it in for its own files */
  readonly file?: string;
  /** index of the document in a file of several */
  readonly doc?: number;
  readonly path: Path;
  /** point at the key rather than the value */
  readonly atKey?: boolean;
  /** offset and length inside the scalar at `path`, for expressions */
  readonly range?: { readonly start: number; readonly end: number };
  readonly severity: 'error' | 'warning';
}

/** A problem with its place found: 1-based line and column. */
export interface LocatedProblem extends Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}
