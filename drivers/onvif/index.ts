/** ONVIF cameras and recorders. See README.md for what to set in the camera, keys and limits. */
import type { DriverModule } from '../../src/kit/driver.ts';
import { decodeOnvif } from './decode.ts';
import { attachCamera } from './driver.ts';

export const onvif: DriverModule = {
  name: 'onvif',
  carries: [],
  face: async () => (await import('./face.ts')).face,
  attach: attachCamera,
  protocols: ['onvif'],
  decode: decodeOnvif,
};
