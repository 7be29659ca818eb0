/** Collects problems while a configuration is built; paths are absolute in weinao.yaml. */
import type { ErrorCode } from '../base/errors/index.ts';
import { isId } from '../base/ids.ts';
import type { Path, Problem } from '../base/problem.ts';
import { hints, nearest } from '../base/suggest.ts';
import type { Params } from '../base/text.ts';

/** `file:line:column` of a path, for messages that name another place */
export type Where = (path: readonly (string | number)[]) => string;

/** the names written in a section */
export type Names = (section: string) => readonly string[];

export interface Report {
  readonly problems: Problem[];
  add(code: ErrorCode, path: Path, params?: Params, atKey?: boolean): void;
  /** a reference to something that must exist */
  known(
    path: Path,
    given: string,
    words: Iterable<string>,
    what: { readonly zh: string; readonly en: string },
    atKey?: boolean,
  ): boolean;
  id(path: Path, given: string): void;
}

const MOST_NAMED = 12;

export function createReport(): Report {
  const problems: Problem[] = [];
  const add: Report['add'] = (code, path, params = {}, atKey = false) =>
    void problems.push({ code, params, path, atKey, severity: 'error' });
  return {
    problems,
    add,
    known: (path, given, words, what, atKey) => {
      const all = [...new Set(words)];
      if (all.includes(given)) return true;
      const known = all.length > MOST_NAMED ? `${all.slice(0, MOST_NAMED).join(' ')} …` : all.join(' ');
      const params = {
        what_zh: what.zh,
        what_en: what.en,
        given,
        known,
        ...hints(nearest(given, all)),
      };
      add('config.unknown_ref', path, params, atKey);
      return false;
    },
    id: (path, given) => {
      if (!isId(given)) add('config.bad_id', path, { given }, true);
    },
  };
}
