/** The device model as a platform may read it: retained on `up/dev/{device}`. */
import type { JsonObject } from '../base/json.ts';
import type { PointModel, SiteModel } from '../base/model.ts';

/** @param made points that rules make, by device, asset or name of their own */
export function catalogOf(
  site: SiteModel,
  made: ReadonlyMap<string, readonly PointModel[]>,
): ReadonlyMap<string, JsonObject> {
  const ids = new Set([...site.devices.keys(), ...made.keys()]);
  return new Map([...ids].map((id) => [id, entry(id, site, made.get(id) ?? [])]));
}

function entry(id: string, site: SiteModel, made: readonly PointModel[]): JsonObject {
  const device = site.devices.get(id) ?? site.assets.get(id);
  const place = site.places.get(device?.zone ?? '');
  const points = [...(site.devices.get(id)?.points ?? []), ...made].map((point) => [
    point.id,
    {
      kind: point.kind,
      class: point.class,
      ...(point.name === undefined ? {} : { name: point.name }),
      ...(point.unit === undefined ? {} : { unit: point.unit }),
    },
  ]);
  return {
    device: id,
    ...(device?.name === undefined ? {} : { name: device.name }),
    ...(device?.type === undefined ? {} : { type: device.type }),
    ...(place === undefined ? {} : { place: { id: place.id, name: place.name } }),
    points: Object.fromEntries(points) as JsonObject,
  };
}
