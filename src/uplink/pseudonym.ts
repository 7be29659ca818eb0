/**
 * Pseudonyms: the same id has the same name within a feed and another one in every other feed, and nobody without the gateway's secret can tell
 * which id it was, or try them all. HMAC-SHA256 under a key derived for the feed and the key id that its contract names.
 */
import { createHmac } from 'node:crypto';

export type Pseudonyms = (feed: string, kid: string) => (id: string) => string;

export function pseudonymsOf(secret: Uint8Array): Pseudonyms {
  const keys = new Map<string, Buffer>();
  return (feed, kid) => {
    const purpose = `wn-pseudonym\n${feed}\n${kid}`;
    const key = keys.get(purpose) ?? createHmac('sha256', secret).update(purpose).digest();
    keys.set(purpose, key);
    return (id) => `p_${createHmac('sha256', key).update(id).digest('hex').slice(0, 16)}`;
  };
}
