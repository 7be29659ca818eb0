/** CJ/T 188 as the configuration sees it. */
import type { DriverFace, PointDefaults } from '../../src/base/driver.ts';
import type { PointModel } from '../../src/base/model.ts';
import type { Problem } from '../../src/base/problem.ts';
import { pointModel } from '../../src/kit/points.ts';
import { FIELDS } from './codec.ts';
import { type Cjt188Device, deviceSchema } from './schema.ts';

const TEXTS = ['meter_time', 'valve'];

export const face: DriverFace = {
  name: 'cjt188',
  carries: ['serial', 'tcp'],
  schema: deviceSchema,
  station: (config) => (config as Cjt188Device).address,
  points: (config, defaults: PointDefaults): readonly PointModel[] =>
    Object.entries((config as Cjt188Device).points).map(([id, point]) => {
      const kind = point.bit !== undefined ? 'bool' : TEXTS.includes(point.field) ? 'string' : 'number';
      const unit = point.unit ?? FIELDS.get(point.field);
      return pointModel(id, kind, { ...point, ...(unit === undefined ? {} : { unit }) }, defaults);
    }),
  problems: (config) => problems(config as Cjt188Device),
};

function problems(device: Cjt188Device): Problem[] {
  const found: Problem[] = [];
  const report = (id: string, key: string, code: Problem['code'], params: Problem['params'] = {}): void => {
    found.push({ code, params, path: ['points', id, key], severity: 'error' });
  };
  for (const [id, point] of Object.entries(device.points)) {
    if (!FIELDS.has(point.field))
      report(id, 'field', 'config.unknown_field', {
        item: point.di,
        given: point.field,
        known: [...FIELDS.keys()].join(' '),
      });
    if (point.bit !== undefined && !point.field.startsWith('status_')) report(id, 'bit', 'config.bit_needs_register');
    if (point.min !== undefined && point.max !== undefined && point.min > point.max)
      report(id, 'min', 'config.min_over_max');
  }
  return found;
}
