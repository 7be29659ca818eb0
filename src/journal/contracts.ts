/**
 * Contracts as rows. What a view was resolved to may be long and never changes within an epoch, so it lies beside the row that is written whenever
 * a cursor moves.
 */
import type { Stream } from '../base/event.ts';
import type { ContractRow, StreamHead } from '../base/feed.ts';
import { EVERYTHING, type ResolvedView } from '../base/view.ts';
import type { Sqlite } from '../io/sqlite.ts';

/** What the journal knows of a feed besides its contract. */
export interface Standing {
  keepMs: number;
  priority: number;
  /** the feed is told what stands behind this position */
  since: number;
  /** positions up to which members may have left, in this epoch or one before */
  sent: Record<Stream, number>;
  /** events and samples given up, by reason */
  dropped: Record<string, number>;
  /** of those the cursors passed: told, and not for this feed; rows of older versions do not know */
  delivered?: number;
  withheld?: number;
}

export interface SavedFeed {
  readonly contract: ContractRow;
  readonly standing: Standing;
  readonly a: StreamHead;
  readonly t: StreamHead;
}

export function loadFeeds(db: Sqlite): SavedFeed[] {
  const rows = db
    .prepare(
      'SELECT f.feed, f.contract, f.a, f.t, f.standing, v.body AS view FROM feeds f LEFT JOIN views v ON v.feed = f.feed',
    )
    .all() as { contract: string; a: string; t: string; standing: string; view: string | null }[];
  return rows.map(({ contract, a, t, standing, view }) => ({
    // A row of an older version has no view beside it; its encoder is another one, so it is renewed before anything is sent.
    contract: {
      ...(JSON.parse(contract) as ContractRow),
      selects: view === null ? EVERYTHING : (JSON.parse(view) as ResolvedView),
    },
    standing: JSON.parse(standing) as Standing,
    a: JSON.parse(a) as StreamHead,
    t: JSON.parse(t) as StreamHead,
  }));
}

/** @param isNew the contract is not written yet */
export function saveFeed(db: Sqlite, { contract, a, t, standing }: SavedFeed, isNew: boolean): void {
  const { selects, ...rest } = contract;
  if (isNew) db.prepare('INSERT OR REPLACE INTO views VALUES (?, ?)').run(contract.feed, JSON.stringify(selects));
  db.prepare('INSERT OR REPLACE INTO feeds VALUES (?, ?, ?, ?, ?)').run(
    contract.feed,
    JSON.stringify(rest),
    JSON.stringify(a),
    JSON.stringify(t),
    JSON.stringify(standing),
  );
}

export function dropFeed(db: Sqlite, feed: string): void {
  for (const table of ['feeds', 'views', 'gaps', 'marks']) db.prepare(`DELETE FROM ${table} WHERE feed = ?`).run(feed);
}
