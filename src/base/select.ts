/** Which devices a selector means: all of its keys must hold, and of a key's words one (of `tag` each). No key means no device. */
import type { DeviceModel, SiteModel } from './model.ts';
import { glob, placesAround } from './places.ts';

export interface DeviceSelector {
  readonly type?: readonly string[] | undefined;
  readonly tag?: readonly string[] | undefined;
  /** the device stands in this place, or in one that lies in it */
  readonly zone?: readonly string[] | undefined;
  readonly device?: readonly string[] | undefined;
}

export function selects(
  { type, tag, zone, device }: DeviceSelector,
  of: Pick<DeviceModel, 'id' | 'type' | 'tags' | 'zone'>,
  site: Pick<SiteModel, 'places'>,
): boolean {
  if (type === undefined && tag === undefined && zone === undefined && device === undefined) return false;
  const around = placesAround(of.zone, site);
  return (
    (type === undefined || type.includes(of.type ?? '')) &&
    (tag === undefined || tag.every((word) => of.tags.includes(word))) &&
    (zone === undefined || around.some((place) => zone.some((pattern) => glob(pattern, place)))) &&
    (device === undefined || device.some((pattern) => glob(pattern, of.id)))
  );
}
