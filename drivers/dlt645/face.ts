/** DL/T 645 as the configuration sees it. */
import type { DriverFace, PointDefaults } from '../../src/base/driver.ts';
import type { PointModel } from '../../src/base/model.ts';
import type { Problem } from '../../src/base/problem.ts';
import { pointModel } from '../../src/kit/points.ts';
import { fieldOf, itemOfPoint } from './points.ts';
import { type Dlt645Device, deviceSchema } from './schema.ts';

export const face: DriverFace = {
  name: 'dlt645',
  carries: ['serial', 'tcp'],
  schema: deviceSchema,
  station: (config) => (config as Dlt645Device).address,
  points: (config, defaults: PointDefaults): readonly PointModel[] =>
    Object.entries((config as Dlt645Device).points).map(([id, point]) => {
      const item = itemOfPoint(point, config as Dlt645Device);
      const field = item === undefined ? undefined : fieldOf(point, item);
      const isNumber = field === undefined || ['bcd', 'signed', 'bits'].includes(field.as);
      const kind = point.bit !== undefined ? 'bool' : isNumber ? 'number' : 'string';
      const unit = point.unit ?? (point.bit === undefined ? field?.unit : undefined);
      return pointModel(id, kind, { ...point, ...(unit === undefined ? {} : { unit }) }, defaults);
    }),
  problems: (config) => problems(config as Dlt645Device),
};

function problems(device: Dlt645Device): Problem[] {
  const found: Problem[] = [];
  const report = (id: string, key: string, code: Problem['code'], params: Problem['params'] = {}): void => {
    found.push({ code, params, path: ['points', id, key], severity: 'error' });
  };
  for (const [id, point] of Object.entries(device.points)) {
    const item = itemOfPoint(point, device);
    if (point.di.length !== (device.version === '2007' ? 8 : 4))
      report(id, 'di', 'config.bad_item', {
        given: point.di,
        format_zh: device.version === '2007' ? '2007 版是 8 位' : '1997 版是 4 位',
        format_en: device.version === '2007' ? '8 digits in version 2007' : '4 digits in version 1997',
      });
    else if (item === undefined) report(id, 'di', 'config.unknown_item', { item: point.di });
    else if (fieldOf(point, item) === undefined)
      report(id, 'field', 'config.unknown_field', {
        item: point.di,
        given: point.field ?? '',
        known: [...item.fields, ...(item.more === undefined ? [] : [item.more(0)])].map((f) => f.name).join(' '),
      });
    if (point.bit !== undefined && item !== undefined && fieldOf(point, item)?.as !== 'bits')
      report(id, 'bit', 'config.bit_needs_register');
    if (point.min !== undefined && point.max !== undefined && point.min > point.max)
      report(id, 'min', 'config.min_over_max');
  }
  return found;
}
