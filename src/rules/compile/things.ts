/** What rules speak of: devices, assets, and what rules themselves make. All have points; an asset also has members. */
import type { Asset, DeviceModel, Lets, PointModel, Position, SiteModel } from '../../base/model.ts';
import { placesAround } from '../../base/places.ts';

export interface Thing {
  readonly id: string;
  readonly name?: string;
  readonly type?: string;
  readonly tags: readonly string[];
  readonly zone?: string;
  readonly at?: Position;
  readonly points: Map<string, PointModel>;
  /** what an asset calls its devices */
  readonly members: Readonly<Record<string, string>>;
  readonly lets: Lets;
  readonly isDevice: boolean;
}

export type Things = Map<string, Thing>;

export function thingsOf(site: SiteModel): Things {
  const things: Things = new Map();
  for (const device of site.devices.values()) things.set(device.id, ofDevice(device, site));
  for (const asset of site.assets.values()) things.set(asset.id, ofAsset(asset, site));
  return things;
}

function ofDevice(device: DeviceModel, site: SiteModel): Thing {
  const { id, name, type, tags, zone, lets = {} } = device;
  return {
    id,
    tags,
    lets,
    ...(name === undefined ? {} : { name }),
    ...(type === undefined ? {} : { type }),
    ...placed(zone, device.at, site),
    points: new Map(device.points.map((p) => [p.id, p])),
    members: {},
    isDevice: true,
  };
}

function ofAsset(asset: Asset, site: SiteModel): Thing {
  const { id, name, type, tags, zone, members, lets } = asset;
  return {
    id,
    type,
    tags,
    lets,
    members,
    ...(name === undefined ? {} : { name }),
    ...placed(zone, asset.at, site),
    points: new Map(),
    isDevice: false,
  };
}

/** A name that only a rule gave: `parking` of `parking.free`. */
export function madeThing(id: string): Thing {
  return { id, tags: [], lets: {}, points: new Map(), members: {}, isDevice: false };
}

function placed(zone: string | undefined, at: Position | undefined, site: SiteModel): Pick<Thing, 'zone' | 'at'> {
  const position =
    at ??
    placesAround(zone, site)
      .map((p) => positionOf(p, site))
      .find((p) => p !== undefined);
  return { ...(zone === undefined ? {} : { zone }), ...(position === undefined ? {} : { at: position }) };
}

export function positionOf(place: string, site: SiteModel): Position | undefined {
  const { lat, lon } = site.places.get(place) ?? {};
  return lat === undefined || lon === undefined ? undefined : { lat, lon };
}

const EARTH = 6_371_000;

/** Metres between two positions of one estate (haversine). */
export function distance(a: Position, b: Position): number {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 +
    Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(((b.lon - a.lon) * rad) / 2) ** 2;
  return 2 * EARTH * Math.asin(Math.min(1, Math.sqrt(h)));
}
