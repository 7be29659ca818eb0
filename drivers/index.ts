/** The drivers of this gateway, one line each; nothing registers itself. */
import type { DriverModule } from '../src/kit/driver.ts';

export const drivers: readonly DriverModule[] = [];
