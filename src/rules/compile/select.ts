/** Which devices, assets or places a document has instances for, and which a window is about. */
import type { SiteModel } from '../../base/model.ts';
import { glob, placesAround } from '../../base/places.ts';
import { hints, nearest } from '../../base/suggest.ts';
import type { Complain } from '../language/fields.ts';
import type { Selector } from '../language/selector.ts';
import { distance, type Thing, type Things } from './things.ts';

/** Where an instance's bare names come from. */
export interface Scope {
  /** the instance's key */
  readonly id: string;
  readonly thing?: Thing;
  readonly zone?: string;
  /** whose points have bare names */
  readonly things: readonly Thing[];
}

export interface Estate {
  readonly site: SiteModel;
  readonly things: Things;
}

export function scopesOf(each: Selector | undefined, estate: Estate, complain: Complain): readonly Scope[] {
  if (each === undefined) return [{ id: 'site', things: [] }];
  if (!checkWords(each, estate, complain, ['each'])) return [];
  const scopes = each.zone === undefined ? byThing(each, estate) : byZone(each.zone, estate);
  if (scopes.length === 0) complain('rules.matches_nothing', ['each'], {}, { severity: 'warning' });
  return scopes;
}

export function checkWords(
  each: Selector,
  { site, things }: Estate,
  complain: Complain,
  path: readonly string[],
): boolean {
  let ok = true;
  const check = (
    key: 'device' | 'in' | 'zone',
    words: readonly string[],
    known: Iterable<string>,
    zh: string,
    en: string,
  ): void => {
    const all = [...known];
    for (const given of words) {
      if (all.includes(given) || given.includes('*')) continue;
      ok = false;
      complain('rules.unknown_ref', [...path, key], { given, zh, en, ...hints(nearest(given, all)) });
    }
  };
  check('device', each.device ?? [], things.keys(), '设备', 'device');
  check('in', each.in ?? [], site.places.keys(), '位置', 'place');
  check('zone', each.zone ?? [], site.places.keys(), '位置', 'place');
  return ok;
}

export function matching(selector: Selector, { site, things }: Estate): Thing[] {
  const { device, type, tag, in: within, zone } = selector;
  const places = [...(within ?? []), ...(zone ?? [])];
  return [...things.values()]
    .filter((t) => device === undefined || device.some((g) => glob(g, t.id)))
    .filter((t) => type === undefined || (t.type !== undefined && type.includes(t.type)))
    .filter((t) => tag === undefined || tag.every((word) => t.tags.includes(word)))
    .filter((t) => places.length === 0 || placesAround(t.zone, site).some((p) => places.some((g) => glob(g, p))));
}

/** The devices of a window's `of`, seen from an instance. */
export function matchingFrom(selector: Selector, scope: Scope, estate: Estate): Thing[] {
  const { near, ...rest } = selector;
  const found = matching(rest, estate).filter(
    (t) =>
      scope.thing !== undefined || scope.zone === undefined || placesAround(t.zone, estate.site).includes(scope.zone),
  );
  const here = scope.thing?.at;
  if (near === undefined) return found;
  return found.filter((t) => here !== undefined && t.at !== undefined && distance(here, t.at) <= near);
}

function byThing(each: Selector, estate: Estate): Scope[] {
  return matching(each, estate).map((thing) => ({
    id: thing.id,
    thing,
    ...(thing.zone === undefined ? {} : { zone: thing.zone }),
    things: [thing],
  }));
}

function byZone(patterns: readonly string[], { site, things }: Estate): Scope[] {
  return [...site.places.keys()]
    .filter((id) => patterns.some((p) => glob(p, id)))
    .map((id) => ({
      id,
      zone: id,
      things: [...things.values()].filter((t) => placesAround(t.zone, site).includes(id)),
    }));
}
