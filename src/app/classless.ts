/**
 * Points that nobody classed. They count as personal, and one of them keeps all telemetry of its device from every view that names no class: right
 * by default, and seldom what the technician meant when he added a counter to a pump. Told is what a class would change, feed by feed.
 */
import type { DeviceModel, PointModel, SiteModel } from '../base/model.ts';
import type { Problem } from '../base/problem.ts';
import { resolveView } from './views.ts';

export function classlessPoints(model: SiteModel, made: ReadonlyMap<string, readonly PointModel[]>): Problem[] {
  const guilty = new Map<string, readonly string[]>();
  for (const device of model.devices.values()) {
    const points = unclassed(device, model);
    if (points.length > 0) guilty.set(device.id, points);
  }
  if (guilty.size === 0) return [];
  const views = [...model.feeds.values()].flatMap((feed) => {
    const [now, then] = [model, classed(model, guilty)].map((site) => resolveView(feed, site, made));
    return now?.kind === 'list' && then?.kind === 'list' ? [{ feed: feed.id, now, then }] : [];
  });
  return [...guilty].flatMap(([device, points]) => {
    const others = (of: Readonly<Record<string, unknown>> | undefined): boolean =>
      Object.keys(of ?? {}).some((point) => !points.includes(point));
    const feeds = views.filter(({ now, then }) => now.points[device] === undefined && others(then.points[device]));
    if (feeds.length === 0) return [];
    const params = { device, points: points.join(' '), feeds: feeds.map(({ feed }) => feed).join(' ') };
    const path = ['devices', device, 'points', points[0] ?? ''];
    return [{ code: 'config.classless', params, path, atKey: true, severity: 'warning' }];
  });
}

/** Of points as they are written; those of a home are personal because of where they are. */
function unclassed({ id, type = '', config, points }: DeviceModel, { types, assets }: SiteModel): string[] {
  const isHomes = [...assets.values()].some((a) => a.type === 'home' && Object.values(a.members).includes(id));
  const written = (config as { readonly points?: Readonly<Record<string, { readonly class?: string }>> }).points;
  if (isHomes || written === undefined) return [];
  const isStandard = (p: PointModel): boolean =>
    types.get(type)?.some((one) => one.id === p.id && one.kind === p.kind) === true;
  return points
    .filter((p) => p.class === 'personal' && !isStandard(p))
    .filter((p) => Object.hasOwn(written, p.id) && written[p.id]?.class === undefined)
    .map((p) => p.id);
}

function classed(model: SiteModel, guilty: ReadonlyMap<string, readonly string[]>): SiteModel {
  const devices = [...model.devices.values()].map((device): DeviceModel => {
    const named = guilty.get(device.id) ?? [];
    return { ...device, points: device.points.map((p) => (named.includes(p.id) ? { ...p, class: 'none' } : p)) };
  });
  return { ...model, devices: new Map(devices.map((device) => [device.id, device])) };
}
