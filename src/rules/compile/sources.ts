/** What a window or a pattern listens to: `level`, `tank_1.level`, `camera.people`, `report.text`. */
import type { PointModel } from '../../base/model.ts';
import type { Path } from '../../base/problem.ts';
import { hints, nearest } from '../../base/suggest.ts';
import type { Complain } from '../language/fields.ts';
import type { FormSpec } from '../language/form.ts';
import type { Selector } from '../language/selector.ts';
import { checkWords, type Estate, matchingFrom, type Scope } from './select.ts';
import type { Thing } from './things.ts';

export interface PointSource {
  readonly device: string;
  readonly point: PointModel;
}

/** What people enter, at a place or anywhere. */
export interface FormSource {
  readonly form: string;
  readonly field: string;
  readonly zone?: string;
}

export type Sources =
  | { readonly kind: 'points'; readonly points: readonly PointSource[] }
  | { readonly kind: 'form'; readonly form: FormSource }
  | { readonly kind: 'window'; readonly name: string };

export interface Listening {
  readonly text: string;
  readonly of?: Selector | undefined;
  readonly path: Path;
  /** windows of the same rule that stand before this one */
  readonly windows: readonly string[];
}

export function sourcesOf(
  { text, of, path, windows }: Listening,
  scope: Scope,
  estate: Estate & { readonly forms: ReadonlyMap<string, FormSpec> },
  complain: Complain,
): Sources | undefined {
  if (windows.includes(text)) return { kind: 'window', name: text };
  const dot = text.indexOf('.');
  const head = dot < 0 ? '' : text.slice(0, dot);
  const point = text.slice(dot + 1);
  const form = estate.forms.get(head);
  if (form?.fields.some((f) => f.id === point) === true)
    return {
      kind: 'form',
      form: { form: head, field: point, ...(scope.zone === undefined ? {} : { zone: scope.zone }) },
    };
  if (of !== undefined && !checkWords(of, estate, complain, [...path.map(String).slice(0, -1), 'of'])) return undefined;
  const things = of === undefined ? thingsNamed(head, scope, estate) : matchingFrom(of, scope, estate);
  const points = things.flatMap((t) => {
    const found = t.points.get(point);
    return found === undefined ? [] : [{ device: t.id, point: found }];
  });
  // A set may be empty for this instance; a single device must have the point.
  if (points.length > 0 || (of !== undefined && things.length === 0)) return { kind: 'points', points };
  const known = [...new Set(things.flatMap((t) => [...t.points.keys()]))];
  complain('rules.unknown_name', path, {
    given: text,
    known: known.slice(0, 12).join(' '),
    ...hints(nearest(point, known)),
  });
  return undefined;
}

function thingsNamed(head: string, scope: Scope, { things }: Estate): readonly Thing[] {
  if (head === '') return scope.things;
  const member = scope.thing?.members[head];
  const one = things.get(member ?? head);
  if (one !== undefined) return [one];
  const here = scope.things.length > 0 ? scope.things : [...things.values()];
  return here.filter((t) => t.type === head);
}
