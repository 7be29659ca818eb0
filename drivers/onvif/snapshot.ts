/**
 * A picture of a camera, now: from the configured host only, at the path the camera named, checked to be a JPEG of at most MAX_PICTURE bytes.
 * Of what the camera names, host, user and password are never used, and another scheme than http is refused. Digest first; Basic only where the
 * owner allows it; one redirect, and that to the same host.
 */
import { WeinaoError } from '../../src/base/errors/index.ts';
import type { HttpAnswer, HttpDoor, Snapshot } from '../../src/kit/driver.ts';
import { type Base, readPlace, urlAt } from './addresses.ts';
import { basicHeader, digestHeader, readChallenges } from './auth.ts';
import type { Credentials } from './client.ts';

export const MAX_PICTURE = 4 * 1024 * 1024;
const PICTURE_MS = 10_000;

export interface SnapshotDeps {
  readonly http: HttpDoor;
  readonly base: Base;
  readonly trust: 'system' | 'any';
  readonly allowBasic: boolean;
  readonly credentials: Credentials | undefined;
  readonly nonce: () => Uint8Array;
}

/** @param uri as the camera named it. Rejects with http.*, device.no_snapshot, device.not_jpeg, device.not_authorized. */
export async function takeSnapshot(uri: string, deps: SnapshotDeps, signal: AbortSignal): Promise<Snapshot> {
  const { base } = deps;
  const place = readPlace(uri);
  if (place === undefined) throw new WeinaoError('device.no_snapshot', { host: base.host });
  const url = urlAt(base, place.path, place.port);
  let answer = await get(url, deps, signal).catch((error: unknown) => {
    const isElsewhere = place.port !== undefined && place.port !== base.port;
    if (!isElsewhere || !(error instanceof WeinaoError) || error.code !== 'http.refused') throw error;
    return get(urlAt(base, place.path), deps, signal);
  });
  const moved = answer.status >= 301 && answer.status <= 308 ? sameHost(answer, url, base) : undefined;
  if (moved !== undefined) answer = await get(moved, deps, signal);
  return checked(answer, base.host);
}

function sameHost({ headers }: HttpAnswer, from: string, base: Base): string | undefined {
  const location = headers.location?.[0] ?? '';
  if (!URL.canParse(location, from)) return undefined;
  const target = new URL(location, from);
  const isSame = target.hostname === new URL(from).hostname && ['http:', 'https:'].includes(target.protocol);
  if (!isSame) return undefined;
  const port = target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : Number(target.port);
  const scheme = target.protocol === 'https:' ? 'https' : 'http';
  return urlAt({ ...base, scheme }, target.pathname + target.search, port);
}

async function get(url: string, deps: SnapshotDeps, signal: AbortSignal): Promise<HttpAnswer> {
  const { http, trust, credentials, allowBasic, nonce } = deps;
  const limits = { deadlineMs: PICTURE_MS, maxBytes: MAX_PICTURE, signal, trust };
  const first = await http.ask({ url, method: 'GET' }, limits);
  if (first.status !== 401 || credentials === undefined) return first;
  const { digest, basic } = readChallenges(first.headers['www-authenticate'] ?? []);
  const { pathname, search } = new URL(url);
  const authorization =
    digest !== undefined
      ? digestHeader({
          ...credentials,
          challenge: digest,
          method: 'GET',
          uri: pathname + search,
          count: 1,
          clientNonce: nonce(),
        })
      : basic && allowBasic
        ? basicHeader(credentials.user, credentials.password)
        : undefined;
  return authorization === undefined ? first : http.ask({ url, method: 'GET', headers: { authorization } }, limits);
}

function checked({ status, body, cut }: HttpAnswer, host: string): Snapshot {
  if (status === 401 || status === 403) throw new WeinaoError('device.not_authorized', { host });
  if (cut !== undefined) throw cut;
  const begins = body[0] === 0xff && body[1] === 0xd8 && body[2] === 0xff;
  const isJpeg = status === 200 && begins && hasEnd(body);
  if (!isJpeg) throw new WeinaoError('device.not_jpeg', { host, detail: `HTTP ${status}, ${body.length} B` });
  return { type: 'image/jpeg', bytes: body };
}

/** some firmware fills up behind the end */
const MOST_FILLING = 16 * 1024;

/** FF D9, at the end or before what was filled up. */
function hasEnd(body: Uint8Array): boolean {
  const least = Math.max(2, body.length - MOST_FILLING);
  for (let i = body.length - 2; i >= least; i--) if (body[i] === 0xff && body[i + 1] === 0xd9) return true;
  return false;
}
