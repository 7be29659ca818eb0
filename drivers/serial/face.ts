/** A freely described device as the configuration sees it. */
import type { DriverFace, PointDefaults } from '../../src/base/driver.ts';
import type { PointModel } from '../../src/base/model.ts';
import type { Problem } from '../../src/base/problem.ts';
import { pointModel } from '../../src/kit/points.ts';
import { kindOf } from './codec.ts';
import { deviceSchema, type SerialDevice } from './schema.ts';

export const face: DriverFace = {
  name: 'serial',
  carries: ['serial', 'tcp'],
  schema: deviceSchema,
  // Only the technician knows what tells two such devices apart.
  station: () => undefined,
  points: (config, defaults: PointDefaults): readonly PointModel[] =>
    Object.entries((config as SerialDevice).points).map(([id, point]) =>
      pointModel(id, kindOf(point), point, defaults),
    ),
  problems: (config) => problems(config as SerialDevice),
};

function problems({ frame, points }: SerialDevice): Problem[] {
  const found: Problem[] = [];
  const report = (code: Problem['code'], path: Problem['path'], params: Problem['params'] = {}): void => {
    found.push({ code, params, path, severity: 'error' });
  };
  if ([frame.end, frame.length, frame.gap || undefined].filter((x) => x !== undefined).length !== 1)
    report('config.one_frame_end', ['frame']);
  for (const [id, point] of Object.entries(points)) {
    if ((point.at === undefined) === (point.word === undefined)) report('config.at_or_word', ['points', id]);
    if (point.min !== undefined && point.max !== undefined && point.min > point.max)
      report('config.min_over_max', ['points', id, 'min']);
  }
  return found;
}
