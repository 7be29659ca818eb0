/** `weinao form …`: entries made by hand. */
import { WeinaoError } from '../../base/errors/index.ts';
import type { Call } from '../world.ts';
import { type ByOption, operate, who } from './alarms.ts';

const MOST_SHOWN = 60;

export function formSubmit(call: Call, form: string, words: readonly string[], options: ByOption): Promise<number> {
  const fields = new Map<string, string>();
  for (const given of words) {
    const at = given.indexOf('=');
    const field = given.slice(0, Math.max(0, at));
    if (at <= 0 || fields.has(field)) throw new WeinaoError('cli.bad_field', { given: given.slice(0, MOST_SHOWN) });
    fields.set(field, given.slice(at + 1));
  }
  return operate(call, { kind: 'form', form, fields: Object.fromEntries(fields), by: who(call, options) });
}

export function formConfirm(call: Call, id: string, options: ByOption): Promise<number> {
  return operate(call, { kind: 'confirm', id, by: who(call, options) });
}
