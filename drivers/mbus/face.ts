/** M-Bus as the configuration sees it. */
import type { DriverFace, PointDefaults } from '../../src/base/driver.ts';
import type { PointModel } from '../../src/base/model.ts';
import type { Problem } from '../../src/base/problem.ts';
import { pointModel } from '../../src/kit/points.ts';
import { FIELDS } from './points.ts';
import { deviceSchema, type MbusDevice } from './schema.ts';

export const face: DriverFace = {
  name: 'mbus',
  carries: ['serial', 'tcp'],
  schema: deviceSchema,
  station: (config) => {
    const { address, number } = config as MbusDevice;
    return number ?? (address === undefined ? undefined : String(address));
  },
  points: (config, defaults: PointDefaults): readonly PointModel[] =>
    Object.entries((config as MbusDevice).points).map(([id, point]) => {
      const unit = point.unit ?? FIELDS.get(point.field ?? '');
      const isText = point.field !== undefined && !FIELDS.has(point.field);
      return pointModel(
        id,
        isText ? 'string' : 'number',
        { ...point, ...(unit === undefined ? {} : { unit }) },
        defaults,
      );
    }),
  problems: (config) => problems(config as MbusDevice),
};

function problems(device: MbusDevice): Problem[] {
  const found: Problem[] = [];
  if ((device.address === undefined) === (device.number === undefined))
    found.push({ code: 'config.one_address', params: {}, path: ['address'], severity: 'error' });
  for (const [id, point] of Object.entries(device.points)) {
    if ((point.field === undefined) === (point.record === undefined))
      found.push({ code: 'config.field_or_record', params: {}, path: ['points', id], severity: 'error' });
    if (point.min !== undefined && point.max !== undefined && point.min > point.max)
      found.push({ code: 'config.min_over_max', params: {}, path: ['points', id, 'min'], severity: 'error' });
  }
  return found;
}
