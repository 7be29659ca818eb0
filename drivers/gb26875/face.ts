/** A transmission device as the configuration sees it. */
import type { DriverFace, PointDefaults } from '../../src/base/driver.ts';
import type { PointModel } from '../../src/base/model.ts';
import type { Problem } from '../../src/base/problem.ts';
import { pointModel } from '../../src/kit/points.ts';
import { ANALOGS } from './codec.ts';
import { deviceSchema, type FireDevice } from './schema.ts';

const unitOf = (analog: string): string | undefined => [...ANALOGS.values()].find(([name]) => name === analog)?.[1];

export const face: DriverFace = {
  name: 'gb26875',
  carries: ['listen'],
  schema: deviceSchema,
  station: (config) => String((config as FireDevice).address),
  points: (config, defaults: PointDefaults): readonly PointModel[] =>
    Object.entries((config as FireDevice).points).map(([id, point]) => {
      const unit = point.analog === undefined ? undefined : unitOf(point.analog);
      const common = { ...point, ...(unit === undefined ? {} : { unit }) };
      return pointModel(id, point.analog === undefined ? 'bool' : 'number', common, defaults);
    }),
  problems: (config) =>
    Object.entries((config as FireDevice).points).flatMap(([id, point]): Problem[] => {
      const kinds = [point.state, point.analog].filter((k) => k !== undefined).length;
      const places = [point.component, point.system, point.transmitter || undefined].filter(
        (p) => p !== undefined,
      ).length;
      const path = ['points', id];
      if (kinds !== 1) return [{ code: 'config.state_or_analog', params: {}, path, severity: 'error' }];
      if (places > 1 || (point.analog !== undefined && point.component === undefined))
        return [{ code: 'config.one_place', params: {}, path, severity: 'error' }];
      return [];
    }),
};
