/** `weinao probe`: one register or point, read once, with its raw words and every plausible reading of them. */
import { drivers } from '../../drivers/index.ts';
import { hex } from '../base/bytes.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { DeviceModel, SiteModel } from '../base/model.ts';
import type { Engine } from '../engine/index.ts';
import type { DriverModule, LineDoor, ScanAsk } from '../kit/driver.ts';

/** A point by its name, or a register by station, table and address. */
export type ProbeAsk =
  | { readonly device: string; readonly point: string }
  | {
      readonly channel: string;
      readonly station: number;
      readonly table: string;
      readonly address: number;
      readonly count: number;
    };

export function readProbeAsk(body: unknown): ProbeAsk {
  const ask = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  if (typeof ask.device === 'string' && typeof ask.point === 'string') return { device: ask.device, point: ask.point };
  const { channel, station, table, address } = ask;
  const count = ask.count ?? 1;
  const whole = [station, address, count].every((n) => Number.isInteger(n));
  if (typeof channel !== 'string' || typeof table !== 'string' || !whole) throw new WeinaoError('cli.bad_probe');
  return { channel, station: Number(station), table, address: Number(address), count: Number(count) };
}

export async function probe(ask: ProbeAsk, site: SiteModel, engine: Engine, signal: AbortSignal): Promise<unknown> {
  if ('device' in ask) return probePoint(ask.device, ask.point, site, engine, signal);
  const line = engine.line(ask.channel);
  if (line === undefined)
    throw new WeinaoError('cli.unknown_channel', { channel: ask.channel, known: [...site.channels.keys()].join(' ') });
  return probeRegister(ask, line, signal);
}

async function probePoint(
  id: string,
  point: string,
  site: SiteModel,
  engine: Engine,
  signal: AbortSignal,
): Promise<unknown> {
  const device = site.devices.get(id);
  const model = device?.points.find((p) => p.id === point);
  if (device === undefined || model === undefined) throw new WeinaoError('device.unknown_point', { device: id, point });
  const result = await engine.probe(id, [point], signal);
  const fault = result?.faults[0]?.error;
  if (fault !== undefined) throw fault;
  const reading = result?.readings[0];
  const value = reading?.value ?? null;
  const told =
    typeof value === 'number' && model.convert !== undefined
      ? value * model.convert.scale + model.convert.offset
      : value;
  return {
    schema: 1,
    device: id,
    point,
    value: told,
    ...(model.unit === undefined ? {} : { unit: model.unit }),
    quality: value === null ? 'bad' : 'good',
    ...(reading?.why === undefined ? {} : { why: reading.why }),
    ...(await rawOf(device, point, engine, signal)),
  };
}

/** The register a point stands in, as it is on the wire; nothing where the protocol has no registers. */
async function rawOf(device: DeviceModel, point: string, engine: Engine, signal: AbortSignal): Promise<object> {
  const module = drivers.find((d) => d.name === device.driver);
  const ask = module?.place?.(device, point);
  const line = device.channel === undefined ? undefined : engine.line(device.channel);
  return module === undefined || ask === undefined || line === undefined ? {} : scanned(module, ask, line, signal);
}

async function probeRegister(
  ask: Exclude<ProbeAsk, { device: string }>,
  line: LineDoor,
  signal: AbortSignal,
): Promise<object> {
  const module = drivers.find((d) => d.scan !== undefined && d.carries.includes(line.channel.carries));
  if (module === undefined) throw new WeinaoError('cli.bad_probe');
  return scanned(module, ask, line, signal);
}

async function scanned(module: DriverModule, ask: ScanAsk, line: LineDoor, signal: AbortSignal): Promise<object> {
  if (module.scan === undefined) throw new WeinaoError('cli.bad_probe');
  const { station, table, address, count } = ask;
  const result = await module.scan(line, { station, table, address, count }, signal);
  const bits = table === 'coil' || table === 'discrete';
  return {
    schema: 1,
    channel: line.channel.id,
    station,
    register: {
      table,
      pdu: address,
      number: address + 1,
      modicon: `${{ coil: 0, discrete: 1, input: 3, holding: 4 }[table] ?? '?'}${String(address + 1).padStart(4, '0')}`,
    },
    request: hex(result.request),
    reply: hex(result.reply),
    words: result.words.map((w) => (bits ? String(w) : w.toString(16).toUpperCase().padStart(4, '0'))),
    decodings: result.decodings,
  };
}
