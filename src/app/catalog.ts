/** The device model as a platform may read it, retained on `up/dev/{device}`: of what its view names, and no more. */
import type { JsonObject } from '../base/json.ts';
import type { PointModel, SiteModel } from '../base/model.ts';
import { privacyOf } from '../base/privacy.ts';
import { scrub } from '../base/scrub.ts';
import type { ResolvedView } from '../base/view.ts';

/** @param made points that rules make, by device, asset or name of their own */
export function catalogOf(
  site: SiteModel,
  made: ReadonlyMap<string, readonly PointModel[]>,
  view: ResolvedView,
): ReadonlyMap<string, JsonObject> {
  const all = [...site.devices.keys(), ...made.keys()];
  const ids = new Set(view.kind === 'everything' ? all : [...view.devices, ...Object.keys(view.points)]);
  const privacy = privacyOf(site);
  return new Map([...ids].map((id) => [id, entry(id, site, made.get(id) ?? [], view, privacy)]));
}

function entry(
  id: string,
  site: SiteModel,
  made: readonly PointModel[],
  view: ResolvedView,
  privacy: ReturnType<typeof privacyOf>,
): JsonObject {
  const device = site.devices.get(id) ?? site.assets.get(id);
  const isAll = view.kind === 'everything';
  const place = isAll ? site.places.get(device?.zone ?? '') : privacy.coarse(device?.zone);
  const mine = view.points[id] ?? {};
  // Names tell whose it is, also those of its harmless points: they need the class of the whole.
  const isNamed = isAll || privacy.of(id) === 'none' || Object.values(mine).includes(privacy.of(id));
  const label = (text: string): string => (isAll || privacy.of(id) !== 'none' ? text : scrub(text));
  const points = [...(site.devices.get(id)?.points ?? []), ...made]
    .filter((point) => isAll || Object.hasOwn(mine, point.id))
    .map((point) => [
      point.id,
      {
        kind: point.kind,
        class: point.class,
        ...(point.name === undefined || !isNamed ? {} : { name: label(point.name) }),
        ...(point.unit === undefined ? {} : { unit: point.unit }),
      },
    ]);
  return {
    device: id,
    ...(device?.name === undefined || !isNamed ? {} : { name: label(device.name) }),
    ...(device?.type === undefined ? {} : { type: device.type }),
    ...(place === undefined ? {} : { place: { id: place.id, name: isAll ? place.name : scrub(place.name) } }),
    points: Object.fromEntries(points) as JsonObject,
  };
}
