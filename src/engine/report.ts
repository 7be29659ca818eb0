/**
 * Report by exception: which readings become telemetry. Pure; one small state per point.
 *
 * Told are: the first reading, every change of quality or reason, a value further than the deadband from the one last told, and after
 * `heartbeat` of silence whatever the point says. Rules see every poll; this decides only what is stored and sent.
 */
import type { PointModel } from '../base/model.ts';
import type { Reading } from '../base/reading.ts';

export interface Told {
  reading: Reading | undefined;
}

export function isNews(told: Told, reading: Reading, point: PointModel): boolean {
  const last = told.reading;
  const news =
    last === undefined ||
    last.quality !== reading.quality ||
    last.why !== reading.why ||
    moved(last.value, reading.value, point.deadband) ||
    reading.at.mono - last.at.mono >= point.heartbeatMs;
  if (news) told.reading = reading;
  return news;
}

function moved(before: Reading['value'], now: Reading['value'], deadband: number): boolean {
  if (typeof before === 'number' && typeof now === 'number')
    return deadband > 0 ? Math.abs(now - before) > deadband : now !== before;
  return before !== now;
}
