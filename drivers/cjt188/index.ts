/** CJ/T 188: water, heat and gas meters, read only. See README.md for wiring, keys and limits. */
import type { DriverModule } from '../../src/kit/driver.ts';
import { decode188 } from './decode.ts';
import { createCjt188Driver } from './driver.ts';
import { planned } from './planned.ts';
import { seek188 } from './seek.ts';

export const cjt188: DriverModule = {
  name: 'cjt188',
  carries: ['serial', 'tcp'],
  face: async () => (await import('./face.ts')).face,
  create: createCjt188Driver,
  plan: planned,
  seek: seek188,
  simulation: async () => (await import('./simulated.ts')).simulation,
  protocols: ['cjt188'],
  decode: decode188,
};
