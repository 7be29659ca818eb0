import { describe, expect, it } from 'vitest';
import type { EventKind } from '../base/event.ts';
import type { History } from '../journal/history.ts';
import { reportOf } from './kpi.ts';

const M = 60_000;
const H = 60 * M;

function history(...rows: readonly (readonly [number, EventKind, string, string])[]): History {
  return {
    *rows() {
      for (const [position, [at, kind, key, level]] of rows.entries())
        yield {
          kind: 'event' as const,
          position,
          id: String(position),
          recorded: at,
          event: { kind, at: { wall: at, mono: at, synced: true }, data: { key, name: key, level, aid: key } },
        };
    },
    alarms: () => [],
  };
}

describe('a report of alarms', () => {
  it('counts, names the worst, the chattering and the standing, and how fast people are', () => {
    const r = reportOf(
      history(
        [0, 'alarm.raised', 'a', 'red'],
        [1 * M, 'alarm.acked', 'a', 'red'],
        [2 * M, 'alarm.cleared', 'a', 'red'],
        [3 * M, 'alarm.raised', 'b', 'blue'],
        [4 * M, 'alarm.cleared', 'b', 'blue'],
        [5 * M, 'alarm.raised', 'b', 'blue'],
        [6 * M, 'alarm.cleared', 'b', 'blue'],
        [7 * M, 'alarm.raised', 'b', 'blue'],
        [8 * M, 'alarm.cleared', 'b', 'blue'],
        [2 * H, 'alarm.raised', 'c', 'yellow'],
        [3 * H, 'telemetry.sampled', 'x', ''],
      ),
      0,
      48 * H,
    );
    expect(r).toMatchObject({
      raised: 5,
      per_10min: { mean: 0.02, worst: 4, floods: 0 },
      by_level: { red: 1, blue: 3, yellow: 1 },
      chattering: ['b'],
      standing: [{ key: 'c', hours: 46 }],
      median_ack_s: 60,
    });
    expect(r.worst[0]).toEqual({ key: 'b', name: 'b', count: 3 });
  });

  it('of nothing is zeros', () => {
    expect(reportOf(history(), 0, H)).toMatchObject({
      raised: 0,
      per_10min: { mean: 0, worst: 0, floods: 0 },
      standing: [],
    });
  });

  it('adds up what was disclosed, by feed and class', () => {
    const audit = (feed: string, of: string, members: number, subjects: number) => ({
      kind: 'event' as const,
      position: 1,
      id: '1',
      recorded: 0,
      event: {
        kind: 'audit.disclosed' as const,
        at: { wall: 0, mono: 0, synced: true },
        data: { feed, class: of, members, values: 2 * members, subjects },
      },
    });
    const rows = [
      audit('street', 'personal', 3, 2),
      audit('street', 'personal', 4, 1),
      audit('police', 'sensitive', 1, 1),
    ];
    expect(
      reportOf(
        {
          *rows() {
            yield* rows;
          },
          alarms: () => [],
        },
        0,
        H,
      ).disclosed,
    ).toEqual([
      { feed: 'street', class: 'personal', hours: 2, members: 7, values: 14, subjects: 2 },
      { feed: 'police', class: 'sensitive', hours: 1, members: 1, values: 2, subjects: 1 },
    ]);
  });
});
