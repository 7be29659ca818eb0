/** The keys of a rule document, read one by one: each is checked where it is read, and what is wrong is told with its path. */
import type { ErrorCode } from '../../base/errors/index.ts';
import type { RuleDocument } from '../../base/model.ts';
import type { Path, Problem } from '../../base/problem.ts';
import type { Value } from '../../base/reading.ts';
import { hints, nearest } from '../../base/suggest.ts';
import type { Params } from '../../base/text.ts';
import { parseDuration } from '../../base/time.ts';

const MAX_TEXT = 2000;
const MAX_LIST = 200;

export type Complain = (
  code: ErrorCode,
  path: Path,
  params?: Params,
  extra?: Pick<Problem, 'atKey' | 'range'> & { severity?: Problem['severity'] },
) => void;

export function complainer(document: RuleDocument, problems: Problem[]): Complain {
  return (code, path, params = {}, extra = {}) => {
    const { severity = 'error', ...rest } = extra;
    problems.push({ code, params, file: document.file, doc: document.doc, path, severity, ...rest });
  };
}

type Body = { readonly [key: string]: unknown };

export class Fields {
  readonly body: Body;
  readonly path: Path;
  private readonly complain: Complain;
  private readonly outcome: { failed: boolean };

  constructor(body: Body, path: Path, complain: Complain, outcome = { failed: false }) {
    this.body = body;
    this.path = path;
    this.complain = complain;
    this.outcome = outcome;
  }

  get ok(): boolean {
    return !this.outcome.failed;
  }

  wrong(code: ErrorCode, path: Path, params: Params = {}, extra: Parameters<Complain>[3] = {}): undefined {
    if (extra.severity !== 'warning') this.outcome.failed = true;
    this.complain(code, [...this.path, ...path], params, extra);
    return undefined;
  }

  /** Every other key is an error. */
  only(keys: readonly string[]): this {
    for (const key of Object.keys(this.body))
      if (!keys.includes(key))
        this.wrong(
          'rules.unknown_key',
          [key],
          { key, keys: keys.join(' '), ...hints(nearest(key, keys)) },
          { atKey: true },
        );
    return this;
  }

  has(key: string): boolean {
    return this.body[key] !== undefined;
  }

  text(key: string, needed = false): string | undefined {
    const value = this.body[key];
    if (value === undefined) return needed ? this.wrong('rules.missing', [], { key }) : undefined;
    // `unknown: true` and `when: true` are booleans in YAML
    if (typeof value === 'boolean' || typeof value === 'number') return String(value);
    if (typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT) return value;
    if (value === null || value === '')
      return this.wrong('rules.empty', [key], { key, hint_zh: NOT_TAG.zh, hint_en: NOT_TAG.en });
    return this.wrong('rules.wrong_type', [key], {
      key,
      zh: `文字（至多 ${MAX_TEXT} 字）`,
      en: `text of at most ${MAX_TEXT} characters`,
    });
  }

  duration(key: string): number | undefined {
    const value = this.body[key];
    if (value === undefined) return undefined;
    const ms = typeof value === 'string' ? parseDuration(value) : undefined;
    return ms ?? this.wrong('rules.bad_duration', [key], { given: String(value).slice(0, 60) });
  }

  number(key: string): number | undefined {
    const value = this.body[key];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return this.wrong('rules.wrong_type', [key], { key, zh: '数字', en: 'a number' });
  }

  flag(key: string): boolean | undefined {
    const value = this.body[key];
    if (value === undefined || typeof value === 'boolean') return value;
    return this.wrong('rules.wrong_type', [key], { key, zh: 'true 或 false', en: 'true or false' });
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const value = this.body[key];
    if (value === undefined) return undefined;
    const found = choices.find((c) => c === String(value));
    return (
      found ?? this.wrong('rules.bad_choice', [key], { given: String(value).slice(0, 60), choices: choices.join(' ') })
    );
  }

  /** a value a point can have */
  value(key: string): Value | undefined {
    const value = this.body[key];
    if (value === undefined) return undefined;
    return isValue(value)
      ? value
      : this.wrong('rules.wrong_type', [key], {
          key,
          zh: '数字、文字或 true/false',
          en: 'a number, text or true/false',
        });
  }

  /** one word or a list of them */
  words(key: string): readonly string[] | undefined {
    const value = this.body[key];
    if (value === undefined) return undefined;
    const all: unknown[] = Array.isArray(value) ? value.slice(0, MAX_LIST) : [value];
    const words = all.filter((w): w is string => typeof w === 'string' && w !== '');
    if (words.length === all.length && words.length > 0) return words;
    return this.wrong('rules.wrong_type', [key], { key, zh: '文字或文字的列表', en: 'text or a list of texts' });
  }

  object(key: string, example: string): Fields | undefined {
    const value = this.body[key];
    if (value === undefined) return undefined;
    return isBody(value) ? this.into(value, [key]) : this.wrongShape(key, example, false);
  }

  /** objects of a list */
  list(key: string, example: string): readonly Fields[] | undefined {
    const value = this.body[key];
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.length > MAX_LIST || !value.every(isBody))
      return this.wrongShape(key, example, true);
    return value.map((body: Body, i) => this.into(body, [key, i]));
  }

  entries(): readonly [string, unknown][] {
    return Object.entries(this.body);
  }

  into(body: Body, path: Path): Fields {
    return new Fields(body, [...this.path, ...path], this.complain, this.outcome);
  }

  private wrongShape(key: string, example: string, isList: boolean): undefined {
    return this.wrong('rules.wrong_type', [key], {
      key,
      zh: `${isList ? '列表' : '映射'}，例如 ${example}`,
      en: `${isList ? 'a list' : 'a mapping'} such as ${example}`,
    });
  }
}

/** `when: !open` is a YAML tag without a value. */
const NOT_TAG = {
  zh: '；YAML 把 ! 开头当作标签，请写 open == false 或加引号 "!open"',
  en: '; YAML takes a leading ! for a tag: write open == false, or quote it: "!open"',
};

export function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isValue(value: unknown): value is Value {
  return (
    typeof value === 'boolean' || typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))
  );
}
