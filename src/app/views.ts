/** A feed's view resolved against the site as it is: plain data for its contract. Pure. */
import type { FeedModel, PointModel, SiteModel } from '../base/model.ts';
import { glob, placesAround } from '../base/places.ts';
import { type Privacy, privacyOf } from '../base/privacy.ts';
import {
  type AlarmFilter,
  type AlarmRights,
  type ClassedPoints,
  isNamed,
  type ResolvedView,
  type Rights,
  type RightsSpec,
  type SelectionSpec,
  type ThingSelector,
} from '../base/view.ts';
import { allPoints } from './made.ts';

/** @param made points that rules make */
export function resolveView(
  { view }: Pick<FeedModel, 'view'>,
  model: SiteModel,
  made: ReadonlyMap<string, readonly PointModel[]>,
): ResolvedView {
  const privacy = privacyOf(model);
  const points = [...allPoints(model, made)].map(([id, point]): Point => {
    const device = id.slice(0, id.indexOf('.'));
    return { device, point: point.id, of: point.class, thing: privacy.of(device) };
  });
  if (view === 'everything') return { kind: 'everything', points: grouped(points.filter((p) => p.of !== 'none')) };
  const things = thingsOf(model, made);
  const { commands, config } = Object.assign({}, ...view.map(plainRights)) as { commands?: Rights; config?: Rights };
  return {
    kind: 'list',
    alarms: view.flatMap((selection) => alarmsOf(selection, things, model)),
    points: grouped(points.filter((p) => view.some((selection) => isSampled(selection, p, things, model)))),
    devices: [...new Set(view.flatMap((selection) => devicesOf(selection, model, privacy)))].sort(),
    stats: named(view, 'stats', (spec) => ({ ...rightsOf(spec), least: spec.at_least ?? 0 })),
    forms: named(view, 'forms', rightsOf),
    ...(commands === undefined ? {} : { commands }),
    ...(config === undefined ? {} : { config }),
  };
}

interface Thing {
  readonly id: string;
  readonly type?: string;
  readonly tags: readonly string[];
  readonly zone?: string;
}

interface Point {
  readonly device: string;
  readonly point: string;
  readonly of: PointModel['class'];
  /** of a thing that is about people: its id, too, tells of them */
  readonly thing: PointModel['class'];
}

type Things = ReadonlyMap<string, Thing>;

function thingsOf(model: SiteModel, made: ReadonlyMap<string, unknown>): Things {
  const things = new Map<string, Thing>([...made.keys()].map((id) => [id, { id, tags: [] }]));
  for (const thing of [...model.devices.values(), ...model.assets.values()]) things.set(thing.id, thing);
  return things;
}

function grouped(points: readonly Point[]): ClassedPoints {
  const all: Record<string, Record<string, PointModel['class']>> = {};
  for (const { device, point, of } of points) all[device] = { ...all[device], [point]: of };
  return all;
}

function rightsOf({ classes = [], drop = [], scrub }: RightsSpec): Rights {
  return { classes, drop, scrub: scrub ?? !classes.includes('personal') };
}

function plainRights({ commands, config }: SelectionSpec): { commands?: Rights; config?: Rights } {
  return {
    ...(commands === undefined ? {} : { commands: rightsOf(commands) }),
    ...(config === undefined ? {} : { config: rightsOf(config) }),
  };
}

function named<K extends 'stats' | 'forms', R>(
  view: readonly SelectionSpec[],
  key: K,
  rights: (spec: NonNullable<SelectionSpec[K]>[string]) => R,
): Record<string, R> {
  const all = view.flatMap((selection) => Object.entries(selection[key] ?? {}));
  return Object.fromEntries(all.map(([name, spec]) => [name, rights(spec as NonNullable<SelectionSpec[K]>[string])]));
}

function fits({ type, tag, zone, device }: ThingSelector, thing: Thing | undefined, model: SiteModel): boolean {
  const around = placesAround(thing?.zone, model);
  return (
    (device === undefined || device.some((word) => glob(word, thing?.id ?? ''))) &&
    (type === undefined || type.some((word) => glob(word, thing?.type ?? ''))) &&
    (tag === undefined || tag.every((word) => thing?.tags.includes(word) === true)) &&
    (zone === undefined || around.some((place) => zone.some((word) => glob(word, place))))
  );
}

/** A harmless point of somebody's device (its battery) leaves only where that is named, too: each sample carries the id, and the id says whose it is. */
function isSampled({ telemetry }: SelectionSpec, point: Point, things: Things, model: SiteModel): boolean {
  if (telemetry === undefined) return false;
  const { points, classes = [] } = telemetry;
  if (!isNamed({ classes }, point.of)) return false;
  if (!isNamed({ classes }, point.thing) && !(point.thing === 'sensitive' && classes.includes('personal')))
    return false;
  return (
    (points === undefined || points.some((word) => glob(word, point.point))) &&
    fits(telemetry, things.get(point.device), model)
  );
}

/** A device of which anything is personal is told of only where the class is named. */
function devicesOf({ devices }: SelectionSpec, model: SiteModel, privacy: Privacy): string[] {
  if (devices === undefined) return [];
  const { classes = [] } = devices;
  const told = [...model.devices.values()].filter((d) => isNamed({ classes }, privacy.of(d.id)));
  return told.filter((device) => fits(devices, device, model)).map((device) => device.id);
}

function alarmsOf({ alarms }: SelectionSpec, things: Things, model: SiteModel): AlarmRights[] {
  if (alarms === undefined) return [];
  const { or, ...first } = alarms;
  return [first, ...(or === undefined ? [] : [or])].map((filter) => ({
    ...rightsOf(alarms),
    ...filterOf(filter),
    ...aboutOf(filter, things, model),
  }));
}

function filterOf({ level, theme, rule, told }: AlarmFilter): Partial<AlarmRights> {
  return {
    ...(level === undefined ? {} : { level }),
    ...(theme === undefined ? {} : { theme }),
    ...(rule === undefined ? {} : { rule }),
    ...(told === undefined ? {} : { told }),
  };
}

/** Rules for places have alarms about places; a selector that asks for more than a place does not mean those. */
function aboutOf(filter: AlarmFilter, things: Things, model: SiteModel): Pick<AlarmRights, 'about'> {
  const { type, tag, zone, device } = filter;
  if ([type, tag, zone, device].every((word) => word === undefined)) return {};
  const found = [...things.values()].filter((thing) => fits(filter, thing, model)).map((thing) => thing.id);
  const isPlaceOnly = type === undefined && tag === undefined && device === undefined && zone !== undefined;
  const within = (place: string): boolean =>
    placesAround(place, model).some((p) => zone?.some((w) => glob(w, p)) === true);
  return { about: [...found, ...(isPlaceOnly ? [...model.places.keys()].filter(within) : [])].sort() };
}
