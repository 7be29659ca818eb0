/** A feed that may see everything, as tests that are about something else have it. */
import { type Entitlement, EVERYTHING } from '../../src/base/view.ts';

export const SECRET = new Uint8Array(32).fill(7);
export const SEES_ALL: Entitlement = { view: 'everything.1', selects: EVERYTHING, pseudonyms: 'test' };
