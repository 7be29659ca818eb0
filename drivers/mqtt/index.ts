/** Devices behind a broker of the estate: Zigbee2MQTT, LoRaWAN network servers, any JSON topic. See README.md for wiring, keys and limits. */
import type { DriverModule } from '../../src/kit/driver.ts';
import { mqttIntake } from './driver.ts';

export const mqtt: DriverModule = {
  name: 'mqtt',
  carries: ['mqtt'],
  face: async () => (await import('./face.ts')).face,
  intake: mqttIntake,
  simulation: async () => (await import('./simulated.ts')).simulation,
  protocols: [],
  decode: () => ({ outcome: 'unsupported' }),
};
