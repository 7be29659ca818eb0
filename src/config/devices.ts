/** Devices out of their sections: the driver's own schema, the profile, the standard points of the type, the privacy class. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { DriverFace } from '../base/driver.ts';
import type { ChannelModel, DeviceModel, PointModel } from '../base/model.ts';
import { conversion } from '../base/units.ts';
import { problemsOf } from './issues.ts';
import type { Names, Report } from './report.ts';
import type { DeviceTypes, SiteSections } from './schema.ts';
import { deviceCommon } from './schema.ts';

const POLL = 5000;
const HEARTBEAT = 15 * 60_000;
const STALE_POLLS = 3;
const LEAST_STALE = 10_000;
/** channels on which devices speak by themselves */
const SPOKEN_ON: readonly ChannelModel['carries'][] = ['listen', 'mqtt', 'http'];
const HOME = 'home';

/** What a device of this make has in common: keys of its driver's section, and points. */
export interface Profile {
  readonly device: Record<string, unknown>;
  readonly points: Record<string, unknown>;
  /** seen on a real device */
  readonly isVerified: boolean;
  /** changes with its content */
  readonly mark: string;
}

export interface DeviceContext {
  readonly report: Report;
  readonly drivers: ReadonlyMap<string, DriverFace>;
  readonly types: DeviceTypes;
  readonly channels: ReadonlyMap<string, ChannelModel>;
  readonly sections: SiteSections;
  readonly names: Names;
  /** undefined when there is none of that name */
  readonly profile: (driver: string, profile: string) => Profile | undefined;
  /** names of those that could be named */
  readonly profiles: (driver: string) => readonly string[];
}

export function buildDevice(id: string, context: DeviceContext): DeviceModel | undefined {
  const { report, drivers, sections } = context;
  const section = sections.devices[id];
  if (section === undefined) return undefined;
  const path = ['devices', id];
  report.id(path, id);
  if (!report.known([...path, 'driver'], section.driver, drivers.keys(), { zh: '驱动', en: 'driver' }))
    return undefined;
  const driver = drivers.get(section.driver);
  if (driver === undefined) return undefined;
  const channel = checkChannel(id, driver, context);
  checkPlace(id, context);
  const own = withProfile(id, ownKeys(section), context);
  const parsed = driver.schema.safeParse(own, { reportInput: true });
  if (!parsed.success) {
    const found = problemsOf(parsed.error.issues, own, driver.schema as z.ZodType, path, Object.keys(deviceCommon));
    // What is missing may stand in the profile that was not found.
    const isHalf = section.profile !== undefined && context.profile(section.driver, section.profile) === undefined;
    report.problems.push(...found.filter((p) => !isHalf || p.code !== 'config.missing'));
    return undefined;
  }
  const problems = driver.problems(parsed.data);
  report.problems.push(...problems.map((p) => ({ ...p, path: [...path, ...p.path] })));
  const points = pointsOf(id, driver, parsed.data, context);
  return {
    id,
    ...(section.name === undefined ? {} : { name: section.name }),
    driver: section.driver,
    ...(section.channel === undefined ? {} : { channel: section.channel }),
    pollMs: pollOf(section, driver),
    ...(section.type === undefined ? {} : { type: section.type }),
    tags: section.tags,
    ...(section.zone === undefined ? {} : { zone: section.zone }),
    ...(section.lat === undefined || section.lon === undefined ? {} : { at: { lat: section.lat, lon: section.lon } }),
    ...(section.let === undefined ? {} : { lets: section.let }),
    points,
    ...keepOf(section, context.types[section.type ?? '']),
    ...profileOf(id, context),
    config: parsed.data,
    noData: context.types[section.type ?? '']?.no_data ?? 'yellow',
    hash: createHash('sha256')
      .update(JSON.stringify([section, own, channel, points]))
      .digest('hex')
      .slice(0, 16),
  };
}

function keepOf(
  section: { readonly keep_days?: number | undefined },
  type: DeviceTypes[string] | undefined,
): Pick<DeviceModel, 'keepDays'> {
  const keepDays = section.keep_days ?? type?.keep_days;
  return keepDays === undefined ? {} : { keepDays };
}

function profileOf(id: string, context: DeviceContext): Pick<DeviceModel, 'profile'> {
  const { driver = '', profile: name } = context.sections.devices[id] ?? {};
  const profile = name === undefined ? undefined : context.profile(driver, name);
  if (name === undefined || profile === undefined) return {};
  const { mark, isVerified, points } = profile;
  return { profile: { name, mark, isVerified, points: Object.keys(points) } };
}

const pollOf = (section: { readonly poll?: number | undefined } | undefined, driver: DriverFace): number =>
  section?.poll ?? driver.pollMs ?? POLL;

/** Nobody polls it: its points come as often as they come. */
const speaksFirst = ({ carries }: DriverFace): boolean =>
  carries.length > 0 && carries.every((kind) => SPOKEN_ON.includes(kind));

function ownKeys(section: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(section).filter(([key]) => !(key in deviceCommon)));
}

function checkChannel(
  id: string,
  driver: DriverFace,
  { report, channels, sections, names }: DeviceContext,
): ChannelModel | undefined {
  const name = sections.devices[id]?.channel;
  if (name === undefined) {
    if (driver.carries.length > 0) report.add('config.no_channel', ['devices', id], { driver: driver.name }, true);
    return undefined;
  }
  const path = ['devices', id, 'channel'];
  if (!report.known(path, name, names('channels'), { zh: '通道', en: 'channel' })) return undefined;
  const channel = channels.get(name);
  if (channel !== undefined && !driver.carries.includes(channel.carries))
    report.add('config.channel_kind', path, {
      driver: driver.name,
      carries: channel.carries,
      choices: driver.carries.join(' '),
    });
  return channel;
}

function checkPlace(id: string, { report, sections, types, names }: DeviceContext): void {
  const { zone, type } = sections.devices[id] ?? {};
  if (zone !== undefined) report.known(['devices', id, 'zone'], zone, names('places'), { zh: '位置', en: 'place' });
  if (type !== undefined) report.known(['devices', id, 'type'], type, Object.keys(types), { zh: '类型', en: 'type' });
}

/** The profile's keys and points, each overridden by the device's own. */
function withProfile(id: string, own: Record<string, unknown>, context: DeviceContext): Record<string, unknown> {
  const section = context.sections.devices[id];
  if (section?.profile === undefined) return own;
  const profile = context.profile(section.driver, section.profile);
  if (profile === undefined) {
    context.report.known(['devices', id, 'profile'], section.profile, context.profiles(section.driver), {
      zh: '设备模板',
      en: 'profile',
    });
    return own;
  }
  const { points, device } = profile;
  const merged: Record<string, unknown> = { ...points };
  for (const [point, keys] of Object.entries((own.points ?? {}) as Record<string, object>))
    merged[point] = { ...(points[point] as object | undefined), ...keys };
  return { ...device, ...own, points: merged };
}

function pointsOf(id: string, driver: DriverFace, config: unknown, context: DeviceContext): PointModel[] {
  const section = context.sections.devices[id];
  const type = context.types[section?.type ?? ''];
  const home = inHome(id, context.sections);
  const pollMs = pollOf(section, driver);
  const staleAfterMs = Math.max(LEAST_STALE, STALE_POLLS * pollMs);
  const written = (config as { points?: Record<string, { class?: string; stale_after?: number }> }).points ?? {};
  return driver.points(config, { heartbeatMs: HEARTBEAT, staleAfterMs, class: 'personal' }).map((point) => {
    context.report.id(['devices', id, 'points', point.id], point.id);
    if (point.pollMs !== undefined && point.pollMs < pollMs && !speaksFirst(driver))
      context.report.add('config.poll_below', ['devices', id, 'points', point.id, 'poll'], { device: id });
    const standard = type?.points[point.id];
    const own = written[point.id];
    // A text under the name of a standard state (the plate itself, not that there is one) is not what the type knows.
    const isStandard = standard !== undefined && standard.kind === point.kind;
    const dataClass = own?.class === undefined && isStandard && !home ? standard.class : point.class;
    const stale =
      own?.stale_after === undefined && standard?.stale_after !== undefined
        ? Math.max(standard.stale_after, point.staleAfterMs)
        : point.staleAfterMs;
    const keepDays = point.keepDays ?? standard?.keep_days;
    return converted(
      {
        ...point,
        class: dataClass,
        staleAfterMs: stale,
        ...(standard?.event === true ? { event: true } : {}),
        ...(keepDays === undefined ? {} : { keepDays }),
      },
      standard?.unit,
      id,
      section?.type ?? '',
      context.report,
    );
  });
}

/** A standard point has the standard unit; deadbands were written in the technician's. */
function converted(
  point: PointModel,
  standard: string | undefined,
  id: string,
  type: string,
  report: Report,
): PointModel {
  if (standard === undefined || point.unit === undefined || point.unit === standard) return point;
  const convert = conversion(point.unit, standard);
  if (convert === undefined) {
    report.add('config.unit_mismatch', ['devices', id, 'points', point.id, 'unit'], {
      given: point.unit,
      type,
      standard,
    });
    return point;
  }
  const scaled = point.rollover === undefined ? {} : { rollover: point.rollover * convert.scale + convert.offset };
  return { ...point, ...scaled, unit: standard, deadband: point.deadband * Math.abs(convert.scale), convert };
}

/** What hangs in a flat tells of the people in it, whatever it measures. */
function inHome(id: string, sections: SiteSections): boolean {
  return Object.values(sections.assets).some((asset) => asset.type === HOME && Object.values(asset).includes(id));
}
