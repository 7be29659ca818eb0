/**
 * Rule documents become units: one for each device, asset or place, every name bound, every expression checked. All documents of a site are one
 * rule set: it is taken whole, or not at all. Points that rules make come first, each after those it reads, so that one pass over the units in
 * order settles a step.
 */
import { createHash } from 'node:crypto';
import type { SiteModel } from '../../base/model.ts';
import type { Problem } from '../../base/problem.ts';
import { hints, nearest } from '../../base/suggest.ts';
import { type Complain, complainer, Fields } from '../language/fields.ts';
import { type FormSpec, readForm } from '../language/form.ts';
import { type ControlSpec, type PointSpec, readControl, readPoint } from '../language/point.ts';
import { type RuleSpec, readRule } from '../language/rule.ts';
import { compileControl } from './control.ts';
import { Expressions } from './expression.ts';
import { lint } from './lint.ts';
import { compilePoints } from './points.ts';
import { compileRule } from './rule.ts';
import { scopesOf } from './select.ts';
import { type Things, thingsOf } from './things.ts';
import { createTimes, needsSun, parseSpan, type Span } from './times.ts';
import type { Workshop } from './unit.ts';
import type { Unit } from './units.ts';

const MAX_UNITS = 20_000;
const MAIN = 'weinao.yaml';
const KINDS = ['rule', 'point', 'control', 'form', 'times'] as const;

export interface Compiled {
  readonly units: readonly Unit[];
  readonly shop: Workshop;
  readonly problems: readonly Problem[];
}

interface Read<T> {
  readonly spec: T;
  readonly complain: Complain;
}

export interface Documents {
  readonly rules: Read<RuleSpec>[];
  readonly points: Read<PointSpec>[];
  readonly controls: Read<ControlSpec>[];
  readonly forms: Map<string, FormSpec>;
  readonly spans: Map<string, Span>;
}

export function compileSet(site: SiteModel): Compiled {
  const problems: Problem[] = [];
  const documents = readAll(site, problems);
  const things: Things = thingsOf(site);
  const shop: Workshop = {
    site,
    things,
    expressions: new Expressions(),
    forms: documents.forms,
    times: createTimes(site.site),
    spans: documents.spans,
  };
  const units: Unit[] = compilePoints(documents.points, shop, problems);
  for (const { spec, complain } of documents.rules) {
    if (spec.mode === 'off') continue;
    each(spec, complain, (scope) => compileRule(spec, scope, shop, complain));
  }
  for (const { spec, complain } of documents.controls) {
    if (spec.mode === 'off') continue;
    each(spec, complain, (scope) => compileControl(spec, scope, shop, complain));
  }
  lint(units, documents, shop, problems);
  return { units, shop, problems };

  function each(
    spec: RuleSpec | ControlSpec,
    complain: Complain,
    compile: (scope: ReturnType<typeof scopesOf>[number]) => Unit | undefined,
  ): void {
    for (const scope of scopesOf(spec.each, shop, complain)) {
      const before = problems.length;
      const unit = compile(scope);
      if (unit !== undefined) units.push(unit);
      // The same mistake in fifty instances is one mistake.
      if (problems.slice(before).some((p) => p.severity === 'error')) return;
      problems.splice(before, problems.length, ...fresh(problems, before));
    }
    if (units.length > MAX_UNITS) complain('rules.too_many', ['each'], { limit: MAX_UNITS });
  }
}

/** A warning said once need not be said for every instance. */
function fresh(problems: readonly Problem[], from: number): Problem[] {
  const key = (p: Problem): string => JSON.stringify([p.code, p.file, p.doc, p.path, p.range]);
  const told = new Set(problems.slice(0, from).map(key));
  return problems.slice(from).filter((p) => !told.has(key(p)));
}

function readAll(site: SiteModel, problems: Problem[]): Documents {
  const documents: Documents = { rules: [], points: [], controls: [], forms: new Map(), spans: new Map() };
  for (const [name, text] of site.times)
    readTime(name, text, documents.spans, (code) =>
      problems.push({
        code,
        params: { given: text.slice(0, 60) },
        file: MAIN,
        path: ['times', name],
        severity: 'error',
      }),
    );
  const seen = new Map<string, string>();
  for (const document of site.rules) {
    const complain = complainer(document, problems);
    const fields = new Fields(document.body, [], complain);
    const kind = KINDS.find((k) => fields.has(k));
    if (kind === undefined) {
      const given = Object.keys(document.body)[0] ?? '';
      complain(
        'rules.no_kind',
        [],
        { given, choices: KINDS.join(' '), ...hints(nearest(given, KINDS)) },
        { atKey: true },
      );
      continue;
    }
    if (kind === 'times') readTimes(fields, documents.spans);
    else readOne(kind, fields, document, documents, complain, seen);
  }
  return documents;
}

function readOne(
  kind: 'rule' | 'point' | 'control' | 'form',
  fields: Fields,
  document: SiteModel['rules'][number],
  documents: Documents,
  complain: Complain,
  seen: Map<string, string>,
): void {
  const id = String(document.body[kind]);
  // Alarms, outputs and state rows are named by it.
  const key = kind === 'point' || kind === 'form' ? `${kind} ${id}` : id;
  const other = seen.get(key);
  if (other !== undefined) complain('rules.duplicate', [kind], { given: id, other });
  seen.set(key, document.file);
  if (kind === 'form') {
    const spec = readForm(fields, document);
    if (spec !== undefined) documents.forms.set(spec.id, spec);
  } else if (kind === 'rule') {
    const spec = readRule(fields, document);
    if (spec !== undefined) documents.rules.push({ spec, complain });
  } else if (kind === 'control') {
    const spec = readControl(fields, document);
    if (spec !== undefined) documents.controls.push({ spec, complain });
  } else {
    const spec = readPoint(fields, document);
    if (spec !== undefined) documents.points.push({ spec, complain });
  }
}

function readTimes(fields: Fields, spans: Map<string, Span>): void {
  fields.only(['times']);
  const times = fields.object('times', '{night: "22:00 .. 06:00"}');
  for (const [name, text] of times?.entries() ?? [])
    readTime(name, String(text), spans, (code) => times?.wrong(code, [name], { given: String(text).slice(0, 60) }));
}

function readTime(
  name: string,
  text: string,
  spans: Map<string, Span>,
  wrong: (code: 'rules.bad_span_text' | 'rules.other_time') => void,
): void {
  const span = parseSpan(text);
  if (span === undefined) return wrong('rules.bad_span_text');
  const known = spans.get(name);
  // The site's own times win over those a pack brings; two packs must agree.
  if (known !== undefined && known.text !== text) return wrong('rules.other_time');
  spans.set(name, span);
}

export const sunSpans = (spans: ReadonlyMap<string, Span>): string[] =>
  [...spans].filter(([, span]) => needsSun(span)).map(([name]) => name);

/** Hash of the whole rule set; stands in every alarm. */
export function rulesetHash(site: SiteModel): string {
  const bodies = site.rules.map((r) => r.body);
  return createHash('sha256').update(JSON.stringify(bodies)).digest('hex').slice(0, 12);
}
