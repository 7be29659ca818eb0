/** The device model as a platform may read it: retained on `up/dev/{device}`. */
import type { JsonObject } from '../base/json.ts';
import type { SiteModel } from '../base/model.ts';

export function catalogOf(site: SiteModel): ReadonlyMap<string, JsonObject> {
  return new Map([...site.devices.values()].map((device) => [device.id, entry(device.id, site)]));
}

function entry(id: string, site: SiteModel): JsonObject {
  const device = site.devices.get(id);
  const place = site.places.get(device?.zone ?? '');
  const points = (device?.points ?? []).map((point) => [
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
