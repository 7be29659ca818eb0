/** The drivers of this gateway, one line each; nothing registers itself. */
import type { DriverFace } from '../src/base/driver.ts';
import type { DriverModule } from '../src/kit/driver.ts';
import { modbus } from './modbus/index.ts';

export const drivers: readonly DriverModule[] = [modbus];

export const driverFaces = (): Promise<readonly DriverFace[]> => Promise.all(drivers.map((driver) => driver.face()));
