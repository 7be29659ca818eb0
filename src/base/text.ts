/** Two-language texts. A sentence is written once in each language; `{name}` is replaced by the parameter of that name. */
export type Lang = 'zh' | 'en';

export interface Text {
  readonly zh: string;
  readonly en: string;
}

export type Params = Readonly<Record<string, string | number | boolean | undefined>>;

/** Fills `{name}` in a template; a name without a parameter stays as it is, so that a mistake shows. */
export function fill(template: string, params: Params): string {
  return fillWith(template, (name) => {
    const value = params[name];
    return value === undefined ? `{${name}}` : String(value);
  });
}

/** Replaces each `{name}` by what `tell` says of it; a brace without its partner is text. */
export function fillWith(template: string, tell: (name: string) => string): string {
  let out = '';
  let rest = 0;
  for (;;) {
    const open = template.indexOf('{', rest);
    const close = open < 0 ? -1 : template.indexOf('}', open);
    if (close < 0) return out + template.slice(rest);
    out += template.slice(rest, open) + tell(template.slice(open + 1, close));
    rest = close + 1;
  }
}

export function say(text: Text, lang: Lang, params: Params = {}): string {
  return fill(text[lang], params);
}

/** Text as people write it: no half characters, no control characters but the end of a line and a tab. */
export function isPlainText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const isControl = c < 0x20 || (c >= 0x7f && c < 0xa0);
    if (isControl && c !== TAB && c !== LINE_FEED && c !== RETURN) return false;
  }
  return text.isWellFormed();
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
