/** Modbus as the configuration sees it. */
import type { DriverFace, PointDefaults } from '../../src/base/driver.ts';
import type { PointModel } from '../../src/base/model.ts';
import { pointModel } from '../../src/kit/points.ts';
import { kindOf } from './layout.ts';
import { modbusProblems } from './problems.ts';
import { deviceSchema, type ModbusDevice } from './schema.ts';

export const face: DriverFace = {
  name: 'modbus',
  carries: ['serial', 'tcp', 'modbus_tcp'],
  schema: deviceSchema,
  station: (config) => String((config as ModbusDevice).address),
  points: (config, defaults: PointDefaults): readonly PointModel[] =>
    Object.entries((config as ModbusDevice).points).map(([id, point]) =>
      pointModel(id, kindOf(point), point, defaults),
    ),
  problems: (config) => modbusProblems(config as ModbusDevice),
};
