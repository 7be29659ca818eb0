/** DL/T 645-2007 and 1997: electricity meters, read only. See README.md for wiring, keys and limits. */
import type { DriverModule } from '../../src/kit/driver.ts';
import { decode645 } from './decode.ts';
import { createDlt645Driver } from './driver.ts';
import { planned } from './planned.ts';
import { seek645 } from './seek.ts';

export const dlt645: DriverModule = {
  name: 'dlt645',
  carries: ['serial', 'tcp'],
  face: async () => (await import('./face.ts')).face,
  create: createDlt645Driver,
  plan: planned,
  seek: seek645,
  simulation: async () => (await import('./simulated.ts')).simulation,
  protocols: ['dlt645-2007', 'dlt645-1997'],
  decode: decode645,
};
