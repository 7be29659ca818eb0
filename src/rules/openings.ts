/** The site's named times for others than rules. */
import type { SiteModel } from '../base/model.ts';
import { createTimes, parseSpan } from './compile/times.ts';

/** Whether one of these named times is open at a moment, UTC ms. A name the site does not have, or cannot compute, is not. */
export function createOpenings({ site, times }: SiteModel): (names: readonly string[], wall: number) => boolean {
  const clock = createTimes(site);
  return (names, wall) =>
    names.some((name) => {
      const span = parseSpan(times.get(name) ?? '');
      return span !== undefined && clock.isOpen(span, wall);
    });
}
