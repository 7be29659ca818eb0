/**
 * A water, heat or gas meter on a CJ/T 188 line, read only: a wrong valve frame cuts a flat's water.
 *
 * The order of the identifier's bytes is found out: unless the configuration says it, one is tried, after a silence or a refusal the other, and what
 * was answered is remembered for this meter.
 */
import { hex } from '../../src/base/bytes.ts';
import { isWeinaoError, WeinaoError } from '../../src/base/errors/index.ts';
import type { Driver, DriverContext, Turn } from '../../src/kit/driver.ts';
import { framesIn } from '../../src/kit/frames.ts';
import { createItemDriver, type FieldValue, type ItemReader } from '../../src/kit/items.ts';
import { FIELDS, valuesOf } from './codec.ts';
import { build188, type DiOrder, framer188, grammar188, idBytes, isRefusal } from './frame.ts';
import { type Cjt188Device, KINDS } from './schema.ts';

const READ = 0x01;
const PATIENCE = 1500;
const ORDER = 'di-order';
const CURRENT = '901F';
const OTHERS = ['D120', CURRENT] as const;

export function createCjt188Driver(context: DriverContext): Driver {
  const config = context.device.config as Cjt188Device;
  const points = Object.entries(config.points).map(([id, { di, field, bit, min, max, unit }]) => ({
    id,
    item: di,
    field,
    bit,
    min,
    max,
    unit: unit ?? FIELDS.get(field),
  }));
  return createItemDriver(context, points, new Reader(context, config));
}

class Reader implements ItemReader {
  readonly others = OTHERS;
  private readonly context: DriverContext;
  private readonly config: Cjt188Device;
  private order: DiOrder;
  private known: boolean;
  private serial = 0;

  constructor(context: DriverContext, config: Cjt188Device) {
    this.context = context;
    this.config = config;
    const remembered = context.memory.get(ORDER);
    this.known = config.di_order !== undefined || remembered !== undefined;
    this.order = config.di_order ?? (remembered === 'high-first' ? 'high-first' : 'low-first');
  }

  async read(turn: Turn, di: string): Promise<readonly FieldValue[]> {
    try {
      const values = await this.ask(turn, di);
      if (!this.known) this.context.memory.set(ORDER, this.order);
      this.known = true;
      return values;
    } catch (error) {
      // Every meter has current data; what else it refuses says nothing of the order.
      const isRefused = isWeinaoError(error, 'device.refused_item') && di === CURRENT;
      const isDoubtful = isWeinaoError(error, 'link.timeout') || isRefused;
      if (!this.known && isDoubtful) this.order = this.order === 'low-first' ? 'high-first' : 'low-first';
      throw error;
    }
  }

  private async ask(turn: Turn, di: string): Promise<readonly FieldValue[]> {
    const { address, kind, preamble, timeout, unit_first: unitFirst, flow_digits: flowDigits } = this.config;
    this.serial = (this.serial + 1) & 0xff;
    const request = { type: KINDS[kind], address, control: READ, data: idBytes(di, this.order, this.serial) };
    const deadlineMs = timeout ?? Math.max(PATIENCE, this.context.line.channel.timeoutMs);
    const reply = await turn.transact(build188(request, preamble), framer188(request, di), { deadlineMs });
    const frame = framesIn(reply, grammar188).found[0]?.frame;
    if (frame === undefined) throw new WeinaoError('device.nonsense', { detail: di });
    if (isRefusal(frame))
      throw new WeinaoError('device.refused_item', { item: di, zh: hex(frame.data), en: hex(frame.data) });
    const values = valuesOf(frame.type, di, frame.data.subarray(3), { unitFirst, flowDigits });
    if (values.length === 0)
      throw new WeinaoError('device.nonsense', {
        detail: `${di}: ${frame.data.length} bytes of a ${kind} meter are no known layout`,
      });
    return values;
  }
}
