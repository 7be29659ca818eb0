/** The drivers of this gateway, one line each; nothing registers itself. */
import type { DriverFace } from '../src/base/driver.ts';
import type { DriverModule } from '../src/kit/driver.ts';
import { cjt188 } from './cjt188/index.ts';
import { dlt645 } from './dlt645/index.ts';
import { gb26875 } from './gb26875/index.ts';
import { http } from './http/index.ts';
import { mbus } from './mbus/index.ts';
import { modbus } from './modbus/index.ts';
import { mqtt } from './mqtt/index.ts';
import { onvif } from './onvif/index.ts';
import { serial } from './serial/index.ts';

export const drivers: readonly DriverModule[] = [modbus, dlt645, cjt188, mbus, gb26875, serial, mqtt, http, onvif];

export const driverFaces = (): Promise<readonly DriverFace[]> => Promise.all(drivers.map((driver) => driver.face()));
