/** GB/T 26875.3: fire-alarm user transmission devices that connect to us. See README.md for wiring, keys and limits. */
import type { DriverModule } from '../../src/kit/driver.ts';
import { decode26875 } from './decode.ts';
import { converse26875 } from './driver.ts';

export const gb26875: DriverModule = {
  name: 'gb26875',
  carries: ['listen'],
  face: async () => (await import('./face.ts')).face,
  converse: converse26875,
  simulation: async () => (await import('./simulated.ts')).simulation,
  protocols: ['gbt26875.3'],
  decode: decode26875,
};
