/** A configured point as codec and planner want it. Types only of the schema: its library is no burden for a running gateway. */
import type { PointModel } from '../../src/base/model.ts';
import { type Layout, registersOf } from './codec.ts';
import { isBits, type Wanted } from './plan.ts';
import type { ModbusPoint } from './schema.ts';

export function layoutOf(point: ModbusPoint): Layout {
  const { as, length } = point.as;
  return {
    as,
    length,
    order: point.order,
    bit: point.bit,
    scale: point.scale,
    offset: point.offset,
    nan: point.nan,
    min: point.min,
    max: point.max,
  };
}

export function wantedOf(id: string, point: ModbusPoint): Wanted {
  const { table, address } = point.register;
  return { id, table, address, count: isBits(table) ? 1 : registersOf(layoutOf(point)) };
}

export function kindOf(point: ModbusPoint): PointModel['kind'] {
  if (point.as.as === 'bool' || point.bit !== undefined) return 'bool';
  return point.as.as === 'string' ? 'string' : 'number';
}
