/** What did not come along when a store was replaced (salvage.ts) is told to the feeds that may have had it coming: each begins a new epoch, with a gap of its own. */
import type { Stream } from '../base/event.ts';
import type { ContractRow, Loss } from '../base/feed.ts';
import type { Sqlite } from '../io/sqlite.ts';
import type { Feed, Fresh } from './feed.ts';
import type { Teller } from './left.ts';
import type { Measure } from './measure.ts';
import { dropMeta, readMeta } from './meta.ts';
import type { Lost, LostSegment } from './salvage.ts';
import type { Store } from './store.ts';

const SAMPLE = 64;

/** The feeds as far as they are told what was lost to them. */
interface Told extends Teller {
  look(id: string): Pick<Feed, 'contract' | 'acked'>;
  measure(id: string, stream: Stream): Measure;
}
interface Replaced extends Told {
  replaced(store: Store, why: string, fresh: Fresh): string[];
  persist(also: (db: Sqlite) => void): void;
}

/** What was lost and is not told yet. */
export const untold = (db: Sqlite): Lost | undefined => lostAs(db, 'lost');

/** Feeds that nobody remembers were opened by now: who comes later is new. */
export const forgetCursors = (db: Sqlite): void => dropMeta(db, 'cursors');

/** What was lost in a store that does not know where its feeds stood; undefined in any other. */
export const lostCursors = (db: Sqlite): Lost | undefined => lostAs(db, 'cursors');

function lostAs(db: Sqlite, key: string): Lost | undefined {
  const body = readMeta(db, key);
  return body === undefined ? undefined : (JSON.parse(body) as Lost);
}

/** why an epoch begins */
export const reasonOf = ({ why }: Lost): string => `store: ${why}`.slice(0, 80);

/** New epochs, and the gaps in the same transaction. @returns the feeds */
export function tellLost(store: Store, streams: Replaced, lost: Lost, fresh: Fresh): string[] {
  const feeds = streams.replaced(store, reasonOf(lost), fresh);
  streams.persist((db) => {
    for (const feed of feeds) tellFeed(db, store, streams, { feed, lost, wall: fresh.wall });
    dropMeta(db, 'lost');
  });
  return feeds;
}

/** Part of a transaction: the gaps of one feed, behind everything it still gets. */
export function tellFeed(
  db: Sqlite,
  store: Store,
  streams: Told,
  { feed, lost, wall }: { readonly feed: string; readonly lost: Lost; readonly wall: number },
): void {
  const { contract, acked } = streams.look(feed);
  const gap = (stream: Stream, loss: Loss | undefined): void =>
    streams.appendTo(db, feed, stream, wall, { reason: 'damaged', ...(loss === undefined ? {} : { loss }) });
  const { events, segments, unknown } = lost;
  if (unknown.includes('events')) gap('a', undefined);
  else if (events !== undefined && acked.a.position < events.before - 1) gap('a', lossOf(events));
  if (!maySee(contract)) return;
  if (unknown.includes('telemetry')) return gap('t', undefined);
  const going = segments.filter(({ last }) => last > acked.t.position);
  const share = going.length === 0 ? 0 : shareOf(store, streams, feed);
  const samples = Math.ceil(share * going.reduce((sum, segment) => sum + lostBehind(db, segment, acked.t.position), 0));
  if (samples === 0) return;
  const [from, to] = [Math.min(...going.map((s) => s.oldest)), Math.max(...going.map((s) => s.newest))];
  gap('t', { lost: samples, from, to });
}

const lossOf = ({ count, from, to }: { count: number; from: number; to: number }): Loss => ({ lost: count, from, to });

/** Samples of a segment that a feed had coming and does not get; of the segment its cursor stands in, those of the groups behind it. */
function lostBehind(
  db: Sqlite,
  { first, last, groups, samples, kept, keptFrom }: LostSegment,
  position: number,
): number {
  if (position >= keptFrom - 1) return 0;
  if (position < first) return samples - kept;
  // Positions there are groups' or events'; of the events those that came along are known.
  const events = db.prepare('SELECT count(*) FROM rows WHERE position > ? AND position <= ?').pluck();
  const behind = last - position - Number(events.get(position, last));
  return Math.max(1, Math.round((samples * Math.min(groups, behind)) / groups) - kept);
}

const maySee = ({ selects }: ContractRow): boolean =>
  selects.kind === 'everything' || Object.keys(selects.points).length > 0;

/** What part of the telemetry a feed sees, by the oldest of it that is there; all of it when there is none. */
function shareOf(store: Store, streams: Told, feed: string): number {
  const rows = store.rowsAfter('t', 0, SAMPLE).filter((row) => row.kind === 'group');
  store.takeDamaged();
  const all = rows.reduce((sum, row) => sum + (row.kind === 'group' ? row.count : 0), 0);
  return all === 0 ? 1 : (streams.measure(feed, 't').add(rows).behind(0)?.lost ?? 0) / all;
}
