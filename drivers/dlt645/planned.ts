/** What a meter costs its line: for `weinao plan`. */
import type { DevicePlan, PlanContext } from '../../src/kit/driver.ts';
import { byItem, itemPlan } from '../../src/kit/item-plan.ts';
import { itemKey, itemOfPoint } from './points.ts';
import type { Dlt645Device } from './schema.ts';

/** frame without address filler: 68, address, 68, C, L, CS, 16 */
const FRAME = 12;
/** DL/T 645-2007, 5.4 allows 20 to 500 ms */
const THINKS = 100;
/** the total and four tariffs, where a block is read */
const BLOCK = 5;

export function planned(context: PlanContext): DevicePlan {
  const config = context.device.config as Dlt645Device;
  const items = [...byItem(config.points, context.points, itemKey)].map(([key, points]) => {
    const [first] = points;
    const item = first === undefined ? undefined : itemOfPoint(first, config);
    const one = item?.fields.reduce((sum, f) => sum + f.bytes, 0) ?? 4;
    const di = config.version === '2007' ? 4 : 2;
    const data = di + (item?.more === undefined ? one : one * BLOCK);
    const bytes = 2 * (FRAME + config.preamble) + di + data;
    return { what: key.split(' ')[0] ?? key, points: points.length, bytes, exchanges: 1 };
  });
  return itemPlan(context, THINKS, items);
}
