/** What a message says, in the words of topics.ts: findings, each of one kind. Whatever cannot be read as what the table says makes none. */
import type { Notification } from './codec.ts';
import { CLASS_KINDS, ITEM_KINDS, KINDS, type KindName, type TopicRow, type TopicTable } from './topics.ts';

export interface Finding {
  readonly kind: KindName;
  readonly value: boolean | number;
}

export interface Meaning {
  readonly row: TopicRow | undefined;
  readonly findings: readonly Finding[];
  /** of an object detector, as the camera names them */
  readonly classes?: readonly string[];
}

const ON = ['true', '1', 'active', 'on', 'open', 'yes'];
const OFF = ['false', '0', 'inactive', 'off', 'closed', 'close', 'no'];

/** Undefined when a text is neither. */
export function readBool(text: string | undefined): boolean | undefined {
  const word = text?.trim().toLowerCase() ?? '';
  if (ON.includes(word)) return true;
  return OFF.includes(word) ? false : undefined;
}

export function readNumber(text: string | undefined): number | undefined {
  const word = text?.trim() ?? '';
  const number = word === '' ? Number.NaN : Number(word);
  return Number.isFinite(number) && !word.includes('x') ? number : undefined;
}

export function meaningOf(message: Notification, table: TopicTable): Meaning {
  const row = table.row(message.topic);
  const own = row?.reads === undefined || row.reads === 'bool' ? itemFindings(message, row) : [];
  if (own.length > 0 || row === undefined) return { row, findings: own };
  switch (row.reads ?? 'bool') {
    case 'classes': {
      const text = firstItem(message, row.items);
      if (text === undefined) return { row, findings: [] };
      const classes = text.split(' ').filter((word) => word !== '');
      const seen = new Set(classes.flatMap((word) => CLASS_KINDS.get(word) ?? []));
      const findings = [...new Set(CLASS_KINDS.values())].map((kind) => ({ kind, value: seen.has(kind) }));
      return { row, findings, classes };
    }
    case 'always':
      return { row, findings: [{ kind: row.kind, value: !saysNo(message) }] };
    case 'number':
      return { row, findings: found(row.kind, readNumber(firstItem(message, row.items) ?? onlyItem(message))) };
    case 'kelvin':
      return { row, findings: found(row.kind, celsius(message)) };
    case 'bool':
      return { row, findings: found(row.kind, readBool(firstItem(message, row.items) ?? onlyItem(message))) };
  }
}

const found = (kind: KindName, value: boolean | number | undefined): Finding[] =>
  value === undefined ? [] : [{ kind, value }];

/** Items that speak for themselves. One of them alone is the topic's own word, and the table says what that means. */
function itemFindings({ data }: Notification, row: TopicRow | undefined): Finding[] {
  const said = Object.entries(data).flatMap(([name, text]) => {
    const kind = ITEM_KINDS.get(name);
    const value = kind === undefined ? undefined : readBool(text);
    return kind === undefined || value === undefined ? [] : [{ kind, value }];
  });
  if (row === undefined || said.length > 1) return said;
  return said.map(({ value }) => ({ kind: row.kind, value }));
}

/** An event that says of itself that it is none. Other items that look like it are numbers of objects. */
const saysNo = ({ data }: Notification): boolean =>
  Object.entries(data).some(([name, text]) => (name === 'State' || name.startsWith('Is')) && readBool(text) === false);

const firstItem = ({ data }: Notification, items: readonly string[] | undefined): string | undefined => {
  const name = items?.find((item) => Object.hasOwn(data, item));
  return name === undefined ? undefined : data[name];
};

/** The one item that can be read as on or off; undefined when several can, for then nobody knows which is meant. */
function onlyItem({ data }: Notification): string | undefined {
  const values = Object.values(data);
  const readable = values.filter((text) => readBool(text) !== undefined);
  return values.length === 1 ? values[0] : readable.length === 1 ? readable[0] : undefined;
}

const KELVIN = 273.15;
/** no camera measures outside; what does is not kelvin */
const LEAST_KELVIN = 173;
const MOST_KELVIN = 2300;

function celsius({ elements, data }: Notification): number | undefined {
  const attributes = [...elements.values()];
  const text =
    ['MaxTemperature', 'SpotTemperature'].flatMap((name) => attributes.flatMap((a) => a.get(name) ?? []))[0] ??
    data.MaxTemperature ??
    data.SpotTemperature;
  const kelvin = readNumber(text);
  if (kelvin === undefined || kelvin < LEAST_KELVIN || kelvin > MOST_KELVIN) return undefined;
  return Math.round((kelvin - KELVIN) * 100) / 100;
}

/** The word other systems use for a kind. */
export const hintOf = (kind: KindName): string => {
  const { hint = kind }: { readonly hint?: string } = KINDS[kind];
  return hint;
};
