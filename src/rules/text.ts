/** The text of a rule: a template whose `{expression}` parts become typed values when the alarm is raised. */
import type { SiteModel } from '../base/model.ts';
import { compileExpression, type Expression } from './expression.ts';
import type { Scope } from './select.ts';
import type { Complain } from './spec.ts';

export interface TextPart {
  /** name of the value in the alarm; ASCII */
  readonly name: string;
  readonly expression: Expression;
}

export interface CompiledText {
  /** `水位 {level} 米`, each name one of the parts */
  readonly template: string;
  readonly parts: readonly TextPart[];
}

export function compileText(text: string, scope: Scope, site: SiteModel, complain: Complain): CompiledText | undefined {
  const parts: TextPart[] = [];
  let template = '';
  let rest = 0;
  for (;;) {
    const open = text.indexOf('{', rest);
    if (open < 0) break;
    const close = text.indexOf('}', open);
    if (close < 0) {
      complain('rules.bad_text', ['text'], {}, { range: { start: open, end: text.length } });
      return undefined;
    }
    const inner = text.slice(open + 1, close);
    const types = ['double', 'int', 'bool', 'string'];
    const expression = compileExpression(
      { text: inner, path: ['text'], offset: open + 1, types },
      scope,
      site,
      complain,
    );
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
