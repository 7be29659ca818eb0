/** A `rule` document as data, checked key by key. */
import { THEMES } from '../../base/alarm.ts';
import { LEVELS, type Level } from '../../base/event.ts';
import { isId } from '../../base/ids.ts';
import type { RuleDocument } from '../../base/model.ts';
import type { Value } from '../../base/reading.ts';
import { parseDuration } from '../../base/time.ts';
import { type EscalationStep, type ReadAction, readActions } from './action.ts';
import { type Fields, isValue } from './fields.ts';
import { readSelector, type Selector } from './selector.ts';
import { readWindows, type WindowSpec } from './window.ts';

export const RULE_KEYS = [
  'rule',
  'name',
  'theme',
  'each',
  'when',
  'for',
  'keep',
  'clear',
  'with',
  'together',
  'then',
  'within',
  'only',
  'unless',
  'unknown',
  'level',
  'text',
  'act',
  'do',
  'undo',
  'escalate',
  'until',
  'latch',
  'rearm',
  'flap',
  'shelve',
  'let',
  'mode',
  'tests',
] as const;
export const UNKNOWN = ['hold', 'true', 'false', 'pause'] as const;
export const MODES = ['live', 'shadow', 'off'] as const;
const SHELVE = 8 * 3_600_000;
/** how long a match stands as a condition, when the rule does not say */
const MATCH_KEEP = 60_000;

export type UnknownPolicy = (typeof UNKNOWN)[number];
export type Mode = (typeof MODES)[number];
export type Lets = Readonly<Record<string, Value>>;

/** Several happenings that belong together. */
export interface PatternSpec {
  readonly inOrder: boolean;
  readonly parts: readonly { readonly name: string; readonly source: string }[];
  readonly withinMs: number;
}

export interface FlapSpec {
  readonly moreThan: number;
  readonly overMs: number;
  readonly settleMs: number;
}

export interface RuleSpec {
  readonly document: RuleDocument;
  readonly id: string;
  readonly name: string;
  readonly theme?: string;
  readonly each?: Selector;
  /** absent for a rule that has only a pattern */
  readonly when?: string;
  readonly forMs: number;
  readonly keepMs: number;
  readonly clear?: string;
  readonly windows: readonly WindowSpec[];
  readonly pattern?: PatternSpec;
  readonly only: readonly string[];
  readonly unless?: string;
  readonly unknown: UnknownPolicy;
  /** a level, or an expression that gives one */
  readonly level: Level | { readonly expression: string };
  readonly text: string;
  readonly act?: string;
  readonly do: readonly ReadAction[];
  readonly undo: readonly ReadAction[];
  readonly escalate: readonly EscalationStep[];
  /** escalation goes on after an acknowledgement, until the condition clears */
  readonly untilClear: boolean;
  readonly latch: boolean;
  readonly rearmMs: number;
  readonly flap?: FlapSpec;
  /** longest shelving, ms; undefined = never */
  readonly shelveMs?: number;
  readonly lets: Lets;
  readonly mode: Mode;
}

export function readRule(fields: Fields, document: RuleDocument): RuleSpec | undefined {
  fields.only(RULE_KEYS);
  const id = fields.text('rule', true) ?? '';
  if (id !== '' && !isId(id)) fields.wrong('rules.bad_id', ['rule'], { given: id });
  const pattern = readPattern(fields);
  const when = fields.text('when', pattern === undefined);
  const shelveMs = readShelve(fields);
  const spec: RuleSpec = {
    document,
    id,
    name: fields.text('name') ?? id,
    ...present('theme', fields.choice('theme', THEMES)),
    ...present('each', readSelector(fields.object('each', '{type: smoke}'))),
    ...present('when', when),
    forMs: fields.duration('for') ?? 0,
    keepMs: fields.duration('keep') ?? (pattern === undefined ? 0 : MATCH_KEEP),
    ...present('clear', fields.text('clear')),
    windows: readWindows(fields.object('with', '{high: {max: level, over: 1h}}')),
    ...present('pattern', pattern),
    only: fields.words('only') ?? [],
    ...present('unless', fields.text('unless')),
    unknown: fields.choice('unknown', UNKNOWN) ?? 'hold',
    level: readLevel(fields) ?? 'yellow',
    text: fields.text('text') ?? '',
    ...present('act', fields.text('act')),
    do: readActions(fields, 'do'),
    undo: readActions(fields, 'undo'),
    escalate: readEscalation(fields),
    untilClear: fields.choice('until', ['ack', 'clear']) === 'clear',
    latch: fields.flag('latch') ?? false,
    rearmMs: fields.duration('rearm') ?? 0,
    ...present('flap', readFlap(fields)),
    ...present('shelveMs', shelveMs),
    lets: readLets(fields),
    mode: fields.choice('mode', MODES) ?? 'live',
  };
  if ((spec.level === 'red' || spec.level === 'orange') && spec.act === undefined)
    fields.wrong('rules.no_act', ['level']);
  return fields.ok ? spec : undefined;
}

function present<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: T };
}

/** A bare word must be a level; anything longer is an expression. */
function readLevel(fields: Fields): RuleSpec['level'] | undefined {
  const text = fields.text('level', true);
  if (text === undefined) return undefined;
  const level = LEVELS.find((l) => l === text);
  if (level !== undefined) return level;
  if (text.includes('"') || text.includes("'")) return { expression: text };
  return fields.wrong('rules.bad_choice', ['level'], { given: text.slice(0, 60), choices: LEVELS.join(' ') });
}

function readPattern(fields: Fields): PatternSpec | undefined {
  if (!fields.has('together') && !fields.has('then')) {
    if (fields.has('within')) fields.wrong('rules.missing', [], { key: 'together | then' });
    return undefined;
  }
  const withinMs = fields.duration('within');
  if (withinMs === undefined) return fields.wrong('rules.missing', [], { key: 'within' });
  const together = fields.object('together', '{cross: camera.line_cross, beam: beam.broken}');
  if (together === undefined) {
    const words = fields.words('then') ?? [];
    const parts = words.map((source) => ({ name: source.replaceAll('.', '_'), source }));
    return parts.length < 2 ? fields.wrong('rules.few_parts', ['then']) : { inOrder: true, parts, withinMs };
  }
  const parts = together.entries().map(([name]) => ({ name, source: together.text(name) ?? '' }));
  return parts.length < 2 ? fields.wrong('rules.few_parts', ['together']) : { inOrder: false, parts, withinMs };
}

function readEscalation(fields: Fields): EscalationStep[] {
  const steps = fields.object('escalate', '{0s: duty, 5m: property}');
  if (steps === undefined) return [];
  const read = steps.entries().flatMap(([key]) => {
    const afterMs = parseDuration(key);
    const to = steps.words(key);
    if (afterMs === undefined) steps.wrong('rules.bad_duration', [key], { given: key }, { atKey: true });
    return afterMs === undefined || to === undefined ? [] : [{ afterMs, to }];
  });
  return read.sort((a, b) => a.afterMs - b.afterMs);
}

function readFlap(fields: Fields): FlapSpec | undefined {
  const flap = fields.object('flap', '{more_than: 6, over: 10m, settle: 15m}');
  if (flap === undefined) return undefined;
  flap.only(['more_than', 'over', 'settle']);
  const moreThan = flap.number('more_than');
  const overMs = flap.duration('over');
  const settleMs = flap.duration('settle');
  if (moreThan === undefined || overMs === undefined || settleMs === undefined || moreThan < 2 || moreThan > 1000)
    return flap.ok ? flap.wrong('rules.missing', [], { key: 'more_than, over, settle' }) : undefined;
  return { moreThan, overMs, settleMs };
}

function readShelve(fields: Fields): number | undefined {
  if (fields.body.shelve === 'never') return undefined;
  return fields.duration('shelve') ?? SHELVE;
}

export function readLets(fields: Fields): Lets {
  const lets = fields.object('let', '{limit: 80}');
  if (lets === undefined) return {};
  const read: Record<string, Value> = {};
  for (const [name, value] of lets.entries()) {
    if (!isId(name)) lets.wrong('rules.bad_id', [name], { given: name }, { atKey: true });
    else if (isValue(value)) read[name] = value;
    else
      lets.wrong('rules.wrong_type', [name], {
        key: name,
        zh: '数字、文字或 true/false',
        en: 'a number, text or true/false',
      });
  }
  return read;
}
