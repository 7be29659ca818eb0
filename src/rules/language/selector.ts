/** `each: {…}` and `of: {…}`: which devices or places. */
import type { Fields } from './fields.ts';

export const SELECTORS = ['type', 'in', 'tag', 'zone', 'device'] as const;

export interface Selector {
  readonly type?: readonly string[];
  readonly in?: readonly string[];
  readonly tag?: readonly string[];
  /** one instance for each place */
  readonly zone?: readonly string[];
  readonly device?: readonly string[];
  /** metres from the instance's own device; only in `of` */
  readonly near?: number;
}

export function readSelector(fields: Fields | undefined, inWindow = false): Selector | undefined {
  if (fields === undefined) return undefined;
  fields.only(inWindow ? [...SELECTORS, 'near'] : SELECTORS);
  const selector: { -readonly [K in keyof Selector]: Selector[K] } = {};
  for (const key of SELECTORS) {
    const words = fields.words(key);
    if (words !== undefined) selector[key] = words;
  }
  const near = inWindow ? fields.number('near') : undefined;
  if (near !== undefined) selector.near = near;
  return selector;
}
