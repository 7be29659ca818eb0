/** Rule documents become instances: one condition for each device or place, every name bound, every expression checked. */
import { createHash } from 'node:crypto';
import type { Level } from '../base/event.ts';
import type { SiteModel } from '../base/model.ts';
import type { Problem } from '../base/problem.ts';
import { compileExpression, type Expression } from './expression.ts';
import { type Scope, scopesOf } from './select.ts';
import { type Complain, complainer, type RuleSpec, readSpec } from './spec.ts';
import { type CompiledText, compileText } from './text.ts';

const MAX_INSTANCES = 20_000;

export interface Instance {
  /** `rule/instance` */
  readonly key: string;
  readonly spec: RuleSpec;
  /** hash of what decides: when, for, keep, clear, unknown; a change drops what is pending and re-judges what is active */
  readonly meaning: string;
  readonly when: Expression;
  readonly clear?: Expression;
  readonly level: Level | Expression;
  readonly text: CompiledText;
  readonly id: string;
  readonly device?: string;
  readonly zone?: string;
  /** values of the fixed names `name` and `place` */
  readonly names: { readonly name: string; readonly place: string };
}

export function compileInstances(site: SiteModel): { instances: readonly Instance[]; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const instances: Instance[] = [];
  const seen = new Map<string, string>();
  for (const document of site.rules) {
    const complain = complainer(document, problems);
    const spec = readSpec(document, complain);
    if (spec === undefined) continue;
    const other = seen.get(spec.id);
    if (other !== undefined) complain('rules.duplicate', ['rule'], { given: spec.id, other });
    seen.set(spec.id, document.file);
    instances.push(...instancesOf(spec, site, problems, complain));
    if (instances.length > MAX_INSTANCES) {
      complain('rules.too_many', ['each'], { limit: MAX_INSTANCES });
      break;
    }
  }
  return { instances, problems };
}

function instancesOf(spec: RuleSpec, site: SiteModel, problems: Problem[], complain: Complain): Instance[] {
  const instances: Instance[] = [];
  for (const scope of scopesOf(spec, site, complain)) {
    const before = problems.length;
    const instance = compileOne(spec, scope, site, complain);
    if (instance !== undefined) instances.push(instance);
    // The same mistake in fifty instances is one mistake.
    if (problems.slice(before).some((p) => p.severity === 'error')) return [];
  }
  return instances;
}

function compileOne(spec: RuleSpec, scope: Scope, site: SiteModel, complain: Complain): Instance | undefined {
  const condition = (key: 'when' | 'clear', text: string): Expression | undefined =>
    compileExpression({ text, path: [key], types: ['bool'] }, scope, site, complain);
  const when = condition('when', spec.when);
  const clear = spec.clear === undefined ? undefined : condition('clear', spec.clear);
  const level =
    typeof spec.level === 'string'
      ? spec.level
      : compileExpression({ text: spec.level.expression, path: ['level'], types: ['string'] }, scope, site, complain);
  const text = compileText(spec.text, scope, site, complain);
  if (when === undefined || level === undefined || text === undefined) return undefined;
  const { device, zone } = scope;
  const place = zone === undefined ? '' : (site.places.get(zone)?.name ?? zone);
  return {
    key: `${spec.id}/${scope.id}`,
    spec,
    meaning: meaningOf(spec),
    when,
    ...(clear === undefined ? {} : { clear }),
    level,
    text,
    id: scope.id,
    ...(device === undefined ? {} : { device: device.id }),
    ...(zone === undefined ? {} : { zone }),
    names: { name: device?.name ?? scope.id, place: place === '' ? (device?.name ?? scope.id) : place },
  };
}

function meaningOf(spec: RuleSpec): string {
  const decides = [spec.when, spec.forMs, spec.keepMs, spec.clear ?? null, spec.unknown];
  return createHash('sha256').update(JSON.stringify(decides)).digest('hex').slice(0, 12);
}

/** Hash of the whole rule set; stands in every alarm. */
export function rulesetHash(site: SiteModel): string {
  const bodies = site.rules.map((r) => r.body);
  return createHash('sha256').update(JSON.stringify(bodies)).digest('hex').slice(0, 12);
}
