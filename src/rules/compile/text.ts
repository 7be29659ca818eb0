/** The text of a rule: a template whose `{expression}` parts become typed values when the alarm is raised. */
import type { DataClass } from '../../base/data-class.ts';
import type { Path } from '../../base/problem.ts';
import type { Complain } from '../language/fields.ts';
import type { Expression, Expressions } from './expression.ts';
import type { Names } from './names.ts';

export interface TextPart {
  /** name of the value in the alarm; ASCII */
  readonly name: string;
  readonly expression: Expression;
}

export interface CompiledText {
  /** `水位 {level} 米`, each name one of the parts */
  readonly template: string;
  readonly parts: readonly TextPart[];
  /** of the parts that are not of class none */
  readonly classes: Readonly<Record<string, DataClass>>;
}

export function compileText(
  text: string,
  path: Path,
  expressions: Expressions,
  names: Names,
  complain: Complain,
): Omit<CompiledText, 'classes'> | undefined {
  const parts: TextPart[] = [];
  let template = '';
  let rest = 0;
  for (;;) {
    const open = text.indexOf('{', rest);
    if (open < 0) break;
    const close = text.indexOf('}', open);
    if (close < 0) {
      complain('rules.bad_text', path, {}, { range: { start: open, end: text.length } });
      return undefined;
    }
    const inner = text.slice(open + 1, close);
    const expression = expressions.compile({ text: inner, path, offset: open + 1 }, names, complain);
    if (expression === undefined) return undefined;
    const name = isName(inner) ? inner : `v${parts.length + 1}`;
    if (!parts.some((p) => p.name === name)) parts.push({ name, expression });
    template += `${text.slice(rest, open)}{${name}}`;
    rest = close + 1;
  }
  return { template: template + text.slice(rest), parts };
}

function isName(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const fits = (c >= 97 && c <= 122) || (c >= 48 && c <= 57) || c === 95 || c === 46;
    if (!fits) return false;
  }
  return text !== '';
}
