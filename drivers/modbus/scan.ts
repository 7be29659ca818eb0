/** One read of registers or bits nobody configured, for `weinao probe`. */
import { WeinaoError } from '../../src/base/errors/index.ts';
import type { DeviceModel } from '../../src/base/model.ts';
import type { LineDoor, RawReading, ScanAsk, ScanResult } from '../../src/kit/driver.ts';
import { decoderOf } from './codec.ts';
import { decodings } from './decodings.ts';
import { fromTcp, rtuFramer, tcpFramer, toTcp } from './frame.ts';
import { layoutOf, wantedOf } from './layout.ts';
import { createPduCodec } from './pdu.ts';
import { isBits, TABLES } from './plan.ts';
import type { ModbusDevice } from './schema.ts';

/** Where a configured point stands, as a question to its device. */
export function placeOf(device: DeviceModel, point: string): ScanAsk | undefined {
  const { address: station, points } = device.config as ModbusDevice;
  const configured = points[point];
  if (configured === undefined) return undefined;
  const { table, address, count } = wantedOf(point, configured);
  return { station, table, address, count };
}

/** What a configured point reads out of the words of its place. */
export function readOut(device: DeviceModel, point: string, words: readonly number[]): RawReading {
  const configured = (device.config as ModbusDevice).points[point];
  if (configured === undefined) return { point, value: null, why: 'driver' };
  if (isBits(configured.register.table)) return { point, value: words[0] === 1 };
  const bytes = Uint8Array.from(words.flatMap((w) => [w >> 8, w & 0xff]));
  const decoded = decoderOf(layoutOf(configured))(bytes, 0);
  return decoded.value === null ? { point, value: null, why: decoded.why } : { point, value: decoded.value };
}

export async function scanModbus(door: LineDoor, ask: ScanAsk, signal: AbortSignal): Promise<ScanResult> {
  const table = TABLES.find((t) => t === ask.table);
  const limit = table !== undefined && isBits(table) ? 2000 : 125;
  const fits = ask.address >= 0 && ask.count >= 1 && ask.count <= limit && ask.address + ask.count <= 65_536;
  if (table === undefined || !fits || ask.station < 1 || ask.station > 247)
    throw new WeinaoError('device.bad_scan', {
      table: ask.table,
      address: ask.address,
      count: ask.count,
      station: ask.station,
    });
  const pending = createPduCodec().readTable(ask.station, table, ask.address, ask.count);
  const tcp = door.channel.carries === 'modbus_tcp';
  const request = tcp ? toTcp(pending.request, 0xfffe) : pending.request;
  const reply = await door.turn('scan', signal, (turn) =>
    turn.transact(request, tcp ? tcpFramer(request) : rtuFramer(request)),
  );
  const bytes = pending.read(tcp ? fromTcp(reply) : reply);
  const words = isBits(table)
    ? Array.from({ length: ask.count }, (_, i) => ((bytes[i >> 3] ?? 0) >> (i & 7)) & 1)
    : Array.from({ length: bytes.length / 2 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  return { request, reply, words, decodings: isBits(table) ? [] : decodings(words) };
}
