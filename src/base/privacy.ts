/**
 * Which things of a site are about people. Points have their class from the device model; everything else follows from it:
 * - a device has the gravest class of its points, an asset that of its members; a home is personal;
 * - a place is what its `class` says; else personal if its `kind` is home or flat, and none with another kind; without either it is personal when
 *   it lies in another place and all that stands in it is personal, unless it holds several homes and so is a building.
 * Labels of what is of class none (a tank's name) are labels of equipment; those of the others are personal as the thing is.
 */

import type { DataClass } from './data-class.ts';
import { feedNumber, type JsonObject } from './json.ts';
import type { Place, Position, SiteModel } from './model.ts';

const RANK: readonly DataClass[] = ['none', 'personal', 'sensitive'];
const HOME = 'home';
/** kinds of places that are somebody's */
const DWELLINGS: readonly string[] = ['home', 'flat'];

export const gravest = (classes: Iterable<DataClass>): DataClass => {
  let most = 0;
  for (const one of classes) most = Math.max(most, RANK.indexOf(one));
  return RANK[most] ?? 'sensitive';
};

export interface Privacy {
  /** of a device, an asset or a place; none for what is not known */
  of(id: string): DataClass;
  /** where it may be said to be: the place, or of a flat the place around it */
  coarse(place: string | undefined): Place | undefined;
}

export function privacyOf({ devices, assets, places }: SiteModel): Privacy {
  const things = new Map<string, DataClass>();
  for (const { id, points } of devices.values()) things.set(id, gravest(points.map((p) => p.class)));
  for (const { id, type, members } of assets.values()) {
    const own = type === HOME ? 'personal' : 'none';
    things.set(id, gravest([own, ...Object.values(members).map((m) => things.get(m) ?? 'none')]));
  }
  const inside = new Map<string, DataClass[]>();
  const homes = new Map<string, number>();
  for (const { id, zone } of [...devices.values(), ...assets.values()]) {
    if (zone === undefined) continue;
    inside.set(zone, [...(inside.get(zone) ?? []), things.get(id) ?? 'none']);
    if (assets.get(id)?.type === HOME) homes.set(zone, (homes.get(zone) ?? 0) + 1);
  }
  const ofPlace = (place: Place): DataClass => {
    if (place.class !== undefined) return place.class;
    if (place.kind !== undefined) return DWELLINGS.includes(place.kind) ? 'personal' : 'none';
    const classes = inside.get(place.id) ?? [];
    const isFlat = place.in !== undefined && classes.length > 0 && !classes.includes('none');
    return isFlat && (homes.get(place.id) ?? 0) <= 1 ? gravest(classes) : 'none';
  };
  for (const place of places.values()) if (!things.has(place.id)) things.set(place.id, ofPlace(place));
  return {
    of: (id) => things.get(id) ?? 'none',
    coarse: (id) => {
      const seen = new Set<string>();
      for (let at = places.get(id ?? ''); at !== undefined; at = places.get(at.in ?? '')) {
        if (seen.has(at.id)) return undefined;
        seen.add(at.id);
        if (ofPlace(at) === 'none') return at;
      }
      return undefined;
    },
  };
}

/** A place as an event tells it. */
export function placeData({ id, name, lat, lon }: Place): JsonObject {
  return { path: id, name, ...(lat === undefined || lon === undefined ? {} : positionData({ lat, lon })) };
}

/** To four decimals, as all numbers of the feed: ten metres. */
export function positionData({ lat, lon }: Position): JsonObject {
  return { lat: feedNumber(lat) ?? 0, lon: feedNumber(lon) ?? 0 };
}
