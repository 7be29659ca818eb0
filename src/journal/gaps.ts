/**
 * Gaps: what a feed was entitled to and does not get, as rows of its own. A gap stands in the place of the journal's row at its position, so that
 * the walk over the rows meets it in order. While it surely was not sent it grows with further losses of its reason; afterwards it never changes.
 */
import type { Stream } from '../base/event.ts';
import type { Gap, GapReason, JournalRow, Loss } from '../base/feed.ts';
import type { Sqlite } from '../io/sqlite.ts';
import { firstMark } from './marks.ts';

/** answers to replays a feed may have waiting: more asks nobody in good faith */
const MOST_ANSWERS = 64;

export interface GapPlace {
  readonly feed: string;
  readonly stream: Stream;
  readonly position: number;
}

interface Row {
  readonly position: number;
  readonly body: string;
}

export function gapsBetween(db: Sqlite, feed: string, stream: Stream, after: number, upTo: number): JournalRow[] {
  const query = db.prepare(
    'SELECT position, body FROM gaps WHERE feed = ? AND stream = ? AND position > ? AND position <= ? ORDER BY position',
  );
  return (query.all(feed, stream, after, upTo) as Row[]).map(({ position, body }) => ({
    position,
    kind: 'gap',
    gap: JSON.parse(body) as Gap,
  }));
}

/** 0 when the feed has none */
export function lastGap(db: Sqlite, feed: string, stream: Stream): number {
  return Number(
    db.prepare('SELECT max(position) FROM gaps WHERE feed = ? AND stream = ?').pluck().get(feed, stream) ?? 0,
  );
}

export function putGap(db: Sqlite, { feed, stream, position }: GapPlace, gap: Gap): void {
  db.prepare('INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?)').run(feed, stream, position, JSON.stringify(gap));
}

/**
 * A loss that ends at this place; one more of an unsent gap of the same reason.
 * @param sent position up to which members may have left
 */
export function addLoss(
  db: Sqlite,
  place: GapPlace,
  { id, reason, madeAt, loss }: Gap & { readonly loss: Loss },
  sent: number,
): void {
  const { feed, stream, position } = place;
  const [before] = gapsBetween(db, feed, stream, Math.max(sent, lastGap(db, feed, stream) - 1), position);
  const gap = before?.kind === 'gap' && before.gap.reason === reason ? before.gap : undefined;
  if (before === undefined || gap?.loss === undefined) return putGap(db, place, { id, reason, madeAt, loss });
  db.prepare('DELETE FROM gaps WHERE feed = ? AND stream = ? AND position = ?').run(feed, stream, before.position);
  putGap(db, place, { ...gap, madeAt, loss: joined(gap.loss, loss) });
}

export const joined = (one: Loss, other: Loss): Loss => ({
  lost: one.lost + other.lost,
  from: Math.min(one.from, other.from),
  to: Math.max(one.to, other.to),
});

/** Whether a replay of this range was answered already, or too many were. */
export function isAnswered(db: Sqlite, feed: string, reason: GapReason, asked: NonNullable<Gap['asked']>): boolean {
  const answers = allGaps(db, feed).filter(({ gap }) => gap.asked !== undefined);
  const isSame = ({ gap }: { gap: Gap }): boolean =>
    gap.reason === reason &&
    gap.asked?.stream === asked.stream &&
    gap.asked.first <= asked.first &&
    gap.asked.last >= asked.last;
  return answers.length >= MOST_ANSWERS || answers.some(isSame);
}

export function allGaps(db: Sqlite, feed: string): { readonly stream: Stream; readonly gap: Gap }[] {
  const rows = db.prepare('SELECT stream, body FROM gaps WHERE feed = ? ORDER BY position').all(feed) as {
    stream: Stream;
    body: string;
  }[];
  return rows.map(({ stream, body }) => ({ stream, gap: JSON.parse(body) as Gap }));
}

/** Gaps a feed has passed (up to its acked position), and behind which no replay can begin any more, go. */
export function tidyGaps(db: Sqlite, feed: string, stream: Stream, acked: number): void {
  const first = firstMark(db, feed, stream)?.position ?? Number.POSITIVE_INFINITY;
  const upTo = Math.min(acked, first);
  db.prepare('DELETE FROM gaps WHERE feed = ? AND stream = ? AND position <= ?').run(feed, stream, upTo);
}
