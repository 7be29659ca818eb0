/** `weinao decode`: bytes explained by the drivers' own codecs. */
import { drivers } from '../../drivers/index.ts';
import { unhex } from '../base/bytes.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { DecodeAsk, Decoded } from '../kit/driver.ts';
import { NAMED, recognised } from './recognise.ts';

const MAX_HEX = 64 * 1024;
/** answers of cameras come whole */
const MAX_LINE = 2 * 1024 * 1024;
/** outcomes after which somebody asks what the bytes are, then */
const NOT_THESE = ['reject', 'need-more', 'unexpected'];

export const protocols = (): readonly string[] => drivers.flatMap((d) => d.protocols);

export function decodeHex(protocol: string, response: string, request?: string): Decoded {
  const ask = { protocol, response: bytes(response), ...(request === undefined ? {} : { request: bytes(request) }) };
  const decoded = explained(ask);
  if (decoded !== undefined) return decoded;
  throw new WeinaoError('cli.unknown_protocol', { given: protocol, known: [...protocols(), ...NAMED].join(' ') });
}

/** Undefined when nobody knows the protocol. */
function explained(ask: DecodeAsk): Decoded | undefined {
  const { protocol } = ask;
  const told = ask.response ?? ask.request ?? new Uint8Array(0);
  if (NAMED.some((name) => name === protocol))
    return { outcome: 'unsupported', protocol, recognised: recognised(told).includes(protocol) };
  const decoded = drivers.find((d) => d.protocols.includes(protocol))?.decode(ask);
  if (decoded === undefined || !NOT_THESE.includes(decoded.outcome)) return decoded;
  const others = recognised(told, protocol);
  return others.length === 0 ? decoded : { ...decoded, looks_like: others };
}

function bytes(hex: string): Uint8Array {
  const parsed = unhex(hex.trim());
  if (parsed === undefined) throw new WeinaoError('cli.bad_hex', { given: hex.slice(0, 60) });
  return parsed;
}

/** One line of NDJSON in, one object out; whatever the line, never an exception. `id` is copied and not looked at. */
export function decodeLine(line: string): Record<string, unknown> {
  if (line.length > MAX_LINE) return { outcome: 'error', error: `line over ${MAX_LINE} bytes` };
  let ask: Record<string, unknown>;
  try {
    const parsed = JSON.parse(line) as unknown;
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
      return { outcome: 'error', error: 'not a JSON object' };
    ask = parsed as Record<string, unknown>;
  } catch {
    return { outcome: 'error', error: 'not JSON' };
  }
  const id = ask.id === undefined ? {} : { id: ask.id };
  const protocol = String(ask.protocol);
  if ([ask.response, ask.request].some((hex) => typeof hex === 'string' && hex.length > MAX_HEX))
    return { ...id, outcome: 'error', error: `hex over ${MAX_HEX} characters` };
  const response =
    typeof ask.base64 === 'string'
      ? new Uint8Array(Buffer.from(ask.base64, 'base64'))
      : typeof ask.response === 'string'
        ? unhex(ask.response.trim())
        : undefined;
  const request = typeof ask.request === 'string' ? unhex(ask.request.trim()) : undefined;
  const unread = (given: unknown, read: Uint8Array | undefined): boolean =>
    typeof given === 'string' && read === undefined;
  if (unread(ask.response, response) || unread(ask.request, request) || (response ?? request) === undefined)
    return { ...id, outcome: 'error', error: 'not hex' };
  const decoded = explained({
    protocol,
    asked: ask.asked,
    ...(typeof ask.status === 'number' ? { status: ask.status } : {}),
    ...(response === undefined ? {} : { response }),
    ...(request === undefined ? {} : { request }),
  });
  return { ...id, ...(decoded ?? { outcome: 'unsupported', protocol }) };
}
