/** The drivers of this gateway, one line each; nothing registers itself. */
import type { DriverModule } from '../src/kit/driver.ts';
import { modbus } from './modbus/index.ts';

export const drivers: readonly DriverModule[] = [modbus];
