/** ONVIF cameras and recorders. See README.md for what to set in the camera, keys and limits. */
import type { DriverModule } from '../../src/kit/driver.ts';
import { decodeOnvif } from './decode.ts';
import { attachCamera } from './driver.ts';

export const onvif: DriverModule = {
  name: 'onvif',
  carries: [],
  face: async () => (await import('./face.ts')).face,
  attach: attachCamera,
  find: async (context) => (await import('./find.ts')).findCameras(context),
  simulation: async () => (await import('./simulated.ts')).simulation,
  protocols: ['onvif'],
  decode: decodeOnvif,
};
