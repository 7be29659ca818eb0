/** `weinao form …`: entries made by hand. */
import { WeinaoError } from '../../base/errors/index.ts';
import type { Call } from '../world.ts';
import { type ByOption, operate, who } from './alarms.ts';

export function formSubmit(call: Call, form: string, words: readonly string[], options: ByOption): Promise<number> {
  const fields: Record<string, string> = {};
  for (const given of words) {
    const at = given.indexOf('=');
    if (at <= 0) throw new WeinaoError('cli.bad_field', { given });
    fields[given.slice(0, at)] = given.slice(at + 1);
  }
  return operate(call, { kind: 'form', form, fields, by: who(call, options) });
}

export function formConfirm(call: Call, id: string, options: ByOption): Promise<number> {
  return operate(call, { kind: 'confirm', id, by: who(call, options) });
}
