/** What waits for a feed, told from the tallies, against counting the rows: through commits, acknowledgements, drops, damage, erasure and new lives. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/fakes/random.ts';
import { ALL, type Bench, DEMAND, draft, newPath, noise, open, reading, SMALL, work } from '../../test/kit/journal.ts';
import type { FeedDepth, FeedState } from '../base/feed.ts';
import { openSqlite, type Sqlite } from '../io/sqlite.ts';
import { migrate, SCHEMA_VERSION } from './schema.ts';
import { amountsAfter } from './tally.ts';

const STEPS = process.env.WEINAO_NIGHT === undefined ? 60 : 1500;
const KEEP = 300 * 86_400_000;

type Counted = Omit<FeedDepth, 'members'>;

/** By reading every row. */
function counted(db: Sqlite, { acked }: FeedState): { a: Counted; t: Counted } {
  const events = (stream: 'a' | 't') =>
    db
      .prepare(
        'SELECT count(*) AS rows, coalesce(sum(length(CAST(body AS BLOB))), 0) AS bytes FROM rows WHERE stream = ? AND position > ?',
      )
      .get(stream, acked[stream].position) as { rows: number; bytes: number };
  const groups = (db.prepare('SELECT n FROM segments').pluck().all() as number[]).map(
    (n) =>
      db
        .prepare(
          `SELECT count(*) AS rows, coalesce(sum(count), 0) AS samples, coalesce(sum(length(body)), 0) AS bytes FROM tel_${n} WHERE position > ?`,
        )
        .get(acked.t.position) as { rows: number; samples: number; bytes: number },
  );
  const [a, t] = [events('a'), events('t')];
  const sum = (of: 'rows' | 'samples' | 'bytes'): number => groups.reduce((total, group) => total + group[of], 0);
  return {
    a: { rows: a.rows, samples: 0, units: a.rows, bytes: a.bytes },
    t: {
      rows: t.rows + sum('rows'),
      samples: sum('samples'),
      units: t.rows + sum('samples'),
      bytes: t.bytes + sum('bytes'),
    },
  };
}

describe('the depth of a feed', () => {
  it.each([3, 17])('is the rows that wait, whatever happened before (seed %i)', { timeout: 120_000 }, async (seed) => {
    const random = seededRandom(seed).next;
    const upTo = (n: number): number => Math.floor(random() * n);
    const path = newPath();
    const feeds = ['street', 'city'] as const;
    const demand = (feed: string) => ({ ...DEMAND, feed, keepMs: KEEP });
    let b: Bench = open(path, undefined, SMALL / 4);
    const begin = async (): Promise<void> => {
      await b.journal.start();
      for (const feed of feeds) await b.journal.ledger.open(demand(feed));
    };
    await begin();
    const take = async (feed: string, stream: 'a' | 't'): Promise<void> => {
      const { contract, acked } = await b.journal.ledger.open(demand(feed));
      const { epoch } = contract;
      const after = { epoch, seq: acked[stream].seq };
      const some = await b.journal.ledger.next(feed, stream, after, { ...ALL, max: 1 + upTo(400) });
      const last = some.at(-1);
      if (last !== undefined) b.journal.ledger.ack(feed, stream, { epoch, seq: last.seq });
    };
    const acts: readonly (() => Promise<unknown>)[] = [
      async () => {
        for (let n = upTo(40); n >= 0; n--) {
          const of = draft(n, b.clock);
          await b.journal.commit(
            work(of, { ...of, kind: 'device.online' }, { ...of, data: { text: '水'.repeat(upTo(99)) } }),
          );
        }
      },
      () => noise(b, upTo(160)),
      async () => {
        for (let n = upTo(200); n >= 0; n--) {
          b.journal.report([reading(n, b.clock)]);
          await b.journal.flush();
        }
      },
      () => take('street', 'a'),
      () => take('street', 't'),
      () => take('street', 't'),
      () => take('city', 'a'),
      () => b.clock.advance(5100),
      () => b.clock.advance(60_000),
      () => b.journal.erase({ devices: [`d${upTo(40)}`], points: [], forms: [], from: 0, to: 1e15 }),
      async () => {
        await b.journal.close();
        b = open(path, b.clock, SMALL / 4);
        await begin();
      },
    ];
    const seen = new Set<number>();
    let firstSegment = 0;
    for (let step = 0; step < STEPS; step++) {
      const act = upTo(acts.length);
      await acts[act]?.();
      const db = openSqlite(path);
      for (const feed of feeds) {
        const state = await b.journal.ledger.open(demand(feed));
        const depth = await b.journal.ledger.depth(feed);
        expect(depth, `step ${step}, act ${act}, ${feed}`).toMatchObject(counted(db, state));
        seen.add(depth.t.rows);
      }
      firstSegment = Number(db.prepare('SELECT coalesce(min(n), 0) FROM segments').pluck().get());
      db.close();
    }
    expect(seen.size).toBeGreaterThan(10);
    expect(Math.max(...seen)).toBeGreaterThan(256);
    expect(firstSegment, 'segments were dropped').toBeGreaterThan(1);
    await b.journal.close();
  });

  it('is counted once in a file of a version that kept no tallies', async () => {
    const path = newPath();
    const b = open(path);
    await b.journal.start();
    await b.journal.ledger.open(DEMAND);
    for (let n = 0; n < 700; n++) await b.journal.commit(work(draft(n, b.clock)));
    await noise(b, 300);
    const before = await b.journal.ledger.depth('street');
    await b.journal.close();
    const db = openSqlite(path);
    db.exec('DROP TABLE tallies');
    db.pragma(`user_version = ${SCHEMA_VERSION - 2}`);
    migrate(db, path);
    const blocks = Number(db.prepare('SELECT count(DISTINCT block) FROM tallies').pluck().get());
    expect(blocks).toBe(Math.floor(1000 / 256));
    const all = amountsAfter(db, 0);
    db.close();
    expect(all.a.rows).toBe(before.a.rows);
    expect({ rows: all.g.rows, samples: all.g.samples }).toEqual({ rows: before.t.rows, samples: before.t.samples });
    const again = open(path, b.clock);
    await again.journal.start();
    expect(await again.journal.ledger.depth('street')).toEqual(before);
    await again.journal.close();
  });
});
