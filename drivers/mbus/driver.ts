/**
 * A meter on M-Bus wires behind a level converter, by primary or secondary address, read only.
 *
 * Each reading begins with SND_NKE (or the selection by number), which sets the meter's frame count bit back and, by its E5, tells whether it is there.
 * A reply says whose it is and not which question it answers: late ones are told apart by counting (src/kit/owed.ts).
 */
import { hex } from '../../src/base/bytes.ts';
import { WeinaoError } from '../../src/base/errors/index.ts';
import type { Driver, DriverContext, Turn } from '../../src/kit/driver.ts';
import { framesIn } from '../../src/kit/frames.ts';
import { createItemDriver, type FieldValue, type ItemReader } from '../../src/kit/items.ts';
import { Owed } from '../../src/kit/owed.ts';
import { type Record, telegramOf } from './codec.ts';
import {
  ackFramer,
  dataFramer,
  FCB,
  type FrameMbus,
  grammarMbus,
  REQ_UD2,
  SELECTED,
  SND_NKE,
  select,
  short,
} from './frame.ts';
import { FIELDS, fieldOfPoint, namesOf } from './points.ts';
import type { MbusDevice } from './schema.ts';

const ITEM = 'data';
/** the standard allows 330 bit times and 50 ms; radio bridges and servers add to it */
const PATIENCE = 1000;
const MOST_TELEGRAMS = 16;

export function createMbusDriver(context: DriverContext): Driver {
  const config = context.device.config as MbusDevice;
  const points = Object.entries(config.points).map(([id, point]) => ({
    id,
    item: ITEM,
    field: fieldOfPoint(point),
    unit: point.unit ?? FIELDS.get(point.field ?? ''),
    min: point.min,
    max: point.max,
  }));
  return createItemDriver(context, points, new Reader(context, config));
}

class Reader implements ItemReader {
  readonly others = [];
  private readonly number: string | undefined;
  private readonly address: number;
  private readonly deadlineMs: number;
  private readonly owed = new Owed();

  constructor(context: DriverContext, { address, number, timeout }: MbusDevice) {
    this.number = number;
    this.address = number === undefined ? (address ?? 0) : SELECTED;
    this.deadlineMs = timeout ?? Math.max(PATIENCE, context.line.channel.timeoutMs);
  }

  async read(turn: Turn): Promise<readonly FieldValue[]> {
    const records = await this.owed.fresh(() => this.once(turn));
    return records.flatMap((record, place) =>
      namesOf(record, place).map((name) => ({
        name,
        value: record.value,
        ...(record.unit === undefined ? {} : { unit: record.unit }),
        ...(record.function === 'error-state' ? { doubtful: true } : {}),
      })),
    );
  }

  private async once(turn: Turn): Promise<readonly Record[]> {
    await turn.transact(short(SND_NKE, this.address), ackFramer, { deadlineMs: this.deadlineMs });
    if (this.number !== undefined) await turn.transact(select(this.number), ackFramer, { deadlineMs: this.deadlineMs });
    const records: Record[] = [];
    for (let n = 0, control = REQ_UD2; n < MOST_TELEGRAMS; n++, control ^= FCB) {
      const telegram = this.telegram(await this.data(turn, control));
      records.push(...telegram.records);
      if (!telegram.more) return records;
    }
    throw new WeinaoError('device.nonsense', { detail: `more than ${MOST_TELEGRAMS} telegrams` });
  }

  private async data(turn: Turn, control: number): Promise<FrameMbus> {
    const framer = dataFramer(this.address, this.number);
    const reply = await this.owed.question(() =>
      turn.transact(short(control, this.address), framer, { deadlineMs: this.deadlineMs }),
    );
    const frame = framesIn(reply, grammarMbus).found[0]?.frame;
    if (frame === undefined) throw new WeinaoError('device.nonsense', { detail: hex(reply) });
    return frame;
  }

  private telegram({ ci, data }: FrameMbus): NonNullable<ReturnType<typeof telegramOf>> {
    if (ci === 0x70) {
      const code = String(data[0] ?? 0);
      throw new WeinaoError('device.refused_item', {
        item: 'REQ_UD2',
        zh: `应用错误 ${code}`,
        en: `application error ${code}`,
      });
    }
    const telegram = ci === 0x72 ? telegramOf(data) : undefined;
    if (telegram === undefined)
      throw new WeinaoError('device.nonsense', { detail: `CI ${ci.toString(16)}: ${hex(data)}` });
    return telegram;
  }
}
