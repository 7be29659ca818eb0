/** Modbus: RTU on serial lines and transparent servers, Modbus TCP. See README.md for wiring, keys and limits. */
import type { DriverModule } from '../../src/kit/driver.ts';
import { decodeModbus } from './decode.ts';
import { createModbusDriver } from './driver.ts';
import { planned } from './planned.ts';
import { placeOf, readOut, scanModbus } from './scan.ts';
import { seekModbus } from './seek.ts';

export const modbus: DriverModule = {
  name: 'modbus',
  carries: ['serial', 'tcp', 'modbus_tcp'],
  face: async () => (await import('./face.ts')).face,
  create: createModbusDriver,
  scan: scanModbus,
  place: placeOf,
  readOut,
  plan: planned,
  seek: seekModbus,
  simulation: async () => (await import('./simulated.ts')).simulation,
  protocols: ['modbus-rtu'],
  decode: decodeModbus,
};
