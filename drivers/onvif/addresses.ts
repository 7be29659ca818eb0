/**
 * Where to ask. The host is always the configured one: what a camera says of its own address is wrong behind NAT, VPN and recorders. Path and query are the
 * camera's; the port of a subscription is the camera's too, because some open one for each, with the configured one to fall back on.
 */
export interface Base {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** of the device service */
  readonly path: string;
}

export interface Place {
  /** undefined where the camera names none */
  readonly port: number | undefined;
  /** path and query, from its first slash on */
  readonly path: string;
}

const LONGEST = 1024;

/** Undefined when it is no address of HTTP: empty, `None`, `urn:uuid:…`, `rtsp://…`, `http:///` without a path. */
export function readPlace(given: string | undefined): Place | undefined {
  const text = given?.trim() ?? '';
  if (text === '' || text.length > LONGEST || !isPlain(text)) return undefined;
  const [scheme, rest] = splitScheme(text);
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https') return undefined;
  const slash = rest.indexOf('/');
  const path = slash < 0 ? '/' : rest.slice(slash);
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  if (scheme === '' && authority !== '' && !authority.includes('.')) return undefined;
  if (path === '/') return undefined;
  // `http://ip:8106:8106/`: the first is as good as the second. Of IPv6, what stands behind the bracket.
  const bracket = authority.indexOf(']');
  const [, digits = ''] = (bracket < 0 ? authority : authority.slice(bracket)).split(':');
  const port = Number(digits);
  return { port: digits !== '' && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined, path };
}

export const urlAt = ({ scheme, host, port }: Base, path: string, otherPort = port): string =>
  `${scheme}://${host.includes(':') ? `[${host}]` : host}:${otherPort}${path}`;

function splitScheme(text: string): readonly [string, string] {
  const at = text.indexOf('://');
  if (at >= 0) return [text.slice(0, at).toLowerCase(), text.slice(at + 3)];
  return text.toLowerCase().startsWith('urn:') ? ['urn', ''] : ['', text];
}

/** No blanks and no control characters: it goes into a request. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c <= 32 || c === 127) return false;
  }
  return true;
}
