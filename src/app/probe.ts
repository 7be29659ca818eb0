/**
 * `weinao probe`: one register or point, read once, with its raw words and every plausible reading of them. With the value that the device's display
 * shows, the readings that could mean it; a point of an unverified profile that shows it is confirmed from then on.
 */
import { drivers } from '../../drivers/index.ts';
import { hex } from '../base/bytes.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { DeviceModel, PointModel, SiteModel } from '../base/model.ts';
import type { Value } from '../base/reading.ts';
import { isoTime } from '../base/time.ts';
import type { Engine } from '../engine/index.ts';
import type { DriverModule, LineDoor, RawReading, ScanAsk, ScanResult } from '../kit/driver.ts';
import { guesses, isAsExpected } from './guess.ts';
import { inspect, look } from './inspect.ts';

/** A device that speaks by itself, a point by its name, or a register by station, table and address. */
export type ProbeAsk = { readonly expect?: number } & (
  | { readonly speaker: string; readonly snapshot?: boolean }
  | { readonly device: string; readonly point: string }
  | {
      readonly channel: string;
      readonly station: number;
      readonly table: string;
      readonly address: number;
      readonly count: number;
    }
);

export function readProbeAsk(body: unknown): ProbeAsk {
  const ask = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const expect = typeof ask.expect === 'number' && Number.isFinite(ask.expect) ? { expect: ask.expect } : {};
  if (typeof ask.device === 'string' && typeof ask.point === 'string')
    return { device: ask.device, point: ask.point, ...expect };
  if (typeof ask.device === 'string' && ask.point === undefined)
    return { speaker: ask.device, snapshot: ask.snapshot === true };
  const { channel, station, table, address } = ask;
  const count = ask.count ?? 1;
  const whole = [station, address, count].every((n) => Number.isInteger(n));
  if (typeof channel !== 'string' || typeof table !== 'string' || !whole) throw new WeinaoError('cli.bad_probe');
  return { channel, station: Number(station), table, address: Number(address), count: Number(count), ...expect };
}

export async function probe(ask: ProbeAsk, site: SiteModel, engine: Engine, signal: AbortSignal): Promise<unknown> {
  if ('speaker' in ask) return probeDevice(ask.speaker, ask.snapshot === true, site, engine, signal);
  if ('device' in ask) return probePoint(ask, site, engine, signal);
  const line = engine.line(ask.channel);
  if (line === undefined)
    throw new WeinaoError('cli.unknown_channel', { channel: ask.channel, known: [...site.channels.keys()].join(' ') });
  const module = drivers.find((d) => d.scan !== undefined && d.carries.includes(line.channel.carries));
  if (module === undefined) throw new WeinaoError('cli.bad_probe');
  const result = await scanned(module, ask, line, signal);
  return { schema: 1, ...shown(ask, line, result), ...expected(ask, result) };
}

async function probeDevice(
  id: string,
  wantsPicture: boolean,
  site: SiteModel,
  engine: Engine,
  signal: AbortSignal,
): Promise<unknown> {
  const device = site.devices.get(id);
  if (device === undefined)
    throw new WeinaoError('cli.unknown_device', { device: id, known: [...site.devices.keys()].join(' ') });
  if (wantsPicture) return look(id, engine, signal);
  const isSpeaker = drivers.find((d) => d.name === device.driver)?.intake !== undefined;
  return isSpeaker ? lastHeard(device, engine) : inspect(id, engine, signal);
}

/** The last a device said, and what was made of it. */
function lastHeard(device: DeviceModel, engine: Engine): unknown {
  const { id } = device;
  const last = engine.last(id);
  if (last === undefined) return { schema: 1, device: id };
  const { at, made, ...rest } = last;
  const points = made.map(({ point, value, quality, why }) => {
    const model = device.points.find((p) => p.id === point);
    const told = model === undefined || value === undefined ? value : inStandardUnit(value, model);
    return {
      point,
      ...(told === undefined ? {} : { value: told, quality: told === null ? 'bad' : (quality ?? 'good') }),
      ...(told === undefined || model?.unit === undefined ? {} : { unit: model.unit }),
      ...(why === undefined ? {} : { why }),
    };
  });
  return { schema: 1, device: id, heard: { at: isoTime(at), ...rest, points } };
}

async function probePoint(
  ask: Extract<ProbeAsk, { device: string }>,
  site: SiteModel,
  engine: Engine,
  signal: AbortSignal,
): Promise<unknown> {
  const device = site.devices.get(ask.device);
  const model = device?.points.find((p) => p.id === ask.point);
  if (device === undefined || model === undefined)
    throw new WeinaoError('device.unknown_point', { device: ask.device, point: ask.point });
  const { raw, wire } = await onceRead(device, ask, engine, signal);
  const value = raw?.value ?? null;
  const told = inStandardUnit(value, model);
  const confirmed = ask.expect !== undefined && typeof told === 'number' && isAsExpected(told, ask.expect);
  if (confirmed) engine.confirm(device.id, model.id);
  return {
    schema: 1,
    device: device.id,
    point: model.id,
    value: told,
    ...(model.unit === undefined ? {} : { unit: model.unit }),
    quality: value === null ? 'bad' : (raw?.quality ?? 'good'),
    ...(raw?.why === undefined ? {} : { why: raw.why }),
    ...(ask.expect === undefined ? {} : { expected: ask.expect, confirmed }),
    ...wire,
  };
}

/** One question: where the protocol has registers, they are shown and the value is read out of the same reply. */
async function onceRead(
  device: DeviceModel,
  ask: Extract<ProbeAsk, { device: string }>,
  engine: Engine,
  signal: AbortSignal,
): Promise<{ readonly raw: RawReading | undefined; readonly wire: object }> {
  const module = drivers.find((d) => d.name === device.driver);
  const place = module?.place?.(device, ask.point);
  const line = device.channel === undefined ? undefined : engine.line(device.channel);
  if (module?.readOut !== undefined && place !== undefined && line !== undefined) {
    const result = await scanned(module, place, line, signal);
    const raw = module.readOut(device, ask.point, result.words);
    return { raw, wire: { ...shown(place, line, result), ...expected(ask, result) } };
  }
  const result = await engine.probe(device.id, [ask.point], signal);
  const fault = result?.faults[0]?.error;
  if (fault !== undefined) throw fault;
  return { raw: result?.readings[0], wire: {} };
}

function inStandardUnit(value: Value | null, { convert }: PointModel): Value | null {
  return typeof value === 'number' && convert !== undefined ? value * convert.scale + convert.offset : value;
}

function scanned(module: DriverModule, ask: ScanAsk, line: LineDoor, signal: AbortSignal): Promise<ScanResult> {
  if (module.scan === undefined) throw new WeinaoError('cli.bad_probe');
  const { station, table, address, count } = ask;
  return module.scan(line, { station, table, address, count }, signal);
}

const expected = ({ expect }: { readonly expect?: number }, { decodings }: ScanResult): object =>
  expect === undefined ? {} : { guesses: guesses(decodings, expect) };

const DIGITS: Readonly<Record<string, number>> = { coil: 0, discrete: 1, input: 3, holding: 4 };

function shown({ station, table, address }: ScanAsk, line: LineDoor, result: ScanResult): object {
  const bits = table === 'coil' || table === 'discrete';
  return {
    channel: line.channel.id,
    station,
    register: {
      table,
      pdu: address,
      number: address + 1,
      modicon: `${DIGITS[table] ?? '?'}${String(address + 1).padStart(4, '0')}`,
    },
    request: hex(result.request),
    reply: hex(result.reply),
    words: result.words.map((w) => (bits ? String(w) : w.toString(16).toUpperCase().padStart(4, '0'))),
    decodings: result.decodings,
  };
}
