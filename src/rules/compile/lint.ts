/** What is not wrong but will surprise: outputs with two owners are errors, the rest are warnings. */

import type { RuleDocument, SiteModel } from '../../base/model.ts';
import type { Problem } from '../../base/problem.ts';
import { complainer } from '../language/fields.ts';
import type { Documents } from './documents.ts';
import { needsSun, type Span, sunriseHour } from './times.ts';
import type { Workshop } from './unit.ts';
import { expressionsOf, type Unit } from './units.ts';

export function lint(units: readonly Unit[], documents: Documents, shop: Workshop, problems: Problem[]): void {
  twoOwners(units, problems);
  missingPoints(units, shop, problems);
  sun(documents.spans, shop.site, problems);
  // Half a rule set reads half of the devices.
  if (!problems.some((p) => p.severity === 'error')) unheard(units, shop, problems);
}

function twoOwners(units: readonly Unit[], problems: Problem[]): void {
  const owners = new Map<string, string>();
  for (const unit of units) {
    if (unit.kind !== 'control') continue;
    for (const { output } of unit.outputs) {
      const key = `${output.device}.${output.point}`;
      const other = owners.get(key);
      if (other !== undefined)
        complainer(unit.spec.document, problems)('rules.two_owners', ['set'], { given: key, other });
      owners.set(key, unit.key);
    }
  }
}

/** A standard point a rule reads, and a device of that type has not: the rule sees it as unknown. */
function missingPoints(units: readonly Unit[], { things }: Workshop, problems: Problem[]): void {
  const told = new Set<RuleDocument>();
  for (const unit of units) {
    for (const { ref } of expressionsOf(unit).flatMap((e) => e.reads)) {
      if (ref.kind !== 'point' || things.get(ref.device)?.points.has(ref.point) !== false) continue;
      if (told.has(unit.spec.document)) continue;
      told.add(unit.spec.document);
      complainer(unit.spec.document, problems)(
        'rules.point_missing',
        [unit.kind],
        { device: ref.device, point: ref.point },
        { severity: 'warning' },
      );
    }
  }
}

function sun(spans: ReadonlyMap<string, Span>, site: SiteModel, problems: Problem[]): void {
  if (![...spans.values()].some(needsSun)) return;
  const hour = sunriseHour(site.site);
  const first = site.rules[0];
  if (first === undefined) return;
  const complain = complainer(first, problems);
  if (hour === undefined) complain('rules.no_sun', [], {});
  else if (hour < 4 || hour > 8) complain('rules.odd_sun', [], { hour }, { severity: 'warning' });
}

/** Devices no rule reads are worth a word only where there are rules at all. */
function unheard(units: readonly Unit[], shop: Workshop, problems: Problem[]): void {
  const first = shop.site.rules[0];
  if (first === undefined || units.length === 0) return;
  const read = new Set<string>();
  for (const unit of units) {
    for (const { ref } of expressionsOf(unit).flatMap((e) => e.reads)) if (ref.kind === 'point') read.add(ref.device);
    const parts = unit.kind === 'rule' ? (unit.pattern ?? []) : [];
    for (const { sources } of [...unit.windows, ...parts])
      if (sources.kind === 'points') for (const { device } of sources.points) read.add(device);
    for (const { near } of unit.windows) for (const { device } of near ?? []) read.add(device);
    const outputs = unit.kind === 'control' ? unit.outputs : unit.kind === 'rule' ? [...unit.do, ...unit.undo] : [];
    for (const step of outputs) {
      if ('output' in step) read.add(step.output.device);
      else if ('of' in step) read.add(step.of);
    }
  }
  // Who has no points enters forms for people.
  const devices = [...shop.site.devices.values()]
    .filter((d) => d.points.length > 0 && !read.has(d.id))
    .map((d) => d.id);
  if (devices.length > 0)
    complainer(first, problems)(
      'rules.unheard',
      [],
      { count: devices.length, devices: devices.slice(0, 8).join(' ') },
      { severity: 'warning' },
    );
}
