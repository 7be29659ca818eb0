/**
 * A Modbus device on a line: RTU on serial ports and transparent servers, MBAP on Modbus TCP.
 *
 * - Each request of the plan is a turn of its own, so that a write waits at most one.
 * - An exception makes only the points concerned bad: a refused request for several points is repeated point by point in the same poll, and
 *   what is refused alone is from then on asked for alone (remembered in the device's memory).
 * - After a timeout the rest of the poll is not tried: the device is silent, and its silence costs the line one deadline, not ten.
 * - RTU replies do not say which register they are of. After a reply was given up, the next request to the device has another shape (another
 *   length) than those still unanswered: slaves answer in order, so once its reply is here, none of the old ones can come any more. The line's
 *   draining (src/link) covers what arrives soon; this covers what arrives late.
 * Not promised: a slave that answers out of order, or an exception reply so late that it is taken for a newer request's (it makes points bad,
 * never wrong).
 */
import { isWeinaoError, WeinaoError } from '../../src/base/errors/index.ts';
import type { Priority } from '../../src/base/line.ts';
import { PRIORITY } from '../../src/base/line.ts';
import type { Value } from '../../src/base/reading.ts';
import type { Driver, DriverContext, PollResult, RawReading, WriteResult } from '../../src/kit/driver.ts';
import { type Decoding, decoderOf, encode, type Layout } from './codec.ts';
import { fromTcp, replyLength, rtuFramer, tcpFramer, toTcp } from './frame.ts';
import { layoutOf, wantedOf } from './layout.ts';
import { createPduCodec, type Pending } from './pdu.ts';
import { isBits, plan, type Request, STANDARD_LIMITS, type Wanted } from './plan.ts';
import type { ModbusDevice, ModbusPoint } from './schema.ts';

const ALONE = 'read-alone';
const MOST_UNANSWERED = 6;

interface Point {
  readonly wanted: Wanted;
  readonly spec: ModbusPoint;
  readonly layout: Layout;
  readonly decode: (bytes: Uint8Array, at: number) => Decoding;
}

export function createModbusDriver(context: DriverContext): Driver {
  return new ModbusDriver(context);
}

class ModbusDriver implements Driver {
  private readonly context: DriverContext;
  private readonly config: ModbusDevice;
  private readonly points = new Map<string, Point>();
  private readonly codec = createPduCodec();
  private readonly alone: Set<string>;
  private plans = new WeakMap<readonly string[], readonly Request[]>();
  /** reply lengths of RTU requests given up; their replies may still come */
  private unanswered: number[] = [];
  private transaction = 0;

  constructor(context: DriverContext) {
    this.context = context;
    this.config = context.device.config as ModbusDevice;
    for (const [id, spec] of Object.entries(this.config.points)) {
      const layout = layoutOf(spec);
      this.points.set(id, { wanted: wantedOf(id, spec), spec, layout, decode: decoderOf(layout) });
    }
    this.alone = new Set((context.memory.get(ALONE) ?? '').split(' ').filter((id) => this.points.has(id)));
  }

  async probe(signal: AbortSignal): Promise<{ present: boolean; says?: string }> {
    const first = [...this.points.keys()].slice(0, 1);
    const { faults } = await this.poll(first, signal);
    const error = faults[0]?.error;
    if (error === undefined || error.code === 'device.refused') return { present: true };
    return { present: false, says: error.tell('en').says };
  }

  async poll(points: readonly string[], signal: AbortSignal): Promise<PollResult> {
    const readings: RawReading[] = [];
    const faults: { point: string; error: WeinaoError }[] = [];
    let silent: WeinaoError | undefined;
    for (const request of this.planOf(points)) {
      if (silent !== undefined) fault(faults, request.points, silent);
      else silent = await this.pollRequest(request, signal, readings, faults);
    }
    return { readings, faults };
  }

  async write(point: string, value: Value, signal: AbortSignal): Promise<WriteResult> {
    const target = this.points.get(point);
    if (target === undefined) throw new WeinaoError('device.unknown_point', { device: this.context.device.id, point });
    const pending = this.writeRequest(point, target, value);
    await this.exchange(pending, 'write', signal);
    const { readings } = await this.poll([point], signal);
    const back = readings[0]?.value;
    return back === null || back === undefined ? { done: false } : { done: back === value, readBack: back };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private planOf(points: readonly string[]): readonly Request[] {
    const known = this.plans.get(points);
    if (known !== undefined) return known;
    const wanted = points.flatMap((id) => {
      const point = this.points.get(id);
      return point === undefined ? [] : [{ ...point.wanted, alone: this.alone.has(id) }];
    });
    const made = plan(wanted, STANDARD_LIMITS);
    this.plans.set(points, made);
    return made;
  }

  /** Gives the error that ends the poll, when the device did not answer. */
  private async pollRequest(
    request: Request,
    signal: AbortSignal,
    readings: RawReading[],
    faults: { point: string; error: WeinaoError }[],
  ): Promise<WeinaoError | undefined> {
    try {
      const bytes = await this.read(request, signal);
      for (const id of request.points) readings.push(this.take(id, request, bytes));
      return undefined;
    } catch (error) {
      if (!isWeinaoError(error)) throw error;
      if (error.code !== 'device.refused') {
        fault(faults, request.points, error);
        return error.code === 'link.bad_frame' || error.code === 'device.nonsense' ? undefined : error;
      }
      if (request.points.length === 1) {
        fault(faults, request.points, error);
        return undefined;
      }
      return this.pollAlone(request, signal, readings, faults);
    }
  }

  private async pollAlone(
    request: Request,
    signal: AbortSignal,
    readings: RawReading[],
    faults: { point: string; error: WeinaoError }[],
  ): Promise<WeinaoError | undefined> {
    const before = faults.length;
    for (const id of request.points) {
      const wanted = this.points.get(id)?.wanted;
      if (wanted === undefined) continue;
      const single = { ...wanted, points: [id] };
      const silent = await this.pollRequest(single, signal, readings, faults);
      if (silent !== undefined) {
        fault(faults, request.points.slice(request.points.indexOf(id) + 1), silent);
        return silent;
      }
    }
    const refused = faults.slice(before).filter((f) => f.error.code === 'device.refused');
    // All refused alone, or none: then company was not the reason, and nothing is learned.
    if (refused.length > 0 && refused.length < request.points.length) this.learn(refused.map((f) => f.point));
    return undefined;
  }

  private learn(points: readonly string[]): void {
    for (const point of points) this.alone.add(point);
    this.plans = new WeakMap();
    this.context.memory.set(ALONE, [...this.alone].sort().join(' '));
    this.context.log.info('modbus.read_alone', { device: this.context.device.id, points: points.join(' ') });
  }

  private take(id: string, request: Request, bytes: Uint8Array): RawReading {
    const point = this.points.get(id);
    if (point === undefined) return { point: id, value: null, why: 'driver' };
    const at = point.wanted.address - request.address;
    const decoded = isBits(request.table) ? bitAt(bytes, at) : point.decode(bytes, at * 2);
    return decoded.value === null ? { point: id, value: null, why: decoded.why } : { point: id, value: decoded.value };
  }

  private async read(request: Request, signal: AbortSignal): Promise<Uint8Array> {
    const priority = this.priorityOf(request);
    if (this.unanswered.length > 0) await this.resync(request, priority, signal);
    return this.exchange(
      this.codec.readTable(this.config.address, request.table, request.address, request.count),
      priority,
      signal,
    );
  }

  /** A question of a shape none of the unanswered ones had. Refused or not, its answer is the newest. */
  private async resync(request: Request, priority: Priority, signal: AbortSignal): Promise<void> {
    const step = isBits(request.table) ? 8 : 1;
    for (let count = 1; ; count += step) {
      const pending = this.codec.readTable(
        this.config.address,
        request.table,
        Math.min(request.address, 65_536 - count),
        count,
      );
      if (this.unanswered.includes(replyLength(pending.request) ?? 0)) continue;
      try {
        await this.exchange(pending, priority, signal);
      } catch (error) {
        if (!isWeinaoError(error, 'device.refused')) throw error;
      }
      this.unanswered = [];
      return;
    }
  }

  private async exchange(pending: Pending, priority: Priority, signal: AbortSignal): Promise<Uint8Array> {
    const { line } = this.context;
    const tcp = line.channel.carries === 'modbus_tcp';
    const request = tcp ? toTcp(pending.request, this.nextTransaction()) : pending.request;
    const framer = tcp ? tcpFramer(request) : rtuFramer(request);
    const options = this.config.timeout === undefined ? {} : { deadlineMs: this.config.timeout };
    try {
      const reply = await line.turn(priority, signal, (turn) => turn.transact(request, framer, options));
      return pending.read(tcp ? fromTcp(reply) : reply);
    } catch (error) {
      const givenUp =
        isWeinaoError(error, 'link.timeout') ||
        isWeinaoError(error, 'link.bad_frame') ||
        isWeinaoError(error, 'link.cancelled');
      if (!tcp && givenUp) this.remember(pending.request);
      throw error;
    }
  }

  private remember(request: Uint8Array): void {
    this.unanswered.push(replyLength(request) ?? 0);
    if (this.unanswered.length > MOST_UNANSWERED) this.unanswered.shift();
  }

  private nextTransaction(): number {
    this.transaction = (this.transaction + 1) & 0xffff;
    return this.transaction;
  }

  private priorityOf(request: Request): Priority {
    let best: Priority = 'scan';
    for (const id of request.points) {
      const wanted = this.context.priority(id);
      if (PRIORITY[wanted] > PRIORITY[best]) best = wanted;
    }
    return best === 'scan' ? 'poll' : best;
  }

  private writeRequest(id: string, point: Point, value: Value): Pending {
    const { table, address } = point.spec.register;
    const unit = this.config.address;
    const refuse = (zh: string, en: string): never => {
      throw new WeinaoError('device.not_writable', { point: id, zh, en });
    };
    if (table === 'input' || table === 'discrete') return refuse(`${table} 表只读`, `table ${table} is read-only`);
    if (point.layout.bit !== undefined)
      return refuse('寄存器中的单个位不支持写入', 'a single bit of a register is not written');
    if (table === 'coil') {
      if (typeof value !== 'boolean') throw new WeinaoError('device.value_out_of_range', { point: id, value });
      return point.spec.write === 'multiple'
        ? this.codec.writeCoils(unit, address, [value])
        : this.codec.writeCoil(unit, address, value);
    }
    const bytes = encode(point.layout, value);
    if (bytes === undefined) throw new WeinaoError('device.value_out_of_range', { point: id, value });
    const words = Array.from(
      { length: bytes.length / 2 },
      (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0),
    );
    return words.length === 1 && point.spec.write === 'single'
      ? this.codec.writeRegister(unit, address, words[0] ?? 0)
      : this.codec.writeRegisters(unit, address, words);
  }
}

function bitAt(bytes: Uint8Array, at: number): { value: boolean } {
  return { value: (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) === 1 };
}

function fault(faults: { point: string; error: WeinaoError }[], points: readonly string[], error: WeinaoError): void {
  for (const point of points) faults.push({ point, error });
}
