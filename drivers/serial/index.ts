/** Devices of no standard: frames and fields as the configuration describes them. See README.md for wiring, keys and limits. */
import type { DriverModule } from '../../src/kit/driver.ts';
import { createSerialDriver } from './driver.ts';

export const serial: DriverModule = {
  name: 'serial',
  carries: ['serial', 'tcp'],
  face: async () => (await import('./face.ts')).face,
  create: createSerialDriver,
  simulation: async () => (await import('./simulated.ts')).simulation,
  protocols: [],
  decode: () => ({ outcome: 'unsupported' }),
};
