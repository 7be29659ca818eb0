/** How private a value is that an expression gives: as the gravest of what it reads. A comparison of personal values is personal. */
import type { DataClass } from '../../base/data-class.ts';
import { gravest } from '../../base/privacy.ts';
import type { Expression } from './expression.ts';
import type { Ref } from './names.ts';
import type { CompiledWindow, PatternPart, Room, Workshop } from './unit.ts';

export type ClassOf = (expression: Pick<Expression, 'reads'>) => DataClass;

/** @param parts of the rule's pattern, whose devices have names */
export function classifier({ windows, classes }: Room, shop: Workshop, parts: readonly PatternPart[] = []): ClassOf {
  const ofThing = (id: string): DataClass =>
    gravest([shop.privacy.of(id), ...[...(shop.things.get(id)?.points.values() ?? [])].map((p) => p.class)]);

  const ofWindow = (name: string): DataClass => {
    const window = windows.find((w) => w.spec.name === name);
    if (window === undefined) return 'personal';
    const { sources } = window;
    switch (sources.kind) {
      case 'points':
        return gravest(sources.points.map((p) => p.point.class));
      case 'form':
        return shop.forms.get(sources.form.form)?.fields.find((f) => f.id === sources.form.field)?.person ?? 'personal';
      case 'window':
        return ofWindow(sources.name);
    }
  };

  const ofNear = (near: NonNullable<CompiledWindow['near']>, field: string): DataClass => {
    if (field === 'distance' || field === 'found') return 'none';
    if (field === 'name' || field === 'skipped') return gravest(near.map((n) => ofThing(n.device)));
    return gravest(near.flatMap((n) => n.points.filter((p) => p.id === field).map((p) => p.class)));
  };

  const ofField = (name: string, field: string): DataClass => {
    const near = windows.find((w) => w.spec.name === name)?.near;
    if (near !== undefined) return ofNear(near, field);
    const sources = parts.find((p) => p.name === name)?.sources;
    return sources?.kind === 'points' ? gravest(sources.points.map((p) => ofThing(p.device))) : 'personal';
  };

  const ofRef = (ref: Ref): DataClass => {
    switch (ref.kind) {
      case 'point':
        return shop.things.get(ref.device)?.points.get(ref.point)?.class ?? 'personal';
      case 'window':
        return ofWindow(ref.name);
      case 'field':
        return ofField(ref.name, ref.field);
      case 'time':
        return 'none';
      case 'fixed':
        return classes[ref.name] ?? 'none';
    }
  };
  return ({ reads }) => gravest(reads.map(({ ref }) => ofRef(ref)));
}
