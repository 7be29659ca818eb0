/**
 * An electricity meter on a DL/T 645 line, 2007 or 1997, read only: a wrong relay, address or baud frame cuts a flat's power or loses the meter, so
 * no such frame can be made here.
 *
 * A reply that is cut (more frames follow) is put together before it is split into numbers: the cut may be inside one. The reply names its
 * address and identifier, so an echo, another meter's or another item's frame is never taken for it.
 */

import { WeinaoError } from '../../src/base/errors/index.ts';
import { hexByte } from '../../src/kit/bcd.ts';
import type { Driver, DriverContext, Turn } from '../../src/kit/driver.ts';
import { framesIn } from '../../src/kit/frames.ts';
import { createItemDriver, type FieldValue } from '../../src/kit/items.ts';
import { valuesOf } from './codec.ts';
import { build645, type Frame645, framer645, grammar645, hasMore, isRefusal } from './frame.ts';
import { diBytes, type Item, itemOf } from './items.ts';
import { itemKey, itemOfPoint } from './points.ts';
import { errorTexts, READ, READ_NEXT } from './protocol.ts';
import type { Dlt645Device } from './schema.ts';

/** A meter may think 500 ms (2007, clause 5.4), and converters add to it. */
const PATIENCE = 1000;
/** a meter's largest block: total and 63 tariffs in two frames; more parts than this are nonsense */
const MOST_PARTS = 8;
const OTHERS = { '2007': ['04000401', '04000102', '00010000'], '1997': ['C032', 'C011', '9010'] } as const;

export function createDlt645Driver(context: DriverContext): Driver {
  const config = context.device.config as Dlt645Device;
  const { version } = config;
  const items = new Map<string, { readonly di: string; readonly item: Item }>();
  for (const di of OTHERS[version]) items.set(di, { di, item: itemOf(version, di) ?? { fields: [] } });
  const points = Object.entries(config.points).map(([id, point]) => {
    items.set(itemKey(point), { di: point.di, item: itemOfPoint(point, config) ?? { fields: [] } });
    const { field, bit, min, max } = point;
    return { id, item: itemKey(point), field, bit, min, max };
  });
  const deadlineMs = config.timeout ?? Math.max(PATIENCE, context.line.channel.timeoutMs);
  const read = async (turn: Turn, key: string): Promise<readonly FieldValue[]> => {
    const known = items.get(key);
    return known === undefined ? [] : valuesOf(known.item, await readItem(turn, config, known.di, deadlineMs));
  };
  return createItemDriver(context, points, { read, others: OTHERS[version] });
}

/** The data behind an identifier, put together from all its frames. Throws device.refused_item and device.nonsense. */
export async function readItem(
  turn: Turn,
  { address, version, preamble }: Pick<Dlt645Device, 'address' | 'version' | 'preamble'>,
  di: string,
  deadlineMs: number,
): Promise<Uint8Array> {
  const id = diBytes(di);
  const ask = async (control: number, data: Uint8Array): Promise<Frame645> => {
    const request = { address, control, data };
    const reply = await turn.transact(build645(request, preamble), framer645(request, id), { deadlineMs });
    const frame = framesIn(reply, grammar645).found[0]?.frame;
    if (frame === undefined) throw new WeinaoError('device.nonsense', { detail: di });
    if (isRefusal(frame)) throw refused(di, frame, version);
    return frame;
  };
  const first = await ask(READ[version], id);
  const parts = [first.data.subarray(id.length)];
  for (let last = first, sequence = 1; hasMore(last); sequence++) {
    if (sequence > MOST_PARTS)
      throw new WeinaoError('device.nonsense', { detail: `${di}: more than ${MOST_PARTS} parts` });
    last = await ask(READ_NEXT[version], Uint8Array.of(...id, sequence));
    if (last.data.at(-1) !== sequence)
      throw new WeinaoError('device.nonsense', { detail: `${di}: part ${sequence} is another` });
    parts.push(last.data.subarray(id.length, -1));
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function refused(di: string, { data }: Frame645, version: Dlt645Device['version']): WeinaoError {
  const error = data.length === 1 ? (data[0] ?? 0) : 0;
  const texts = errorTexts(version, error);
  const join = (lang: 'zh' | 'en'): string => texts.map((t) => t[lang]).join(', ') || `${hexByte(error)}h`;
  return new WeinaoError('device.refused_item', { item: di, zh: join('zh'), en: join('en') });
}
