/**
 * Rule documents become units: one for each device, asset or place, every name bound, every expression checked. All documents of a site are one
 * rule set: it is taken whole, or not at all. Points that rules make come first, each after those it reads, so that one pass over the units in
 * order settles a step.
 */
import { createHash } from 'node:crypto';
import type { SiteModel } from '../../base/model.ts';
import { privacyOf } from '../../base/privacy.ts';
import type { Problem } from '../../base/problem.ts';
import type { Complain } from '../language/fields.ts';
import type { ControlSpec } from '../language/point.ts';
import type { RuleSpec } from '../language/rule.ts';
import { compileControl } from './control.ts';
import { readDocuments } from './documents.ts';
import { Expressions } from './expression.ts';
import { lint } from './lint.ts';
import { compilePoints } from './points.ts';
import { compileRule } from './rule.ts';
import { scopesOf } from './select.ts';
import { type Things, thingsOf } from './things.ts';
import { createTimes } from './times.ts';
import type { Workshop } from './unit.ts';
import type { Unit } from './units.ts';

const MAX_UNITS = 20_000;

export interface Compiled {
  readonly units: readonly Unit[];
  readonly shop: Workshop;
  readonly problems: readonly Problem[];
}

export function compileSet(site: SiteModel): Compiled {
  const problems: Problem[] = [];
  const documents = readDocuments(site, problems);
  const things: Things = thingsOf(site);
  const shop: Workshop = {
    site,
    things,
    expressions: new Expressions(),
    privacy: privacyOf(site),
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

/** Hash of the whole rule set; stands in every alarm. */
export function rulesetHash(site: SiteModel): string {
  const bodies = site.rules.map((r) => r.body);
  return createHash('sha256').update(JSON.stringify(bodies)).digest('hex').slice(0, 12);
}
