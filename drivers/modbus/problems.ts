/** What is wrong with a device section and no schema can say. */
import type { Problem } from '../../src/base/problem.ts';
import { registersOf } from './codec.ts';
import { layoutOf, wantedOf } from './layout.ts';
import { isBits } from './plan.ts';
import type { ModbusDevice } from './schema.ts';

export function modbusProblems(device: ModbusDevice): Problem[] {
  const problems: Problem[] = [];
  const report = (id: string, key: string, code: Problem['code'], params: Problem['params'] = {}): void => {
    problems.push({ code, params, path: ['points', id, key], severity: 'error' });
  };
  for (const [id, point] of Object.entries(device.points)) {
    const bits = isBits(point.register.table);
    const wide = !bits && registersOf(layoutOf(point)) > 1;
    if (bits && point.as.as !== 'bool') report(id, 'as', 'config.bits_are_bool', { table: point.register.table });
    if (point.bit !== undefined && (bits || wide || point.as.as === 'string'))
      report(id, 'bit', 'config.bit_needs_register');
    if (!bits && point.as.as === 'bool' && point.bit === undefined && point.nan.length === 0 && point.scale !== 1)
      report(id, 'scale', 'config.scale_of_bool');
    if (point.scale === 0) report(id, 'scale', 'config.scale_zero');
    if (wantedOf(id, point).address + wantedOf(id, point).count > 65_536) report(id, 'register', 'config.register_end');
    if (point.min !== undefined && point.max !== undefined && point.min > point.max)
      report(id, 'min', 'config.min_over_max');
  }
  return problems;
}
