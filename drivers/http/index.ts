/** Systems that send CloudEvents, JSON or forms to the gateway over HTTP. See README.md for wiring, keys and limits. */
import type { DriverModule } from '../../src/kit/driver.ts';
import { httpIntake } from './driver.ts';

export const http: DriverModule = {
  name: 'http',
  carries: ['http'],
  face: async () => (await import('./face.ts')).face,
  intake: httpIntake,
  protocols: [],
  decode: () => ({ outcome: 'unsupported' }),
};
