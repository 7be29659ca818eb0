/** Identifiers: ULIDs for events and alarms, and the grammar of ids in the configuration. */
import { createHash } from 'node:crypto';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * A ULID (github.com/ulid/spec): 10 characters of time, 16 of entropy.
 * @param wall UTC milliseconds, 0 .. 2^48-1
 * @param entropy at least 10 bytes; the first ten are used
 */
export function ulid(wall: number, entropy: Uint8Array): string {
  let head = '';
  let t = Math.max(0, Math.floor(wall));
  for (let i = 0; i < 10; i++) {
    head = CROCKFORD[t % 32] + head;
    t = Math.floor(t / 32);
  }
  let tail = '';
  let bits = 0;
  let held = 0;
  for (let i = 0; i < 10; i++) {
    bits = (bits << 8) | (entropy[i] ?? 0);
    held += 8;
    while (held >= 5) {
      held -= 5;
      tail += CROCKFORD[(bits >>> held) & 31];
      bits &= (1 << held) - 1;
    }
  }
  return head + tail;
}

export const isUlid = (text: string): boolean => text.length === 26 && [...text].every((c) => CROCKFORD.includes(c));

/** A ULID whose entropy is derived from what it names, so that the same happening gets the same id however often it is computed. */
export function derivedUlid(wall: number, ...names: readonly string[]): string {
  return ulid(wall, createHash('sha256').update(names.join('\u0000')).digest());
}

/** Ids of devices, points, rules, ...: `[a-z][a-z0-9_]*`. */
export function isId(text: string): boolean {
  if (text.length === 0 || text.length > 64) return false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const letter = c >= 97 && c <= 122;
    const rest = (c >= 48 && c <= 57) || c === 95;
    if (!letter && !(i > 0 && rest)) return false;
  }
  return true;
}
