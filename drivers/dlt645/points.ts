/** A configured point's item: out of the tables, or as its own keys describe it. */
import { type Field, type Item, itemOf } from './items.ts';
import type { Dlt645Device, Dlt645Point } from './schema.ts';

export function itemOfPoint(point: Dlt645Point, { version }: Pick<Dlt645Device, 'version'>): Item | undefined {
  if (point.bytes === undefined) return itemOf(version, point.di);
  const field = {
    name: 'value',
    bytes: point.bytes,
    as: point.signed ? 'signed' : 'bcd',
    digits: point.digits,
  } as const;
  return { fields: [field] };
}

/** The field a point shows; undefined when its item has none of that name. A block may have up to 63 more. */
export function fieldOf(point: Dlt645Point, item: Item): Field | undefined {
  if (point.field === undefined) return item.fields[0];
  const known = item.fields.find((f) => f.name === point.field);
  if (known !== undefined || item.more === undefined) return known;
  return Array.from({ length: 63 }, (_, n) => item.more?.(n)).find((f) => f?.name === point.field);
}

/** Two points of one identifier may read it differently, and then they are two items. */
export const itemKey = (point: Dlt645Point): string =>
  point.bytes === undefined ? point.di : `${point.di} ${point.bytes} ${point.digits} ${point.signed}`;
