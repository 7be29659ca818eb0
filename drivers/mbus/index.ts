/** M-Bus (EN 13757-2 and -3): heat, water and other meters, read only. See README.md for wiring, keys and limits. */
import type { DriverModule } from '../../src/kit/driver.ts';
import { decodeMbus } from './decode.ts';
import { createMbusDriver } from './driver.ts';
import { planned } from './planned.ts';
import { seekMbus } from './seek.ts';

export const mbus: DriverModule = {
  name: 'mbus',
  carries: ['serial', 'tcp'],
  face: async () => (await import('./face.ts')).face,
  create: createMbusDriver,
  plan: planned,
  seek: seekMbus,
  simulation: async () => (await import('./simulated.ts')).simulation,
  protocols: ['mbus'],
  decode: decodeMbus,
};
