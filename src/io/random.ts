import { randomBytes } from 'node:crypto';
import type { Random } from '../base/ports.ts';

/** The system's randomness. */
export function systemRandom(): Random {
  return { next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48, bytes: (n) => randomBytes(n) };
}
