/** What the questions of an item device cost its line: for `weinao plan`, by the length of their frames and the usual time to think. */
import type { LineChannel } from '../base/model.ts';
import type { DevicePlan, PlanContext } from './driver.ts';

export interface ItemCost {
  readonly what: string;
  readonly points: number;
  /** bytes of all requests and replies of one reading */
  readonly bytes: number;
  /** exchanges of one reading */
  readonly exchanges: number;
}

const GAP_CHARACTERS = 3.5;

/** One character on the wire, ms; 0 where no speed is known. */
export function characterMs(channel: LineChannel): number {
  if (channel.carries === 'modbus_tcp') return 0;
  const { baud, dataBits, parity, stopBits } = channel.line;
  return ((1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits) * 1000) / baud;
}

/** Items cannot be read together, so what is planned is the least. */
export function itemPlan({ channel }: PlanContext, thinkMs: number, items: readonly ItemCost[]): DevicePlan {
  const reads = items.map(({ what, points, bytes, exchanges }) => ({
    what,
    points,
    registers: 0,
    ms: (bytes + exchanges * GAP_CHARACTERS) * characterMs(channel) + exchanges * thinkMs,
  }));
  const ms = reads.reduce((sum, read) => sum + read.ms, 0);
  return { reads, ms, leastMs: ms, learned: [] };
}

/** Points by the item they stand in, of those that are asked for. */
export function byItem<P>(
  points: Readonly<Record<string, P>>,
  asked: readonly string[] | undefined,
  itemOf: (point: P) => string,
): Map<string, P[]> {
  const items = new Map<string, P[]>();
  for (const [id, point] of Object.entries(points)) {
    if (asked !== undefined && !asked.includes(id)) continue;
    const item = itemOf(point);
    items.set(item, [...(items.get(item) ?? []), point]);
  }
  return items;
}
