/** What a meter costs its line: for `weinao plan`. */
import type { DevicePlan, PlanContext } from '../../src/kit/driver.ts';
import { byItem, itemPlan } from '../../src/kit/item-plan.ts';
import type { Cjt188Device } from './schema.ts';

const FRAME = 13;
const ID = 3;
const BODY = { water: 19, heat: 43, month: 5 } as const;
const THINKS = 150;

export function planned(context: PlanContext): DevicePlan {
  const config = context.device.config as Cjt188Device;
  const now = ['heat', 'cooling', 'heat_cooling'].includes(config.kind) ? BODY.heat : BODY.water;
  const items = [...byItem(config.points, context.points, (point) => point.di)].map(([di, points]) => {
    const bytes = 2 * (FRAME + ID) + 2 * config.preamble + (di === '901F' ? now : BODY.month);
    return { what: di, points: points.length, bytes, exchanges: 1 };
  });
  return itemPlan(context, THINKS, items);
}
