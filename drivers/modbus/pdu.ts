/**
 * Requests and replies as bytes, by modbus-serial. It sits between two halves of a port that is none: what it writes is the request, what we
 * emit is the reply, both in RTU form, both in the same call. It never sees a late byte and owns no timer; the line does that (src/link).
 */
import { EventEmitter } from 'node:events';
import ModbusRTU from 'modbus-serial';
import { WeinaoError } from '../../src/base/errors/index.ts';
import type { Table } from './plan.ts';

type Done = (error: (Error & { modbusCode?: number }) | null, data?: { buffer?: Uint8Array; data?: unknown }) => void;

/** The part of modbus-serial's callback interface used here. */
interface Client {
  writeFC1(unit: number, address: number, count: number, done: Done): void;
  writeFC2(unit: number, address: number, count: number, done: Done): void;
  writeFC3(unit: number, address: number, count: number, done: Done): void;
  writeFC4(unit: number, address: number, count: number, done: Done): void;
  writeFC5(unit: number, address: number, state: boolean, done: Done): void;
  writeFC6(unit: number, address: number, value: number, done: Done): void;
  writeFC15(unit: number, address: number, states: readonly boolean[], done: Done): void;
  writeFC16(unit: number, address: number, values: readonly number[], done: Done): void;
  open(done: () => void): void;
}

/** A request made, and the function that reads its reply: the bytes of the table, or the exception. */
export interface Pending {
  /** RTU form, CRC included */
  readonly request: Uint8Array;
  /** bytes of registers, or of packed bits; throws device.refused on an exception reply */
  read(reply: Uint8Array): Uint8Array;
}

export interface PduCodec {
  readTable(unit: number, table: Table, address: number, count: number): Pending;
  writeCoil(unit: number, address: number, state: boolean): Pending;
  writeRegister(unit: number, address: number, value: number): Pending;
  writeCoils(unit: number, address: number, states: readonly boolean[]): Pending;
  writeRegisters(unit: number, address: number, values: readonly number[]): Pending;
}

export function createPduCodec(): PduCodec {
  const half = new HalfPort();
  // Its types describe the module as a namespace; what it exports is the class.
  const client = new (ModbusRTU as unknown as new (port: HalfPort) => Client)(half);
  client.open(() => {});
  const pending = (call: (done: Done) => void): Pending => {
    let outcome: { error: Parameters<Done>[0]; bytes: Uint8Array } | undefined;
    call((error, data) => {
      outcome = { error, bytes: data?.buffer ?? new Uint8Array(0) };
    });
    const request = half.taken();
    return {
      request,
      read: (reply) => {
        half.feed(reply);
        if (outcome === undefined) throw new WeinaoError('device.nonsense', { detail: 'no outcome' });
        if (outcome.error === null || outcome.error === undefined) return outcome.bytes;
        throw refusal(outcome.error, request[1] ?? 0);
      },
    };
  };
  return {
    readTable: (unit, table, address, count) =>
      pending((done) => {
        if (table === 'coil') client.writeFC1(unit, address, count, done);
        else if (table === 'discrete') client.writeFC2(unit, address, count, done);
        else if (table === 'holding') client.writeFC3(unit, address, count, done);
        else client.writeFC4(unit, address, count, done);
      }),
    writeCoil: (unit, address, state) => pending((done) => client.writeFC5(unit, address, state, done)),
    writeRegister: (unit, address, value) => pending((done) => client.writeFC6(unit, address, value, done)),
    writeCoils: (unit, address, states) => pending((done) => client.writeFC15(unit, address, states, done)),
    writeRegisters: (unit, address, values) => pending((done) => client.writeFC16(unit, address, values, done)),
  };
}

/** What modbus-serial takes for a port. */
class HalfPort extends EventEmitter {
  isOpen = true;
  _transactionIdRead = 1;
  _transactionIdWrite = 1;
  private written: Uint8Array = new Uint8Array(0);

  open(done: () => void): void {
    done();
  }

  close(done: () => void): void {
    done();
  }

  write(bytes: Uint8Array): void {
    this.written = bytes;
  }

  taken(): Uint8Array {
    return this.written;
  }

  feed(reply: Uint8Array): void {
    this.emit('data', Buffer.from(reply.buffer, reply.byteOffset, reply.length));
  }
}

const MEANINGS: Readonly<Record<number, readonly [string, string]>> = {
  1: ['不支持该功能码', 'illegal function'],
  2: ['寄存器地址不存在', 'illegal data address'],
  3: ['数据值或长度非法', 'illegal data value'],
  4: ['设备内部故障', 'server device failure'],
  5: ['已接受，处理中', 'acknowledge'],
  6: ['设备忙', 'server device busy'],
  8: ['存储器校验错', 'memory parity error'],
  10: ['网关路径不可用', 'gateway path unavailable'],
  11: ['网关后的设备无应答', 'gateway target device failed to respond'],
};

/** Modbus Application Protocol V1.1b3, 7. */
export function exceptionMeaning(exception: number): { readonly zh: string; readonly en: string } {
  const [zh, en] = MEANINGS[exception] ?? ['未知异常', 'unknown exception'];
  return { zh, en };
}

function refusal(error: Error & { modbusCode?: number }, code: number): WeinaoError {
  const exception = error.modbusCode;
  if (exception === undefined) return new WeinaoError('device.nonsense', { detail: error.message });
  const { zh, en } = exceptionMeaning(exception);
  return new WeinaoError('device.refused', { function: code, exception, zh, en });
}
