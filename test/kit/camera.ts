/** A simulated camera behind real HTTP on 127.0.0.1, on free ports; ends with the test. */
import { onTestFinished } from 'vitest';
import { type Camera, type CameraOptions, createCamera } from '../../drivers/onvif/simulator.ts';
import { systemClock } from '../../src/io/clock.ts';
import { systemRandom } from '../../src/io/random.ts';
import { serveWeb } from '../../src/io/web-server.ts';

export async function startCamera(options: Omit<CameraOptions, 'place'>): Promise<Camera> {
  const clock = systemClock();
  const camera = createCamera({ ...options, place: { host: '127.0.0.1', port: 0 } }, clock, systemRandom());
  const main = await serveWeb('127.0.0.1', 0, camera.handle.bind(camera));
  onTestFinished(() => main.close());
  camera.place.port = main.port;
  if (camera.persona.subscriptionPort === undefined) return camera;
  const second = await serveWeb('127.0.0.1', 0, camera.handle.bind(camera));
  onTestFinished(() => second.close());
  camera.place.eventPort = second.port;
  return camera;
}
