/** A point of the model out of the keys every driver's points share. */
import type { PointDefaults } from '../base/driver.ts';
import type { PointModel } from '../base/model.ts';
import type { PointCommon } from './schema.ts';

/** a point polled seldom is not stale before it was missed as often */
export const STALE_POLLS = 3;

export function pointModel(
  id: string,
  kind: PointModel['kind'],
  point: PointCommon,
  defaults: PointDefaults,
): PointModel {
  return {
    id,
    ...(point.name === undefined ? {} : { name: point.name }),
    kind,
    ...(point.unit === undefined ? {} : { unit: point.unit }),
    class: point.class ?? defaults.class,
    deadband: point.deadband,
    heartbeatMs: point.heartbeat ?? defaults.heartbeatMs,
    staleAfterMs: point.stale_after ?? Math.max(defaults.staleAfterMs, STALE_POLLS * (point.poll ?? 0)),
    ...(point.poll === undefined ? {} : { pollMs: point.poll }),
    ...(point.event === undefined ? {} : { event: point.event }),
    ...(point.rollover === undefined ? {} : { rollover: point.rollover }),
    ...(point.keep_days === undefined ? {} : { keepDays: point.keep_days }),
  };
}
