/** The gateway's keys, made at the first start, kept in the data folder, readable by nobody else: Ed25519 for proofs, a secret for pseudonyms. */
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

export async function openGatewayKey(data: string): Promise<Signer> {
  const path = join(data, 'gateway.key');
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeAtomic(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  }
  return signerOf(createPrivateKey(readFileSync(path)));
}

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
