/**
 * A command out of a platform's bytes: CloudEvents 1.0, JSON structured, at most MAX_BYTES, every member checked by hand and no other allowed in
 * `data`. Nothing is believed but its shape; whether it is granted is the house's business.
 *
 * Signature: Ed25519 over the canonical envelope (RFC 8785) without the member `signature`, in base64; `kid` names one of the feed's signers. A signed
 * command names its gateway in `wntarget`, so that it is good at no other; with its id and expiry it is good once, and only for minutes.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { Command, CommandAsk, Refusal, Verb } from '../base/command.ts';
import { VERBS } from '../base/command.ts';
import { canonical, type JsonObject } from '../base/json.ts';
import type { Value } from '../base/reading.ts';
import { parseDuration } from '../base/time.ts';

export const MAX_BYTES = 4096;
const TYPE = 'weinao.command.v1';
const MOST_DEPTH = 8;

export interface Refused {
  readonly refusal: Refusal;
  readonly id?: string;
  readonly source?: string;
  /** which member is wrong */
  readonly detail?: string;
}

export interface Expected {
  /** `urn:weinao:{site}:{gateway}` */
  readonly target: string;
  /** public keys by kid, SPKI DER in base64 */
  readonly signers: Readonly<Record<string, string>>;
}

/** Never throws. */
export function readCommand(payload: Uint8Array, expected: Expected): Command | Refused {
  const envelope = payload.length > MAX_BYTES ? undefined : parse(payload);
  if (envelope === undefined) return { refusal: 'malformed' };
  const { id, source } = envelope;
  if (!isWord(id, 64) || !isWord(source, 128)) return { refusal: 'malformed', detail: 'id, source' };
  const refuse = (refusal: Refusal, detail?: string): Refused => ({
    refusal,
    id,
    source,
    ...(detail === undefined ? {} : { detail }),
  });
  const wrong = wrongMember(envelope);
  if (wrong !== undefined) return refuse('malformed', wrong);
  const { wntarget } = envelope;
  if (wntarget !== undefined && wntarget !== expected.target) return refuse('not_for_us');
  const data = envelope.data as Record<string, unknown>;
  const ask = readAsk(data, envelope.subject);
  if (typeof ask === 'string') return refuse('malformed', ask);
  const digest = digestOf(envelope);
  if (digest === undefined) return refuse('malformed', 'numbers or keys outside the contract');
  const signer = signerOf(envelope, expected);
  if (signer !== undefined && signer.refusal !== undefined) return refuse(signer.refusal);
  return {
    id,
    source,
    ask,
    by: data.by as string,
    ...(data.why === undefined ? {} : { why: data.why as string }),
    expires: Date.parse(envelope.expirytime as string),
    digest,
    ...(signer === undefined ? {} : { signer: signer.kid }),
  };
}

/** The first member that is not as the contract has it. */
function wrongMember(envelope: Readonly<Record<string, unknown>>): string | undefined {
  const { specversion, type, time, expirytime, data } = envelope;
  if (specversion !== '1.0') return 'specversion';
  if (type !== TYPE) return 'type';
  if (time !== undefined && !isTime(time)) return 'time';
  if (!isTime(expirytime)) return 'expirytime';
  if (!isObject(data)) return 'data';
  if (!isWord(data.by, 64)) return 'data.by';
  if (data.why !== undefined && !isWord(data.why, 200)) return 'data.why';
  return undefined;
}

/** Members of `data` by verb, beside do, by and why. */
const MEMBERS: Readonly<Record<Verb, readonly string[]>> = {
  write: ['point', 'value'],
  ack: ['aid', 'rev'],
  shelve: ['aid', 'for'],
  unshelve: ['aid'],
  snapshot: [],
  form: ['form', 'fields'],
  maint: ['what', 'for'],
};

/** The ask, or the name of the member that is wrong. */
function readAsk(data: Readonly<Record<string, unknown>>, subject: unknown): CommandAsk | string {
  const verb = VERBS.find((v) => v === data.do);
  if (verb === undefined) return 'data.do';
  const odd = Object.keys(data).find((key) => !['do', 'by', 'why', ...MEMBERS[verb]].includes(key));
  if (odd !== undefined) return `data.${odd.slice(0, 32)}`;
  const { point, value, aid, rev, form, fields, what } = data;
  const forMs = typeof data.for === 'string' && data.for.length <= 16 ? parseDuration(data.for) : undefined;
  switch (verb) {
    case 'write':
      if (!isWord(subject, 64)) return 'subject';
      if (!isWord(point, 64)) return 'data.point';
      return isValue(value) ? { do: verb, device: subject, point, value } : 'data.value';
    case 'ack':
      if (!isWord(aid, 64)) return 'data.aid';
      return typeof rev === 'number' && Number.isSafeInteger(rev) && rev >= 1 ? { do: verb, aid, rev } : 'data.rev';
    case 'shelve':
      if (!isWord(aid, 64)) return 'data.aid';
      if (data.why === undefined) return 'data.why';
      return forMs === undefined || forMs <= 0 ? 'data.for' : { do: verb, aid, forMs };
    case 'unshelve':
      return isWord(aid, 64) ? { do: verb, aid } : 'data.aid';
    case 'snapshot':
      return isWord(subject, 64) ? { do: verb, device: subject } : 'subject';
    case 'form':
      if (!isWord(form, 64)) return 'data.form';
      return isObject(fields) ? { do: verb, form, fields } : 'data.fields';
    case 'maint':
      if (!isWord(what, 64)) return 'data.what';
      if (data.for === undefined) return { do: verb, what };
      if (data.why === undefined) return 'data.why';
      return forMs === undefined || forMs <= 0 ? 'data.for' : { do: verb, what, forMs };
  }
}

/** undefined = it carries none. */
function signerOf(
  envelope: Readonly<Record<string, unknown>>,
  { signers }: Expected,
): { readonly kid: string; readonly refusal?: Refusal } | undefined {
  const { kid, signature, ...rest } = envelope;
  if (kid === undefined && signature === undefined) return undefined;
  const key = typeof kid === 'string' && Object.hasOwn(signers, kid) ? signers[kid] : undefined;
  if (key === undefined || typeof kid !== 'string') return { kid: '', refusal: 'unknown_signer' };
  if (rest.wntarget === undefined) return { kid, refusal: 'not_for_us' };
  const text = canonical({ ...(rest as JsonObject), kid });
  const isGood =
    typeof signature === 'string' &&
    verify(
      null,
      Buffer.from(text),
      createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' }),
      Buffer.from(signature, 'base64'),
    );
  return isGood ? { kid } : { kid, refusal: 'bad_signature' };
}

function digestOf(envelope: Readonly<Record<string, unknown>>): string | undefined {
  try {
    return createHash('sha256')
      .update(canonical(envelope as JsonObject))
      .digest('hex')
      .slice(0, 16);
  } catch {
    return undefined;
  }
}

const isObject = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x);
const isValue = (x: unknown): x is Value =>
  typeof x === 'boolean' || (typeof x === 'number' && Number.isFinite(x)) || isWord(x, 64);
const isTime = (x: unknown): x is string => typeof x === 'string' && x.length <= 32 && Number.isFinite(Date.parse(x));

/** Text for people and ids: no control characters. */
function isWord(x: unknown, most: number): x is string {
  if (typeof x !== 'string' || x.trim() === '' || x.length > most) return false;
  for (let i = 0; i < x.length; i++) if (x.charCodeAt(i) < 32 || x.charCodeAt(i) === 127) return false;
  return x.isWellFormed();
}

function parse(payload: Uint8Array): Record<string, unknown> | undefined {
  try {
    const body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as unknown;
    return isObject(body) && !hasNull(body, MOST_DEPTH) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** What the feed's JSON does not know, or knows too deep. */
function hasNull(x: unknown, depth: number): boolean {
  if (x === null || depth === 0) return true;
  return typeof x === 'object' && Object.values(x).some((member) => hasNull(member, depth - 1));
}
