/** A site whose points may be silent for longer: tests and stored history have fewer values than the field. */
import type { PointModel, SiteModel } from '../../base/model.ts';

/** @param least ms a point may be silent, at the least */
export function patient(site: SiteModel, least: (point: PointModel) => number): SiteModel {
  const slow = (p: PointModel): PointModel => ({ ...p, staleAfterMs: Math.max(p.staleAfterMs, least(p)) });
  const devices = [...site.devices.values()].map((d) => [d.id, { ...d, points: d.points.map(slow) }] as const);
  return { ...site, devices: new Map(devices) };
}
