/** The disclosure audit's accounts (disclosures.ts) become events of the journal when their hour is over. */
import { createHash } from 'node:crypto';
import type { Instant } from '../base/time.ts';
import type { Store } from './store.ts';
import type { Streams } from './streams.ts';

/** @returns whether there were any */
export function tellDisclosures(store: Store, streams: Streams, now: Instant, entropy: Uint8Array): boolean {
  const { disclosures } = streams;
  disclosures.at(now);
  const ended = disclosures.ended(now);
  if (ended.length === 0) return false;
  const keys = ended.map(({ key }) => key);
  const ids = keys.map((key) => createHash('sha256').update(entropy).update(key).digest().subarray(0, 10));
  const commit = { events: ended.map(({ draft }) => draft), alarms: [], states: [], memory: [] };
  store.commit([{ commit, groups: [], now, entropy: Buffer.concat(ids) }], (db) => {
    streams.save(db);
    disclosures.drop(db, keys);
  });
  streams.saved();
  disclosures.dropped(keys);
  return true;
}
