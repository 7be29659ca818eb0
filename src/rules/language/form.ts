/** `form` documents: what people enter by hand or through the API. Every field is bounded; free text is personal unless the form says otherwise. */

import type { DataClass } from '../../base/data-class.ts';
import { isId } from '../../base/ids.ts';
import type { RuleDocument } from '../../base/model.ts';
import type { Fields } from './fields.ts';

export const FORM_KEYS = ['form', 'name', 'from', 'confirm', 'keep_days', 'fields', 'tests'];
export const FORM_FIELD_KEYS = ['id', 'label', 'pick', 'text', 'number', 'place', 'must', 'person'];
const MOST_TEXT = 2000;
const MOST_DAYS = 3650;
const CLASSES = ['none', 'personal', 'sensitive'] as const;

export type FieldKind =
  | { readonly is: 'pick'; readonly choices: readonly string[] }
  | { readonly is: 'text'; readonly most: number }
  | { readonly is: 'number'; readonly least: number; readonly most: number }
  | { readonly is: 'place' };

export interface FormField {
  readonly id: string;
  readonly label: string;
  readonly kind: FieldKind;
  readonly must: boolean;
  readonly person: DataClass;
}

export interface FormSpec {
  readonly document: RuleDocument;
  readonly id: string;
  readonly name: string;
  /** how many people must agree before it counts */
  readonly confirm: number;
  /** days after which what was entered is erased */
  readonly keepDays?: number;
  readonly fields: readonly FormField[];
}

export function readForm(fields: Fields, document: RuleDocument): FormSpec | undefined {
  fields.only(FORM_KEYS);
  const id = fields.text('form', true) ?? '';
  if (id !== '' && !isId(id)) fields.wrong('rules.bad_id', ['form'], { given: id });
  fields.words('from');
  const keepDays = fields.number('keep_days');
  if (keepDays !== undefined && !(Number.isInteger(keepDays) && keepDays >= 1 && keepDays <= MOST_DAYS))
    fields.wrong('rules.wrong_type', ['keep_days'], {
      key: 'keep_days',
      zh: `1 到 ${MOST_DAYS} 的整数（天）`,
      en: `whole days, 1 to ${MOST_DAYS}`,
    });
  if (!fields.has('fields')) fields.wrong('rules.missing', [], { key: 'fields' });
  const list = fields.list('fields', '[{id: text, label: 内容, text: 500}]') ?? [];
  const read = list.map(readField).filter((f) => f !== undefined);
  const spec: FormSpec = {
    document,
    id,
    name: fields.text('name') ?? id,
    confirm: fields.number('confirm') ?? 1,
    ...(keepDays === undefined ? {} : { keepDays }),
    fields: read,
  };
  return fields.ok ? spec : undefined;
}

function readField(field: Fields): FormField | undefined {
  field.only(FORM_FIELD_KEYS);
  const id = field.text('id', true) ?? '';
  if (id !== '' && !isId(id)) field.wrong('rules.bad_id', ['id'], { given: id });
  const kind = readKind(field);
  const person = field.choice('person', CLASSES) ?? (kind?.is === 'text' ? 'personal' : 'none');
  const label = field.text('label') ?? id;
  const must = field.flag('must') ?? false;
  return kind === undefined || !field.ok ? undefined : { id, label, kind, must, person };
}

function readKind(field: Fields): FieldKind | undefined {
  if (field.has('pick')) {
    const choices = field.words('pick');
    return choices === undefined ? undefined : { is: 'pick', choices };
  }
  if (field.has('number')) {
    const [least, most] = Array.isArray(field.body.number) ? (field.body.number as unknown[]) : [];
    if (typeof least === 'number' && typeof most === 'number' && least <= most) return { is: 'number', least, most };
    return field.wrong('rules.wrong_type', ['number'], {
      key: 'number',
      zh: '范围，例如 [1, 999]',
      en: 'a range such as [1, 999]',
    });
  }
  if (field.has('place')) return { is: 'place' };
  const most = field.has('text') ? field.number('text') : undefined;
  if (most !== undefined && most >= 1 && most <= MOST_TEXT) return { is: 'text', most };
  return field.wrong('rules.missing', [], { key: 'pick | text | number | place' });
}
