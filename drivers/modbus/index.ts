/** Modbus: RTU on serial lines and transparent servers, Modbus TCP. See README.md for wiring, keys and limits. */
import type { PointDefaults } from '../../src/base/driver.ts';
import type { PointModel } from '../../src/base/model.ts';
import type { DriverModule } from '../../src/kit/driver.ts';
import { pointModel } from '../../src/kit/points.ts';
import { decodeModbus } from './decode.ts';
import { createModbusDriver } from './driver.ts';
import { scanModbus } from './scan.ts';
import { deviceSchema, kindOf, type ModbusDevice, modbusProblems } from './schema.ts';

export const modbus: DriverModule = {
  name: 'modbus',
  carries: ['serial', 'tcp', 'modbus_tcp'],
  schema: deviceSchema,
  station: (config) => String((config as ModbusDevice).address),
  points: (config, defaults: PointDefaults): readonly PointModel[] =>
    Object.entries((config as ModbusDevice).points).map(([id, point]) =>
      pointModel(id, kindOf(point), point, defaults),
    ),
  problems: (config) => modbusProblems(config as ModbusDevice),
  create: createModbusDriver,
  scan: scanModbus,
  protocols: ['modbus-rtu'],
  decode: decodeModbus,
};
