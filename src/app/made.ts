/** Points that rules make, told by exception like any other. */
import type { PointModel, SiteModel } from '../base/model.ts';
import type { Reading } from '../base/reading.ts';
import { isNews, type Told } from '../engine/report.ts';

/** Every point there is: those of devices, and those that rules make. */
export function* allPoints(
  model: SiteModel,
  made: ReadonlyMap<string, readonly PointModel[]>,
): Generator<readonly [string, PointModel]> {
  for (const { id, points } of model.devices.values()) for (const point of points) yield [`${id}.${point.id}`, point];
  for (const [id, points] of made) for (const point of points) yield [`${id}.${point.id}`, point];
}

export interface MadePoints {
  /** the points of the rule set that runs now */
  set(made: ReadonlyMap<string, readonly PointModel[]>): void;
  /** those of the readings that are news */
  news(readings: readonly Reading[]): readonly Reading[];
}

export function createMadePoints(): MadePoints {
  let points = new Map<string, { model: PointModel; told: Told }>();
  return {
    set: (made) => {
      const next = new Map<string, { model: PointModel; told: Told }>();
      for (const [device, models] of made)
        for (const model of models) {
          const key = `${device}.${model.id}`;
          next.set(key, { model, told: points.get(key)?.told ?? { reading: undefined } });
        }
      points = next;
    },
    news: (readings) =>
      readings.filter((r) => {
        const point = points.get(`${r.device}.${r.point}`);
        return point !== undefined && isNews(point.told, r, point.model);
      }),
  };
}
