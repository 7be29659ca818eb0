/**
 * What may go, and who loses it. A telemetry segment goes when every feed has passed it. A feed that stays behind longer than its `keep`, or
 * while the file is over its budget, loses the oldest segment: it alone gets a new epoch whose first member tells, and the loss is counted.
 * Alarm rows every feed has passed stay for ALARM_DAYS. One small step at a time, so that no commit waits long.
 */
import type { Shed } from '../base/feed.ts';
import { dropMarksBefore } from './marks.ts';
import type { Store } from './store.ts';
import type { Streams } from './streams.ts';

const ALARM_DAYS = 180;
const DAY = 86_400_000;
const ROWS_AT_ONCE = 500;

export interface Pruned {
  /** feeds that lost what they had not taken */
  readonly renewed: readonly string[];
  readonly why: Shed;
}

export function prune(store: Store, streams: Streams, wall: number, budget: number, entropy: Uint8Array): Pruned {
  pruneRows(store, streams, wall);
  const why: Shed = store.size() > budget ? 'disk-full' : 'kept-too-long';
  const [oldest, ...rest] = store.segments();
  // The segment being written stays.
  if (oldest === undefined || rest.length === 0) return { renewed: [], why };
  const behind = streams.behind(oldest.last);
  const late = behind.filter((feed) => why === 'disk-full' || wall - oldest.newest > feed.keepMs);
  // While one feed still wants it, the segment stays for all.
  if (late.length < behind.length) return { renewed: [], why };
  for (const [i, { id }] of late.entries()) {
    const salted = entropy.map((b) => b ^ (i + 1));
    const { contract } = streams.renew(id, why, salted, wall, { stream: 't', position: oldest.last });
    store.counters.dropped_unsent = (store.counters.dropped_unsent ?? 0) + (contract.gap?.lost ?? 0);
  }
  store.dropSegment(oldest.n);
  return { renewed: late.map((feed) => feed.id), why };
}

function pruneRows(store: Store, streams: Streams, wall: number): void {
  const passed = streams.behindOnAlarms();
  const before = wall - ALARM_DAYS * DAY;
  // Recorded times never fall along the positions, so the first rows tell; a search by time would read the whole table.
  const oldest = store.db.prepare('SELECT position, recorded FROM rows ORDER BY position LIMIT 1').get() as
    | { position: number; recorded: number }
    | undefined;
  if (oldest === undefined || oldest.recorded >= before || oldest.position > passed) return;
  const last = Math.min(passed, oldest.position + ROWS_AT_ONCE);
  store.write((db) => {
    store.keepClock();
    dropMarksBefore(db, last);
    db.prepare('DELETE FROM rows WHERE position <= ? AND recorded < ?').run(last, before);
  });
}
