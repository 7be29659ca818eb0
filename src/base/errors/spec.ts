import type { Text } from '../text.ts';

/**
 * What an error code means.
 * - `says`: what happened, a template filled with the error's parameters.
 * - `next`: the likely cause and what the technician should do.
 * - `retry`: `never` = the same call fails again until a person changes something; `later` = worth another try after a back-off;
 *   `now` = worth another try at once.
 */
export interface ErrorSpec {
  readonly says: Text;
  readonly next: Text;
  readonly retry: 'never' | 'later' | 'now';
}

/** Keeps the literal keys of a table of codes while checking each row. */
export function errorTable<K extends string>(table: Record<K, ErrorSpec>): Readonly<Record<K, ErrorSpec>> {
  return table;
}
