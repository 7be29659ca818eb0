/** A clock that wakes up in 1970 and is set later: what was stored meanwhile is new, not fifty years old. */
import { expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import {
  type Bench,
  DEMAND,
  draft,
  newPath,
  noise,
  open,
  reading,
  SMALL,
  takeAll,
  work,
} from '../../test/kit/journal.ts';
import type { KeepClass, KeptCounts, OutMessage } from '../base/feed.ts';
import type { Lost } from './feed.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 25);

/** In 1970, as a board without a battery begins. */
function wakeUp(): VirtualClock {
  const clock = new VirtualClock(7000);
  clock.synced = false;
  return clock;
}

function set(clock: VirtualClock, to = NOW): void {
  clock.stepWall(to - clock.now().wall);
  clock.synced = true;
}

async function begin(path: string, clock: VirtualClock, budget = SMALL): Promise<{ b: Bench; lost: Lost[] }> {
  const b = open(path, clock, budget);
  await b.journal.start();
  const lost: Lost[] = [];
  b.journal.onLost((l) => void lost.push(l));
  await b.journal.ledger.open(DEMAND);
  return { b, lost };
}

const expire = (b: Bench, before: number): Promise<readonly KeptCounts[]> => {
  const what = { devices: ['d', 'd1'], points: [], forms: [], from: 0, to: Number.MAX_SAFE_INTEGER };
  return b.journal.expire([{ days: 7, before, what } satisfies KeepClass], new AbortController().signal);
};
const isGap = (m: OutMessage): boolean => m.type === 'weinao.feed.gap.v1';

it('what nobody has taken yet stays for its feed, by its days from when the clock was set', async () => {
  const path = newPath();
  const { b, lost } = await begin(path, wakeUp());
  await b.journal.commit(work(draft(1, b.clock)));
  // More than one segment, so that the first could go.
  await noise(b, 150);
  await b.journal.close();
  // Off, and in 1970 again.
  const again = await begin(path, wakeUp());
  await again.b.journal.commit(work(draft(2, again.b.clock)));
  set(again.b.clock);
  await again.b.journal.commit(work(draft(3, again.b.clock)));
  await again.b.clock.advance(60_000);
  expect([...lost, ...again.lost]).toEqual([]);
  // The feed keeps telemetry for ten days (takeAll asks for them), and the alarms for half a year.
  again.b.clock.stepWall(11 * DAY);
  await again.b.clock.advance(660_000);
  expect(again.lost.map(({ stream, why }) => `${stream} ${why}`)).toContain('t kept-too-long');
  const alarms = await takeAll(again.b, 'street', 'a');
  expect(alarms.filter((m) => m.type === 'weinao.alarm.raised.v1')).toHaveLength(3);
  expect(alarms.some(isGap)).toBe(false);
  await again.b.journal.close();
});

it('keep_days counts from when the clock was set, and then does count', async () => {
  const { b } = await begin(newPath(), wakeUp());
  await b.journal.commit(work(draft(1, b.clock)));
  b.journal.report([reading(1, b.clock)]);
  await b.journal.flush();
  set(b.clock);
  expect(await expire(b, NOW - 7 * DAY)).toMatchObject([{ events: 0, samples: 0 }]);
  await b.journal.commit(work(draft(1, b.clock)));
  expect(await expire(b, NOW - 7 * DAY)).toMatchObject([{ events: 0, samples: 0 }]);
  b.clock.stepWall(8 * DAY);
  // What was stored in time goes by its own time, what was not with it.
  expect(await expire(b, b.clock.now().wall - 7 * DAY)).toMatchObject([{ events: 2, samples: 1 }]);
  await b.journal.close();
});

it('of several times without the time each counts from its own end', async () => {
  const path = newPath();
  const clock = wakeUp();
  const { b } = await begin(path, clock);
  await b.journal.commit(work(draft(1, clock)));
  set(clock);
  await b.journal.commit(work(draft(1, clock)));
  clock.synced = false;
  await b.journal.commit(work(draft(1, clock)));
  set(clock, NOW + 5 * DAY);
  await b.journal.commit(work(draft(1, clock)));
  const before = NOW + 1;
  // The first two: stored until the clock was set for the first time.
  expect(await expire(b, before)).toMatchObject([{ events: 2 }]);
  await b.journal.close();
});

it('a feed that is missing from the configuration has its week by the right clock', async () => {
  const path = newPath();
  const { b } = await begin(path, wakeUp());
  await b.journal.commit(work(draft(1, b.clock)));
  await b.journal.named([]);
  await b.clock.advance(60_000);
  set(b.clock);
  await b.clock.advance(60_000);
  expect((await b.journal.feeds()).map((f) => f.feed)).toEqual(['street']);
  b.clock.stepWall(8 * DAY);
  await b.clock.advance(60_000);
  expect(await b.journal.feeds()).toEqual([]);
  await b.journal.close();
});

it('a clock that is far ahead, and nobody vouches for, takes nothing either', async () => {
  const { b, lost } = await begin(newPath(), new VirtualClock(NOW));
  await b.journal.commit(work(draft(1, b.clock)));
  await noise(b, 150);
  b.clock.synced = false;
  b.clock.stepWall(20 * 365 * DAY);
  await b.clock.advance(60_000);
  expect(lost).toEqual([]);
  await b.journal.close();
});
