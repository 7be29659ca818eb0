/** One rule document as data, checked key by key. What the language has but this version does not is refused by name, never ignored. */
import type { ErrorCode } from '../base/errors/index.ts';
import { LEVELS, type Level } from '../base/event.ts';
import { isId } from '../base/ids.ts';
import type { RuleDocument } from '../base/model.ts';
import type { Path, Problem } from '../base/problem.ts';
import { hints, nearest } from '../base/suggest.ts';
import type { Params } from '../base/text.ts';
import { parseDuration } from '../base/time.ts';

const KEYS = [
  'rule',
  'name',
  'theme',
  'each',
  'when',
  'for',
  'keep',
  'clear',
  'level',
  'text',
  'act',
  'unknown',
] as const;
const LATER = [
  'with',
  'together',
  'then',
  'within',
  'only',
  'unless',
  'do',
  'undo',
  'escalate',
  'latch',
  'rearm',
  'flap',
  'shelve',
  'let',
  'mode',
  'tests',
  'point',
  'control',
  'form',
  'site',
];
export const SELECTORS = ['type', 'in', 'tag', 'zone', 'device'] as const;
const UNKNOWN = ['hold', 'true', 'false', 'pause'] as const;
const THEMES = ['elder', 'fire', 'health', 'crowd', 'security', 'energy', 'comfort'] as const;

export type UnknownPolicy = (typeof UNKNOWN)[number];
export type Selector = Readonly<Partial<Record<(typeof SELECTORS)[number], readonly string[]>>>;

export interface RuleSpec {
  readonly document: RuleDocument;
  readonly id: string;
  readonly name: string;
  readonly theme?: string;
  readonly each?: Selector;
  readonly when: string;
  readonly forMs: number;
  readonly keepMs: number;
  readonly clear?: string;
  /** a level, or an expression that gives one */
  readonly level: Level | { readonly expression: string };
  readonly text: string;
  readonly act?: string;
  readonly unknown: UnknownPolicy;
}

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

export function readSpec(document: RuleDocument, complain: Complain): RuleSpec | undefined {
  const body = document.body;
  let ok = true;
  const wrong: Complain = (...args) => {
    ok = false;
    complain(...args);
  };
  for (const key of Object.keys(body)) checkKey(key, wrong);
  const text = (key: string, needed: boolean): string | undefined => readText(body, key, needed, wrong);
  const duration = (key: string): number => readDuration(body, key, wrong);
  const id = text('rule', true) ?? '';
  if (id !== '' && !isId(id)) wrong('rules.bad_id', ['rule'], { given: id });
  const level = readLevel(text('level', true), wrong);
  const clear = text('clear', false);
  const act = text('act', false);
  const theme = choice(body, 'theme', THEMES, wrong);
  const each = readEach(body.each, wrong);
  const spec = {
    document,
    id,
    name: text('name', false) ?? id,
    ...(theme === undefined ? {} : { theme }),
    ...(each === undefined ? {} : { each }),
    when: text('when', true) ?? '',
    forMs: duration('for'),
    keepMs: duration('keep'),
    ...(clear === undefined ? {} : { clear }),
    level: level ?? 'yellow',
    text: text('text', false) ?? '',
    ...(act === undefined ? {} : { act }),
    unknown: choice(body, 'unknown', UNKNOWN, wrong) ?? 'hold',
  } satisfies RuleSpec;
  if ((spec.level === 'red' || spec.level === 'orange') && act === undefined) wrong('rules.no_act', ['level']);
  return ok ? spec : undefined;
}

function checkKey(key: string, wrong: Complain): void {
  const keys = KEYS.join(' ');
  if ((KEYS as readonly string[]).includes(key)) return;
  if (LATER.includes(key)) wrong('rules.later', [key], { key, keys }, { atKey: true });
  else wrong('rules.unknown_key', [key], { key, keys, ...hints(nearest(key, KEYS)) }, { atKey: true });
}

function readText(body: RuleDocument['body'], key: string, needed: boolean, wrong: Complain): string | undefined {
  const value = body[key];
  if (value === undefined) {
    if (needed) wrong('rules.missing', [], { key });
    return undefined;
  }
  // `unknown: true` and `when: true` are booleans in YAML
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (typeof value === 'string' && value.length > 0 && value.length <= 2000) return value;
  wrong('rules.wrong_type', [key], { key, zh: '文字（至多 2000 字）', en: 'text of at most 2000 characters' });
  return undefined;
}

function readDuration(body: RuleDocument['body'], key: string, wrong: Complain): number {
  const value = body[key];
  if (value === undefined) return 0;
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  if (ms === undefined) wrong('rules.bad_duration', [key], { given: String(value) });
  return ms ?? 0;
}

function choice<T extends string>(
  body: RuleDocument['body'],
  key: string,
  choices: readonly T[],
  wrong: Complain,
): T | undefined {
  const value = body[key];
  if (value === undefined) return undefined;
  const found = choices.find((c) => c === String(value));
  if (found === undefined)
    wrong('rules.bad_choice', [key], { given: String(value).slice(0, 60), choices: choices.join(' ') });
  return found;
}

/** A bare word must be a level; anything longer is an expression. */
function readLevel(text: string | undefined, wrong: Complain): RuleSpec['level'] | undefined {
  if (text === undefined) return undefined;
  const level = LEVELS.find((l) => l === text);
  if (level !== undefined) return level;
  if (text.includes('"') || text.includes("'")) return { expression: text };
  wrong('rules.bad_choice', ['level'], { given: text.slice(0, 60), choices: LEVELS.join(' ') });
  return undefined;
}

function readEach(value: unknown, wrong: Complain): Selector | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    wrong('rules.wrong_type', ['each'], {
      key: 'each',
      zh: '映射，例如 {type: smoke}',
      en: 'a mapping such as {type: smoke}',
    });
    return undefined;
  }
  const selector: Record<string, readonly string[]> = {};
  for (const [key, given] of Object.entries(value)) {
    const words = (Array.isArray(given) ? given : [given]).filter((w): w is string => typeof w === 'string');
    if (key === 'near') wrong('rules.later', ['each', key], { key, keys: SELECTORS.join(' ') }, { atKey: true });
    else if (!(SELECTORS as readonly string[]).includes(key))
      wrong(
        'rules.unknown_key',
        ['each', key],
        { key, keys: SELECTORS.join(' '), ...hints(nearest(key, SELECTORS)) },
        { atKey: true },
      );
    else if (words.length === 0) wrong('rules.wrong_type', ['each', key], { key, zh: '文字', en: 'text' });
    else selector[key] = words;
  }
  return selector;
}
