import { describe, expect, it } from 'vitest';
import { createCalendar } from './calendar.ts';

const H = 3_600_000;
const D = 24 * H;
const berlin = createCalendar('Europe/Berlin');
const span = (calendar: ReturnType<typeof createCalendar>, iso: string, every: number): string[] =>
  calendar.period(Date.parse(iso), every).map((t) => new Date(t).toISOString());

describe('a period of local time', () => {
  it('is a day of 25 hours when the clock goes back, and one of 23 when it goes forward', () => {
    expect(span(berlin, '2026-10-25T22:30:00Z', D)).toEqual(['2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z']);
    expect(span(berlin, '2026-03-29T12:00:00Z', D)).toEqual(['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z']);
  });

  it('counts hours as they pass and longer parts of a day by the local clock', () => {
    expect(span(berlin, '2026-10-25T01:30:00Z', H)).toEqual(['2026-10-25T01:00:00.000Z', '2026-10-25T02:00:00.000Z']);
    expect(span(berlin, '2026-10-25T04:30:00Z', 6 * H)).toEqual([
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T05:00:00.000Z',
    ]);
  });

  it('begins weeks on Monday and longer ones where they began', () => {
    const shanghai = createCalendar('Asia/Shanghai');
    expect(span(shanghai, '2026-11-25T04:00:00Z', 7 * D)).toEqual([
      '2026-11-22T16:00:00.000Z',
      '2026-11-29T16:00:00.000Z',
    ]);
    const [from, until] = shanghai.period(Date.parse('2026-11-25T04:00:00Z'), 10 * D);
    expect(shanghai.period(until, 10 * D)[0]).toBe(until);
    expect(shanghai.period(from, 10 * D)[0]).toBe(from);
  });

  it.each(['Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe', 'Asia/Shanghai'])(
    'lie side by side all year in %s',
    (zone) => {
      const calendar = createCalendar(zone);
      for (const every of [H, 2 * H, 6 * H, D, 7 * D]) {
        let at = Date.UTC(2026, 0, 1);
        const end = at + 366 * D;
        let [, until] = calendar.period(at, every);
        while (at < end) {
          at = until;
          const [from, next] = calendar.period(at, every);
          expect(from).toBe(at);
          expect(next).toBeGreaterThan(at);
          until = next;
        }
      }
    },
  );
});
