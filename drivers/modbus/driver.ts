/**
 * A Modbus device on a line: RTU on serial ports and transparent servers, MBAP on Modbus TCP.
 *
 * Each request of the plan is a turn of its own, so that a write waits at most one. Reading and learning: reader.ts; what happens to bytes: wire.ts.
 */
import { WeinaoError } from '../../src/base/errors/index.ts';
import type { Value } from '../../src/base/reading.ts';
import type { Driver, DriverContext, PollResult, RawReading, WriteResult } from '../../src/kit/driver.ts';
import { type Decoding, decoderOf, encode, type Layout } from './codec.ts';
import { layoutOf, wantedOf } from './layout.ts';
import type { Pending } from './pdu.ts';
import { isBits, type Request, type Wanted } from './plan.ts';
import { Reader } from './reader.ts';
import { limitsOfDevice, type ModbusDevice, type ModbusPoint } from './schema.ts';
import { Wire } from './wire.ts';

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
  private readonly wire: Wire;
  private readonly reader: Reader;

  constructor(context: DriverContext) {
    this.context = context;
    this.config = context.device.config as ModbusDevice;
    for (const [id, spec] of Object.entries(this.config.points)) {
      const layout = layoutOf(spec);
      this.points.set(id, { wanted: wantedOf(id, spec), spec, layout, decode: decoderOf(layout) });
    }
    this.wire = new Wire(context, this.config.address, this.config.timeout);
    const wanted = new Map([...this.points].map(([id, { wanted }]) => [id, wanted]));
    this.reader = new Reader(context, this.wire, wanted, limitsOfDevice(this.config));
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
    for (const { request, bytes, error } of await this.reader.poll(points, signal)) {
      for (const id of request.points) {
        if (bytes !== undefined) readings.push(this.take(id, request, bytes));
        else if (error !== undefined) faults.push({ point: id, error });
      }
    }
    return { readings, faults };
  }

  async write(point: string, value: Value, signal: AbortSignal): Promise<WriteResult> {
    const target = this.points.get(point);
    if (target === undefined) throw new WeinaoError('device.unknown_point', { device: this.context.device.id, point });
    await this.wire.exchange(this.writeRequest(point, target, value), 'write', signal);
    const { readings } = await this.poll([point], signal);
    const back = readings[0]?.value;
    return back === null || back === undefined ? { done: false } : { done: back === value, readBack: back };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private take(id: string, request: Request, bytes: Uint8Array): RawReading {
    const point = this.points.get(id);
    if (point === undefined) return { point: id, value: null, why: 'driver' };
    const at = point.wanted.address - request.address;
    const decoded = isBits(request.table) ? bitAt(bytes, at) : point.decode(bytes, at * 2);
    return decoded.value === null ? { point: id, value: null, why: decoded.why } : { point: id, value: decoded.value };
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
        ? this.wire.codec.writeCoils(unit, address, [value])
        : this.wire.codec.writeCoil(unit, address, value);
    }
    const bytes = encode(point.layout, value);
    if (bytes === undefined) throw new WeinaoError('device.value_out_of_range', { point: id, value });
    const words = Array.from(
      { length: bytes.length / 2 },
      (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0),
    );
    return words.length === 1 && point.spec.write === 'single'
      ? this.wire.codec.writeRegister(unit, address, words[0] ?? 0)
      : this.wire.codec.writeRegisters(unit, address, words);
  }
}

function bitAt(bytes: Uint8Array, at: number): { value: boolean } {
  return { value: (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1) === 1 };
}
