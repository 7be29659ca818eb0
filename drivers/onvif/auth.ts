/**
 * Who we are, as cameras want to be told: WS-UsernameToken (WSS 1.1 profile, digest), HTTP digest (RFC 7616, MD5 and SHA-256), and Basic where the owner
 * allows it. Pure: nonces and times come from the caller, the password is used and not kept.
 */
import { createHash } from 'node:crypto';
import { escapeXml } from './soap.ts';

const PROFILE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss';

/** @param created the camera's own time, UTC ms */
export function usernameToken(user: string, password: string, created: number, nonce: Uint8Array): string {
  const time = `${new Date(created).toISOString().slice(0, 19)}Z`;
  const digest = createHash('sha1').update(nonce).update(time).update(password, 'utf8').digest('base64');
  return (
    `<wsse:Security s:mustUnderstand="1" xmlns:wsse="${PROFILE}-wssecurity-secext-1.0.xsd" xmlns:wsu="${PROFILE}-wssecurity-utility-1.0.xsd">` +
    `<wsse:UsernameToken><wsse:Username>${escapeXml(user)}</wsse:Username>` +
    `<wsse:Password Type="${PROFILE}-username-token-profile-1.0#PasswordDigest">${digest}</wsse:Password>` +
    `<wsse:Nonce EncodingType="${PROFILE}-soap-message-security-1.0#Base64Binary">${Buffer.from(nonce).toString('base64')}</wsse:Nonce>` +
    `<wsu:Created>${time}</wsu:Created></wsse:UsernameToken></wsse:Security>`
  );
}

export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: 'MD5' | 'SHA-256';
  readonly isSession: boolean;
  /** the word as the camera wrote it; undefined when it wrote none */
  readonly written: string | undefined;
  readonly hasQop: boolean;
}

export interface Challenges {
  /** the strongest we know */
  readonly digest?: Challenge;
  readonly basic: boolean;
}

/** Of all WWW-Authenticate headers, each with one challenge or several. */
export function readChallenges(headers: readonly string[]): Challenges {
  const all = headers.flatMap(split);
  const digests = all.flatMap(({ scheme, params }) => (scheme === 'digest' ? (toChallenge(params) ?? []) : []));
  const digest = digests.find((c) => c.algorithm === 'SHA-256') ?? digests[0];
  return { ...(digest === undefined ? {} : { digest }), basic: all.some(({ scheme }) => scheme === 'basic') };
}

function toChallenge(params: ReadonlyMap<string, string>): Challenge | undefined {
  const nonce = params.get('nonce');
  const written = params.get('algorithm');
  const word = (written ?? 'MD5').toUpperCase();
  const isSession = word.endsWith('-SESS');
  const algorithm = isSession ? word.slice(0, -5) : word;
  const qop = params.get('qop');
  const hasAuth = qop?.split(',').some((q) => q.trim().toLowerCase() === 'auth') ?? false;
  if (nonce === undefined || (algorithm !== 'MD5' && algorithm !== 'SHA-256') || (qop !== undefined && !hasAuth))
    return undefined;
  const opaque = params.get('opaque');
  return { realm: params.get('realm') ?? '', nonce, opaque, algorithm, isSession, written, hasQop: hasAuth };
}

interface Scheme {
  readonly scheme: string;
  readonly params: Map<string, string>;
}

/** A word that is followed by `=` is a parameter of the scheme before it; another one begins a scheme. */
function split(header: string): Scheme[] {
  const out: Scheme[] = [];
  let at = 0;
  const skip = (any: string): void => {
    while (at < header.length && any.includes(header[at] ?? '')) at++;
  };
  while (at < header.length) {
    skip(' ,\t');
    const from = at;
    while (at < header.length && !' ,=\t'.includes(header[at] ?? '')) at++;
    const word = header.slice(from, at).toLowerCase();
    skip(' \t');
    if (header[at] !== '=') {
      if (word !== '') out.push({ scheme: word, params: new Map() });
      else at++;
      continue;
    }
    at++;
    skip(' \t');
    const value = header[at] === '"' ? quoted() : plain();
    const params = out.at(-1)?.params;
    if (params !== undefined && !params.has(word)) params.set(word, value);
  }
  return out;

  function quoted(): string {
    let value = '';
    for (at++; at < header.length && header[at] !== '"'; at++) {
      if (header[at] === '\\') at++;
      value += header[at] ?? '';
    }
    at++;
    return value;
  }
  function plain(): string {
    const from = at;
    while (at < header.length && !' ,\t'.includes(header[at] ?? '')) at++;
    return header.slice(from, at);
  }
}

export interface DigestAsk {
  readonly challenge: Challenge;
  readonly user: string;
  readonly password: string;
  readonly method: string;
  /** path and query */
  readonly uri: string;
  /** how often this nonce was used, from 1 */
  readonly count: number;
  readonly clientNonce: Uint8Array;
}

/** RFC 7616 section 3.4; without qop RFC 2069. */
export function digestHeader({ challenge, user, password, method, uri, count, clientNonce }: DigestAsk): string {
  const { realm, nonce, opaque, algorithm, isSession, written, hasQop } = challenge;
  const h = (text: string): string =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text, 'utf8')
      .digest('hex');
  const cnonce = Buffer.from(clientNonce).toString('hex');
  const nc = count.toString(16).padStart(8, '0');
  const own = h(`${user}:${realm}:${password}`);
  const a1 = isSession ? h(`${own}:${nonce}:${cnonce}`) : own;
  const a2 = h(`${method}:${uri}`);
  const response = hasQop ? h(`${a1}:${nonce}:${nc}:${cnonce}:auth:${a2}`) : h(`${a1}:${nonce}:${a2}`);
  const parts = [
    `username="${quote(user)}"`,
    `realm="${quote(realm)}"`,
    `nonce="${quote(nonce)}"`,
    `uri="${quote(uri)}"`,
    ...(written === undefined ? [] : [`algorithm=${written}`]),
    `response="${response}"`,
    ...(opaque === undefined ? [] : [`opaque="${quote(opaque)}"`]),
    ...(hasQop ? ['qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`] : []),
  ];
  return asHeader(`Digest ${parts.join(', ')}`);
}

export const basicHeader = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;

const quote = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
/** A header is bytes: what is not ASCII goes as UTF-8. */
const asHeader = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
