/**
 * How a camera tells who asks: WS-UsernameToken with digest (OASIS username token profile 1.0: Base64(SHA-1(nonce + created + password)), a time window
 * and no nonce twice) and HTTP digest (RFC 7616: MD5 and SHA-256, qop=auth, a count that only grows). Too many wrong passwords lock the account.
 */
import { createHash } from 'node:crypto';
import type { Random } from '../../../src/base/ports.ts';
import { child, type Element, textOf } from './xml.ts';

const NONCES = 1000;

export interface Account {
  readonly user: string;
  password: string;
}

export interface AuthRules {
  readonly wsse: boolean;
  /** empty: the camera knows no HTTP digest */
  readonly digest: readonly ('MD5' | 'SHA-256')[];
  /** |Created - the camera's time| at most so much, ms */
  readonly windowMs: number;
  /** wrong passwords until the account is locked */
  readonly lockAfter: number;
  readonly lockMs: number;
}

export interface Credentials {
  readonly kind: 'none' | 'wsse' | 'digest' | 'basic';
  readonly ok: boolean;
  /** the password was right, something else was not */
  readonly why?: 'time' | 'replay' | 'password' | 'locked' | 'stale';
}

export interface AuthAsk {
  readonly method: string;
  readonly uri: string;
  readonly authorization: string | undefined;
  readonly header: Element | undefined;
  /** monotonic ms, and the camera's idea of UTC */
  readonly mono: number;
  readonly now: number;
  readonly basic: boolean;
}

export interface Doorkeeper {
  check(ask: AuthAsk): Credentials;
  /** values of WWW-Authenticate */
  challenges(realm: string, stale: boolean): readonly string[];
  readonly wrong: number;
  isLocked(mono: number): boolean;
  /** a restart forgets nonces, wrong tries and the lock */
  forget(): void;
}

export function createDoorkeeper(account: Account, rules: AuthRules, random: Random): Doorkeeper {
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  let wrong = 0;
  let lockedUntil = Number.NEGATIVE_INFINITY;
  const remember = (nonce: string): void => {
    seen.add(nonce);
    const [oldest] = seen;
    if (seen.size > NONCES && oldest !== undefined) seen.delete(oldest);
  };
  const failed = (kind: Credentials['kind'], mono: number): Credentials => {
    wrong++;
    if (wrong % rules.lockAfter === 0) lockedUntil = mono + rules.lockMs;
    return { kind, ok: false, why: 'password' };
  };
  const wsse = (token: Element, ask: AuthAsk): Credentials => {
    const user = textOf(child(token, 'Username'));
    const password = child(token, 'Password');
    const nonce = textOf(child(token, 'Nonce')) ?? '';
    const created = textOf(child(token, 'Created')) ?? '';
    const expected = createHash('sha1')
      .update(Buffer.concat([Buffer.from(nonce, 'base64'), Buffer.from(created), Buffer.from(account.password)]))
      .digest('base64');
    const isPlain = password?.attributes.get('Type')?.endsWith('#PasswordText') === true;
    const right = textOf(password) === (isPlain ? account.password : expected);
    if (user !== account.user || !right) return failed('wsse', ask.mono);
    if (isPlain) return { kind: 'wsse', ok: true };
    if (!(Math.abs(Date.parse(created) - ask.now) <= rules.windowMs)) return { kind: 'wsse', ok: false, why: 'time' };
    if (seen.has(nonce)) return { kind: 'wsse', ok: false, why: 'replay' };
    remember(nonce);
    return { kind: 'wsse', ok: true };
  };
  const digest = (given: ReadonlyMap<string, string>, ask: AuthAsk): Credentials => {
    const nonce = given.get('nonce') ?? '';
    const count = Number.parseInt(given.get('nc') ?? '', 16);
    const last = counts.get(nonce);
    if (given.get('username') !== account.user || given.get('uri') !== ask.uri) return failed('digest', ask.mono);
    if (given.get('response') !== response(given, account, ask.method)) return failed('digest', ask.mono);
    if (last === undefined || !(count > last)) return { kind: 'digest', ok: false, why: 'stale' };
    counts.set(nonce, count);
    return { kind: 'digest', ok: true };
  };
  return {
    check: (ask) => {
      const token = child(child(ask.header, 'Security'), 'UsernameToken');
      const scheme = (ask.authorization ?? '').split(' ')[0]?.toLowerCase();
      if (token === undefined && ask.authorization === undefined) return { kind: 'none', ok: false };
      if (ask.mono < lockedUntil) return { kind: token === undefined ? 'digest' : 'wsse', ok: false, why: 'locked' };
      if (token !== undefined && rules.wsse) return wsse(token, ask);
      if (scheme === 'digest' && rules.digest.length > 0) return digest(parameters(ask.authorization ?? ''), ask);
      if (scheme === 'basic' && ask.basic) {
        const wanted = Buffer.from(`${account.user}:${account.password}`).toString('base64');
        return ask.authorization?.slice('basic '.length).trim() === wanted
          ? { kind: 'basic', ok: true }
          : failed('basic', ask.mono);
      }
      return { kind: scheme === 'basic' ? 'basic' : 'none', ok: false };
    },
    challenges: (realm, stale) =>
      rules.digest.map((algorithm) => {
        const nonce = Buffer.from(random.bytes(16)).toString('hex');
        counts.set(nonce, 0);
        const [oldest] = counts.keys();
        if (counts.size > NONCES && oldest !== undefined) counts.delete(oldest);
        return `Digest realm="${realm}", qop="auth", nonce="${nonce}", algorithm=${algorithm}${stale ? ', stale=true' : ''}`;
      }),
    get wrong() {
      return wrong;
    },
    isLocked: (mono) => mono < lockedUntil,
    forget: () => {
      seen.clear();
      counts.clear();
      wrong = 0;
      lockedUntil = Number.NEGATIVE_INFINITY;
    },
  };
}

function response(given: ReadonlyMap<string, string>, account: Account, method: string): string {
  const name = given.get('algorithm')?.toUpperCase() === 'SHA-256' ? 'sha256' : 'md5';
  const hash = (text: string): string => createHash(name).update(text).digest('hex');
  const ha1 = hash(`${account.user}:${given.get('realm') ?? ''}:${account.password}`);
  const ha2 = hash(`${method}:${given.get('uri') ?? ''}`);
  return hash([ha1, given.get('nonce'), given.get('nc'), given.get('cnonce'), given.get('qop'), ha2].join(':'));
}

/** `Digest a="b", c=d`: commas inside quotes belong to the value */
function parameters(header: string): Map<string, string> {
  const found = new Map<string, string>();
  let rest = header.slice(header.indexOf(' ') + 1);
  while (rest.includes('=')) {
    const equals = rest.indexOf('=');
    const key = rest.slice(0, equals).replaceAll(',', ' ').trim().toLowerCase();
    const value = rest.slice(equals + 1).trimStart();
    const end = value.startsWith('"') ? value.indexOf('"', 1) : value.indexOf(',');
    const upTo = end < 0 ? value.length : end;
    found.set(key, value.slice(value.startsWith('"') ? 1 : 0, upTo).trim());
    rest = value.slice(upTo + 1);
  }
  return found;
}
