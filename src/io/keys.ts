/**
 * The gateway's keys, made at the first start, kept in the data folder, readable by nobody else: Ed25519 for proofs, and how it is changed; a secret
 * for pseudonyms.
 *
 * gateway.key: the private key, PEM. gateway.keys.json: every change so far, oldest first, with the public keys of those retired, so that what they
 * signed can be checked for ever. gateway.key.next: a change under way. A change is first a file, then an event of the feeds, then the key: a process
 * that ends between two finds the file and finishes. The old private key is overwritten by its successor; what a card's wear levelling keeps of it is
 * beyond this program.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from './files.ts';

export interface Signer {
  /** first 16 hex digits of the SHA-256 of the public key */
  readonly kid: string;
  /** public key, SPKI DER in base64 */
  readonly publicKey: string;
  /** signature in base64; deterministic */
  sign(text: string): string;
}

/** A new key in place of an old one, signed by the old: over `wn1-key\n{old}\n{kid}\n{key}`. */
export interface KeyChange {
  readonly old: string;
  readonly old_key: string;
  readonly kid: string;
  readonly key: string;
  readonly alg: 'Ed25519';
  readonly sig: string;
}

export interface Keyring extends Signer {
  readonly changes: readonly KeyChange[];
  /** a change that was begun and is not finished */
  readonly begun: KeyChange | undefined;
  /** Makes a successor and signs it; nothing else changes yet. */
  begin(): Promise<KeyChange>;
  /** The successor signs from now on; the old private key is gone. */
  finish(): Promise<void>;
  /** The successor is thrown away. */
  abandon(): Promise<void>;
}

interface Next {
  readonly change: KeyChange;
  /** private key, PEM */
  readonly pem: string;
}

export async function openGatewayKey(data: string): Promise<Keyring> {
  const path = join(data, 'gateway.key');
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeAtomic(path, pemOf(privateKey), 0o600);
  }
  return new FileKeyring(path, `${path}.next`, join(data, 'gateway.keys.json'));
}

class FileKeyring implements Keyring {
  changes: readonly KeyChange[];
  private readonly path: string;
  private readonly nextPath: string;
  private readonly changesPath: string;
  private signer: Signer;
  private next: Next | undefined;

  constructor(path: string, nextPath: string, changesPath: string) {
    this.path = path;
    this.nextPath = nextPath;
    this.changesPath = changesPath;
    this.signer = signerOf(createPrivateKey(readFileSync(path)));
    this.changes = existsSync(changesPath) ? (JSON.parse(readFileSync(changesPath, 'utf8')) as KeyChange[]) : [];
    this.next = existsSync(nextPath) ? (JSON.parse(readFileSync(nextPath, 'utf8')) as Next) : undefined;
  }

  get kid(): string {
    return this.signer.kid;
  }

  get publicKey(): string {
    return this.signer.publicKey;
  }

  get begun(): KeyChange | undefined {
    return this.next?.change;
  }

  sign(text: string): string {
    return this.signer.sign(text);
  }

  async begin(): Promise<KeyChange> {
    const { privateKey } = generateKeyPairSync('ed25519');
    const { kid, publicKey: key } = signerOf(privateKey);
    const { kid: old, publicKey: old_key } = this.signer;
    const sig = this.signer.sign(`wn1-key\n${old}\n${kid}\n${key}`);
    const next: Next = { change: { old, old_key, kid, key, alg: 'Ed25519', sig }, pem: pemOf(privateKey) };
    await writeAtomic(this.nextPath, JSON.stringify(next), 0o600);
    this.next = next;
    return next.change;
  }

  async finish(): Promise<void> {
    const { next } = this;
    if (next === undefined) return;
    // A process that ended in the middle has one of these behind it already.
    const changes = [...this.changes.filter((c) => c.kid !== next.change.kid), next.change];
    await writeAtomic(this.changesPath, `${JSON.stringify(changes, undefined, 1)}\n`);
    await writeAtomic(this.path, next.pem, 0o600);
    this.changes = changes;
    this.signer = signerOf(createPrivateKey(next.pem));
    await this.abandon();
  }

  async abandon(): Promise<void> {
    this.next = undefined;
    await rm(this.nextPath, { force: true });
  }
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;

function signerOf(key: KeyObject): Signer {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return {
    kid: createHash('sha256').update(spki).digest('hex').slice(0, 16),
    publicKey: spki.toString('base64'),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64'),
  };
}

/** What pseudonyms are made with. */
export interface PseudonymKey {
  /** 8 hex digits, another for another secret */
  readonly kid: string;
  readonly secret: Uint8Array;
}

const pseudonymFile = (data: string): string => join(data, 'pseudonym.key');

/** Made at the first start and kept beside the signing key: without it the same thing would have another name after every start. */
export async function openPseudonymKey(data: string): Promise<PseudonymKey> {
  if (!existsSync(pseudonymFile(data))) await writeAtomic(pseudonymFile(data), randomBytes(32), 0o600);
  return readPseudonymKey(data);
}

/** The key of a gateway that ran before. */
export function readPseudonymKey(data: string): PseudonymKey {
  const secret = readFileSync(pseudonymFile(data));
  return { kid: createHash('sha256').update(secret).digest('hex').slice(0, 8), secret };
}
