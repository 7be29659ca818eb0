/**
 * Modbus slaves as bytes: any number of units on one line, RTU or TCP form. What a unit does not know it refuses with the standard's exception;
 * what is not for it, or has a wrong CRC, it leaves unanswered, as a real slave does.
 */
import { crc16 } from '../../src/base/bytes.ts';
import type { SimReply, Simulator } from '../../src/kit/simulator.ts';
import { crcOk } from './frame.ts';
import { isBits, type Table } from './plan.ts';

/** undefined = no such register */
export type ReadCell = (table: Table, address: number) => number | undefined;

export interface SimulatedUnit {
  readonly read: ReadCell;
  /** false = refused */
  readonly write?: (table: 'holding' | 'coil', address: number, value: number) => boolean;
  /** how long the unit thinks */
  readonly replyMs?: number;
  /** exception to everything, or dead */
  readonly mood?: () => 'well' | 'dead' | { readonly exception: number };
}

export interface ModbusSimulator extends Simulator {
  /** requests that were for a unit of this simulator */
  requests(): number;
}

export function createModbusSimulator(form: 'rtu' | 'tcp', units: ReadonlyMap<number, SimulatedUnit>): ModbusSimulator {
  let held: Uint8Array = new Uint8Array(0);
  let requests = 0;
  return {
    requests: () => requests,
    receive: (bytes) => {
      const all = new Uint8Array([...held, ...bytes]);
      const { pdus, rest } = form === 'rtu' ? rtuRequests(all) : tcpRequests(all);
      held = rest.length > 600 ? new Uint8Array(0) : rest;
      const replies: SimReply[] = [];
      for (const { head, unit, pdu } of pdus) {
        const target = units.get(unit);
        const mood = target?.mood?.() ?? 'well';
        if (target === undefined || mood === 'dead') continue;
        requests++;
        const reply = typeof mood === 'object' ? exception(pdu, mood.exception) : answer(target, pdu);
        replies.push({
          afterMs: target.replyMs ?? 5,
          bytes: form === 'rtu' ? rtu(unit, reply) : tcp(head, unit, reply),
        });
      }
      return replies;
    },
  };
}

interface Parsed {
  readonly pdus: readonly { head: Uint8Array; unit: number; pdu: Uint8Array }[];
  readonly rest: Uint8Array;
}

function rtuRequests(bytes: Uint8Array): Parsed {
  const pdus: { head: Uint8Array; unit: number; pdu: Uint8Array }[] = [];
  let from = 0;
  for (let at = 0; at + 8 <= bytes.length; at++) {
    const code = bytes[at + 1] ?? 0;
    const length = code === 15 || code === 16 ? 9 + (bytes[at + 6] ?? 0) : 8;
    if (at + length > bytes.length || !crcOk(bytes, at, at + length)) continue;
    pdus.push({ head: new Uint8Array(0), unit: bytes[at] ?? 0, pdu: bytes.slice(at + 1, at + length - 2) });
    from = at + length;
    at = from - 1;
  }
  return { pdus, rest: bytes.slice(from) };
}

function tcpRequests(bytes: Uint8Array): Parsed {
  const pdus: { head: Uint8Array; unit: number; pdu: Uint8Array }[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    const length = ((bytes[at + 4] ?? 0) << 8) | (bytes[at + 5] ?? 0);
    if (at + 6 + length > bytes.length) break;
    pdus.push({ head: bytes.slice(at, at + 4), unit: bytes[at + 6] ?? 0, pdu: bytes.slice(at + 7, at + 6 + length) });
    at += 6 + length;
  }
  return { pdus, rest: bytes.slice(at) };
}

function answer(unit: SimulatedUnit, pdu: Uint8Array): Uint8Array {
  const code = pdu[0] ?? 0;
  const word = (at: number): number => ((pdu[at] ?? 0) << 8) | (pdu[at + 1] ?? 0);
  const table = ({ 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' } as const)[code];
  if (table !== undefined) return readTable(unit, pdu, table, word(1), word(3));
  if (code === 5) return wrote(unit.write?.('coil', word(1), word(3) === 0xff00 ? 1 : 0), pdu);
  if (code === 6) return wrote(unit.write?.('holding', word(1), word(3)), pdu);
  if (code !== 15 && code !== 16) return exception(pdu, 1);
  for (let i = 0; i < word(3); i++) {
    const value = code === 16 ? word(6 + 2 * i) : ((pdu[6 + (i >> 3)] ?? 0) >> (i & 7)) & 1;
    if (unit.write?.(code === 16 ? 'holding' : 'coil', word(1) + i, value) !== true) return exception(pdu, 2);
  }
  return pdu.slice(0, 5);
}

const wrote = (done: boolean | undefined, pdu: Uint8Array): Uint8Array => (done === true ? pdu : exception(pdu, 2));
const exception = (pdu: Uint8Array, code: number): Uint8Array => Uint8Array.of((pdu[0] ?? 0) | 0x80, code);

function readTable(unit: SimulatedUnit, pdu: Uint8Array, table: Table, address: number, count: number): Uint8Array {
  const bits = isBits(table);
  if (count < 1 || count > (bits ? 2000 : 125)) return exception(pdu, 3);
  const body = new Uint8Array(bits ? Math.ceil(count / 8) : 2 * count);
  for (let i = 0; i < count; i++) {
    const cell = unit.read(table, address + i);
    if (cell === undefined) return exception(pdu, 2);
    if (bits) body[i >> 3] = (body[i >> 3] ?? 0) | ((cell === 0 ? 0 : 1) << (i & 7));
    else body.set([(cell >> 8) & 0xff, cell & 0xff], 2 * i);
  }
  return Uint8Array.of(pdu[0] ?? 0, body.length, ...body);
}

function rtu(unit: number, pdu: Uint8Array): Uint8Array {
  const out = Uint8Array.of(unit, ...pdu, 0, 0);
  const crc = crc16(out, 0, out.length - 2);
  out.set([crc & 0xff, crc >> 8], out.length - 2);
  return out;
}

function tcp(head: Uint8Array, unit: number, pdu: Uint8Array): Uint8Array {
  return Uint8Array.of(...head, (pdu.length + 1) >> 8, (pdu.length + 1) & 0xff, unit, ...pdu);
}

/** The two registers of a float32 in ABCD order. */
export function float32Registers(value: number): readonly [number, number] {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return [view.getUint16(0), view.getUint16(2)];
}
