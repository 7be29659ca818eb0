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
