/**
 * Which keys of a gateway may sign its proofs: the first it shows (a verifier that knows better pins one), and each that a trusted one has signed
 * (`feed.key`, and the list in the manifest). A key that comes without such a signature is nobody's. Bounds: MOST_KEYS, and as many changes that wait.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { JsonObject } from '../base/json.ts';

const MOST_KEYS = 64;

export class Trust {
  private readonly pin: string | undefined;
  private readonly keys = new Map<string, string>();
  private waiting: readonly JsonObject[] = [];

  /** @param pin kid of the only key to begin with; the first one shown when left out */
  constructor(pin?: string) {
    this.pin = pin;
  }

  get size(): number {
    return this.keys.size;
  }

  /** What a manifest shows of the gateway's keys. */
  hello({ kid, key, keys = [] }: JsonObject): void {
    const changes = Array.isArray(keys) ? (keys as readonly JsonObject[]) : [];
    this.begin(kid, key);
    for (const { old, old_key } of changes) this.begin(old, old_key);
    for (const change of changes.slice(-MOST_KEYS)) this.follow(change);
  }

  /** A key in place of another. It may come before what makes it believed. */
  follow(change: JsonObject): void {
    this.waiting = [...this.waiting, change].slice(-MOST_KEYS);
    for (let before = -1; before !== this.keys.size; ) {
      before = this.keys.size;
      this.waiting = this.waiting.filter((c) => !this.accept(c));
    }
  }

  /** undefined = this key is not known so far */
  check(kid: string, text: string, sig: string): boolean | undefined {
    const key = this.keys.get(kid);
    return key === undefined ? undefined : isSigned(key, text, sig);
  }

  private begin(kid: unknown, key: unknown): void {
    if (this.keys.size > 0 || typeof key !== 'string') return;
    const its = kidOf(key);
    if ((kid === undefined || kid === its) && (this.pin === undefined || this.pin === its)) this.keys.set(its, key);
  }

  private accept({ old, kid, key, sig }: JsonObject): boolean {
    const before = this.keys.get(String(old));
    if (before === undefined || typeof key !== 'string' || kidOf(key) !== kid || this.keys.size >= MOST_KEYS)
      return false;
    const isGood = isSigned(before, `wn1-key\n${String(old)}\n${kid}\n${key}`, String(sig));
    if (isGood) this.keys.set(kid, key);
    return isGood;
  }
}

function isSigned(key: string, text: string, sig: string): boolean {
  try {
    const spki = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' });
    return verify(null, Buffer.from(text), spki, Buffer.from(sig, 'base64'));
  } catch {
    return false;
  }
}

const kidOf = (key: string): string =>
  createHash('sha256').update(Buffer.from(key, 'base64')).digest('hex').slice(0, 16);
