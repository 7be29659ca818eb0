/** What a meter costs its line: for `weinao plan`. One telegram of the usual size is assumed. */
import type { DevicePlan, PlanContext } from '../../src/kit/driver.ts';
import { itemPlan } from '../../src/kit/item-plan.ts';
import type { MbusDevice } from './schema.ts';

const RESET = 6;
const SELECTION = 18;
const REQUEST = 5;
const TELEGRAM = 90;
const THINKS = 50;

export function planned(context: PlanContext): DevicePlan {
  const { number, points } = context.device.config as MbusDevice;
  const selects = number === undefined ? 0 : 1;
  const bytes = RESET + selects * SELECTION + REQUEST + TELEGRAM;
  const asked = context.points?.length ?? Object.keys(points).length;
  return itemPlan(
    context,
    THINKS,
    asked === 0 ? [] : [{ what: 'REQ_UD2', points: asked, bytes, exchanges: 2 + selects }],
  );
}
