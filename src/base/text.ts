/** Two-language texts. A sentence is written once in each language; `{name}` is replaced by the parameter of that name. */
export type Lang = 'zh' | 'en';

export interface Text {
  readonly zh: string;
  readonly en: string;
}

export type Params = Readonly<Record<string, string | number | boolean | undefined>>;

/** Fills `{name}` in a template; a name without a parameter stays as it is, so that a mistake shows. */
export function fill(template: string, params: Params): string {
  let out = '';
  let rest = 0;
  for (;;) {
    const open = template.indexOf('{', rest);
    const close = open < 0 ? -1 : template.indexOf('}', open);
    if (close < 0) return out + template.slice(rest);
    const value = params[template.slice(open + 1, close)];
    out += template.slice(rest, open) + (value === undefined ? template.slice(open, close + 1) : String(value));
    rest = close + 1;
  }
}

export function say(text: Text, lang: Lang, params: Params = {}): string {
  return fill(text[lang], params);
}
