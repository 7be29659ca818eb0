/** `GET /v1/status`: everything a technician asks first, as one object. */
import type { LocatedProblem } from '../base/problem.ts';
import { isoTime } from '../base/time.ts';
import { showProblem } from '../config/show.ts';
import type { SystemClock } from '../io/clock.ts';
import { memoryUse } from '../io/process.ts';
import type { Health } from './health.ts';
import type { House } from './house.ts';

export const VERSION = '0.1.0';

export interface Running {
  readonly house: House;
  readonly health: Health;
  readonly ready: boolean;
  readonly clock: SystemClock;
  /** the files were invalid and the last good configuration runs */
  readonly lastGood: boolean;
  readonly problems: readonly LocatedProblem[];
}

export async function statusOf(running: Running): Promise<unknown> {
  const { house, health, ready, clock } = running;
  const model = house.model();
  const facts = await house.journal.facts();
  const now = clock.now();
  const known = new Map((await house.journal.feeds()).map((feed) => [feed.feed, feed]));
  const alarms = house.board.open();
  return {
    schema: 1,
    site: { id: model.site.id, name: model.site.name },
    gateway: model.gateway.id,
    version: VERSION,
    boot: facts.boot,
    uptime_ms: Math.round(now.mono),
    ready,
    health,
    config: {
      hash: model.hash,
      last_good: running.lastGood,
      problems: running.problems.map((p) => ({ zh: showProblem(p, 'zh'), en: showProblem(p, 'en') })),
    },
    clock: { wall: isoTime(now.wall), synced: now.synced },
    channels: house.engine.channels().map((c) => ({
      id: c.id,
      state: c.state,
      turns: c.turns,
      replies: c.replies,
      timeouts: c.timeouts,
      bad_frames: c.badFrames,
      stray_bytes: c.strayBytes,
      reopens: c.reopens,
      ...(c.dropped === undefined ? {} : { dropped: c.dropped }),
      wasted_share: Math.round((c.wastedMs / Math.max(1, now.mono)) * 1000) / 1000,
    })),
    devices: house.engine.devices().map(({ lastGood, ...d }) => ({
      ...d,
      name: model.devices.get(d.id)?.name,
      channel: model.devices.get(d.id)?.channel,
      ...(lastGood === undefined ? {} : { last_good: isoTime(lastGood) }),
    })),
    points_read: house.pointsRead(),
    journal: { durable: facts.durable, epoch: facts.epoch, head: facts.head, counters: facts.counters },
    feeds: await Promise.all(
      house.uplink.status().map(async (feed) => {
        const depth = await house.journal.ledger.depth(feed.id).catch(() => undefined);
        const { delivered = 0, withheld = 0, dropped = {} } = known.get(feed.id) ?? {};
        // Events and samples since the feed began: each was delivered, waits, was withheld by the view, or given up.
        const account = { delivered, waiting: (depth?.a.units ?? 0) + (depth?.t.units ?? 0), withheld, dropped };
        return { ...feed, waiting: { a: depth?.a.rows ?? 0, t: depth?.t.rows ?? 0 }, account };
      }),
    ),
    alarms: {
      open: alarms.length,
      active: alarms.filter((a) => a.condition === 'active').length,
      red: alarms.filter((a) => a.level === 'red' && a.condition === 'active').length,
    },
    media: house.media.use(),
    memory: memoryUse(),
  };
}
