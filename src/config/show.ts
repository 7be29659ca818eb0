/** A problem as one line: `weinao.yaml:9:11 devices.tank_1.unit: what is wrong; what would be right`. */
import { specOf } from '../base/errors/index.ts';
import type { LocatedProblem } from '../base/problem.ts';
import { type Lang, say } from '../base/text.ts';

export function showProblem(problem: LocatedProblem, lang: Lang): string {
  const spec = specOf(problem.code);
  const next = say(spec.next, lang, problem.params);
  const path = problem.path.length === 0 ? '' : ` ${problem.path.join('.')}`;
  const says = say(spec.says, lang, problem.params);
  // A question ("did you mean ...?") needs nothing between itself and the next step.
  const asks = says.endsWith('?') || says.endsWith('？');
  const between = next === '' ? '' : asks ? ' ' : lang === 'zh' ? '；' : '; ';
  return `${problem.file}:${problem.line}:${problem.column}${path}: ${says}${between}${next}`;
}

const MOST = 120;

/** The line a problem stands in, and a caret under its place. */
export function caret({ line, column }: LocatedProblem, text: string | undefined): string {
  const found = text?.split('\n')[line - 1];
  if (found === undefined || found.trim() === '') return '';
  // A long line is shown around the place.
  const from = Math.max(0, column - 1 - MOST / 2);
  const shown = found.slice(from, from + MOST);
  const before = found.slice(from, column - 1);
  // Chinese characters take two columns: the caret's line repeats their width.
  const pad = [...before].map((c) => (c.charCodeAt(0) > 0x2e7f ? '\u3000' : ' ')).join('');
  return `    ${shown}\n    ${pad}^\n`;
}
