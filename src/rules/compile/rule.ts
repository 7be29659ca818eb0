/** One instance of a `rule` document. */
import { createHash } from 'node:crypto';
import type { DataClass } from '../../base/data-class.ts';
import type { Path } from '../../base/problem.ts';
import type { Complain } from '../language/fields.ts';
import type { RuleSpec } from '../language/rule.ts';
import { type ClassOf, classifier } from './classes.ts';
import type { Expression } from './expression.ts';
import { checkPeople, compileActions } from './output.ts';
import type { Scope } from './select.ts';
import { sourcesOf } from './sources.ts';
import { compileText, type TextPart } from './text.ts';
import { parseSpan, type Span } from './times.ts';
import { furnish, type PatternPart, type Room, type Workshop } from './unit.ts';
import type { RuleUnit } from './units.ts';

export function compileRule(spec: RuleSpec, scope: Scope, shop: Workshop, complain: Complain): RuleUnit | undefined {
  const room = furnish(scope, shop, complain, spec);
  if (room === undefined) return undefined;
  const condition = (key: 'when' | 'clear' | 'unless'): Expression | undefined | 'wrong' => {
    const text = spec[key];
    if (text === undefined) return undefined;
    return shop.expressions.compile({ text, path: [key], types: ['bool'] }, room.names, complain) ?? 'wrong';
  };
  const when = condition('when');
  const clear = condition('clear');
  const unless = condition('unless');
  const level =
    typeof spec.level === 'string'
      ? spec.level
      : shop.expressions.compile(
          { text: spec.level.expression, path: ['level'], types: ['string'] },
          room.names,
          complain,
        );
  const text = compileText(spec.text, ['text'], shop.expressions, room.names, complain);
  const only = spansOf(spec.only, ['only'], shop, complain);
  const pattern = spec.pattern === undefined ? [] : patternOf(spec, scope, room, shop, complain);
  const wrong = [when, clear, unless].includes('wrong') || level === undefined || text === undefined;
  if (wrong || only === undefined || pattern === undefined) return undefined;
  const names = { windows: room.windows, parts: pattern.map((p) => p.name) };
  const does = compileActions(spec.do, names, scope, shop, complain);
  const undoes = compileActions(spec.undo, names, scope, shop, complain);
  const people = spec.escalate.every((s) => checkPeople(s.to, ['escalate'], shop, complain));
  if (does === undefined || undoes === undefined || !people) return undefined;
  const present = (key: 'when' | 'clear' | 'unless', e: Expression | undefined | 'wrong') =>
    e === undefined || e === 'wrong' ? {} : { [key]: e };
  return {
    kind: 'rule',
    key: `${spec.id}/${scope.id}`,
    id: scope.id,
    spec,
    meaning: meaningOf(spec),
    ...present('when', when),
    ...present('clear', clear),
    ...present('unless', unless),
    only,
    level,
    text: { ...text, classes: classesOf(text.parts, classifier(room, shop, pattern)) },
    ...(spec.pattern === undefined ? {} : { pattern }),
    do: does,
    undo: undoes,
    escalate: spec.escalate,
    windows: room.windows,
    fixed: room.fixed,
    ...(scope.thing === undefined ? {} : { device: scope.thing.id }),
    ...(scope.zone === undefined ? {} : { zone: scope.zone }),
  };
}

export function spansOf(
  words: readonly string[],
  path: Path,
  shop: Workshop,
  complain: Complain,
): readonly Span[] | undefined {
  const spans: Span[] = [];
  for (const given of words) {
    const span = shop.spans.get(given) ?? parseSpan(given);
    if (span === undefined) {
      complain('rules.bad_span_text', path, { given });
      return undefined;
    }
    spans.push(span);
  }
  return spans;
}

function patternOf(
  spec: RuleSpec,
  scope: Scope,
  room: Room,
  shop: Workshop,
  complain: Complain,
): PatternPart[] | undefined {
  const parts: PatternPart[] = [];
  for (const [i, { name, source }] of (spec.pattern?.parts ?? []).entries()) {
    const path: Path = spec.pattern?.inOrder === true ? ['then', i] : ['together', name];
    const windows = room.windows.map((w) => w.spec.name);
    const sources = sourcesOf({ text: source, path, windows }, scope, shop, complain);
    if (sources === undefined) return undefined;
    parts.push({ name, sources });
  }
  return parts;
}

function classesOf(parts: readonly TextPart[], classOf: ClassOf): Record<string, DataClass> {
  const all = parts.map(({ name, expression }) => [name, classOf(expression)] as const);
  return Object.fromEntries(all.filter(([, of]) => of !== 'none'));
}

function meaningOf(spec: RuleSpec): string {
  const { when, forMs, keepMs, clear, unknown, windows, pattern, only, lets } = spec;
  const decides = [when ?? null, forMs, keepMs, clear ?? null, unknown, windows, pattern ?? null, only, lets];
  return createHash('sha256').update(JSON.stringify(decides)).digest('hex').slice(0, 12);
}
