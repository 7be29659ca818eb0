/**
 * Addresses of a camera for people: on the configured host, without user and password wherever makers put them (before the host, in the query, in the path as
 * `/user=admin&password=…&channel=1`). What is masked is masked to the end of its part: an address that does not work is better than a password told.
 */
const SECRET = ['pas', 'pwd', 'psw', 'secret', 'credential'];
const NAMES = [
  'user',
  'usr',
  'username',
  'login',
  'loginuse',
  'account',
  'auth',
  'token',
  'key',
  'sign',
  'sid',
  'session',
];
const PARTS_OF_PATH = '/&;';
const PARTS_OF_QUERY = '&;';
const MASK = '***';
const LONGEST = 1024;

/** Undefined when it is no address. */
export function shownAddress(uri: unknown, host: string): string | undefined {
  if (typeof uri !== 'string' || uri.length > LONGEST || !URL.canParse(uri.trim())) return undefined;
  const url = new URL(uri.trim());
  const port = url.port === '' ? '' : `:${url.port}`;
  return `${url.protocol}//${host.includes(':') ? `[${host}]` : host}${port}${masked(url.pathname, PARTS_OF_PATH)}${masked(url.search, PARTS_OF_QUERY)}`;
}

function masked(text: string, parts: string): string {
  let shown = '';
  let part = '';
  for (const c of text) {
    if (parts.includes(c)) {
      shown += maskedPart(part) + c;
      part = '';
    } else part += c;
  }
  return shown + maskedPart(part);
}

/** `name=value`; several of them with `_` between are one part. */
function maskedPart(part: string): string {
  const equals = part.indexOf('=');
  if (equals < 0) return part;
  const name = part.slice(part.startsWith('?') ? 1 : 0, equals).toLowerCase();
  const isSecret = NAMES.includes(name) || SECRET.some((word) => part.toLowerCase().includes(word));
  return isSecret ? `${part.slice(0, equals)}=${MASK}` : part;
}
