/**
 * Named times: `23:00 .. 05:30`, `sunset+30m .. sunrise-30m`. A span is half open, belongs to the local day on which it begins and may run over
 * midnight. Sun times are those of the site's coordinates; where the sun does not rise or set that day, the span does not open.
 */
import { getTimes } from 'suncalc';
import { type Calendar, createCalendar, type Day } from '../../base/calendar.ts';
import type { SiteModel } from '../../base/model.ts';
import { parseDuration } from '../../base/time.ts';

const SUN = ['sunrise', 'sunset', 'dawn', 'dusk'] as const;
type Sun = (typeof SUN)[number];

interface Bound {
  /** minutes after local midnight, when no sun time */
  readonly minutes: number;
  readonly sun?: Sun;
  readonly shiftMs: number;
}

export interface Span {
  readonly from: Bound;
  readonly until: Bound;
  readonly text: string;
}

export const needsSun = (span: Span): boolean => span.from.sun !== undefined || span.until.sun !== undefined;

export function parseSpan(text: string): Span | undefined {
  const at = text.indexOf('..');
  if (at < 0) return undefined;
  const from = parseBound(text.slice(0, at).trim());
  const until = parseBound(text.slice(at + 2).trim());
  return from === undefined || until === undefined ? undefined : { from, until, text };
}

function parseBound(text: string): Bound | undefined {
  const sun = SUN.find((s) => text.startsWith(s));
  if (sun === undefined) {
    const minutes = clockMinutes(text);
    return minutes === undefined ? undefined : { minutes, shiftMs: 0 };
  }
  const rest = text.slice(sun.length).trim();
  if (rest === '') return { minutes: 0, sun, shiftMs: 0 };
  const sign = rest[0] === '+' ? 1 : rest[0] === '-' ? -1 : 0;
  const shift = parseDuration(rest.slice(1).trim());
  return sign === 0 || shift === undefined ? undefined : { minutes: 0, sun, shiftMs: sign * shift };
}

function clockMinutes(text: string): number | undefined {
  const [h = '', m = '', ...more] = text.split(':');
  const digits = (s: string): boolean => s.length >= 1 && s.length <= 2 && [...s].every((c) => c >= '0' && c <= '9');
  if (!digits(h) || !digits(m) || more.length > 0) return undefined;
  const minutes = Number(h) * 60 + Number(m);
  return Number(m) < 60 && minutes <= 24 * 60 ? minutes : undefined;
}

/** The named times of a site at any moment. */
export interface Times {
  readonly calendar: Calendar;
  isOpen(span: Span, wall: number): boolean;
  /** the next moment at which it opens or closes; undefined when none is near */
  nextChange(span: Span, wall: number): number | undefined;
  /** ms of (from, until] inside the span */
  overlap(span: Span, from: number, until: number): number;
}

export function createTimes(site: SiteModel['site']): Times {
  const calendar = createCalendar(site.timezone);
  const cache = new Map<string, readonly [number, number] | undefined>();
  const bound = (b: Bound, day: Day): number | undefined => {
    if (b.sun === undefined) return calendar.at(day, b.minutes);
    const { lat, lon } = site;
    if (lat === undefined || lon === undefined) return undefined;
    const time = getTimes(new Date(calendar.at(day, 720)), lat, lon)[b.sun];
    return time === null ? undefined : time.getTime() + b.shiftMs;
  };
  const opening = (span: Span, day: Day): readonly [number, number] | undefined => {
    const key = `${span.text} ${day.year} ${day.month} ${day.day}`;
    if (cache.has(key)) return cache.get(key);
    if (cache.size > 512) cache.clear();
    const from = bound(span.from, day);
    const sameDay = bound(span.until, day);
    const until =
      from !== undefined && sameDay !== undefined && sameDay <= from ? bound(span.until, shifted(day, 1)) : sameDay;
    const found = from === undefined || until === undefined ? undefined : ([from, until] as const);
    cache.set(key, found);
    return found;
  };
  const around = (span: Span, wall: number, from: number, to: number): (readonly [number, number])[] => {
    const day = calendar.dayOf(wall);
    const found: (readonly [number, number])[] = [];
    for (let d = from; d <= to; d++) {
      const open = opening(span, shifted(day, d));
      if (open !== undefined) found.push(open);
    }
    return found;
  };
  return {
    calendar,
    isOpen: (span, wall) => around(span, wall, -1, 0).some(([a, b]) => a <= wall && wall < b),
    nextChange: (span, wall) => {
      const changes = around(span, wall, -1, 2)
        .flat()
        .filter((t) => t > wall);
      return changes.length === 0 ? undefined : Math.min(...changes);
    },
    overlap: (span, from, until) => {
      let sum = 0;
      const days = Math.ceil((until - from) / 86_400_000);
      for (const [a, b] of around(span, from, -1, days + 1)) sum += Math.max(0, Math.min(b, until) - Math.max(a, from));
      return sum;
    },
  };
}

const shifted = (day: Day, by: number): Day => ({ ...day, day: day.day + by });

/** Local hour of the sunrise on a day in spring; a place and a time zone that do not fit give themselves away. */
export function sunriseHour(site: SiteModel['site']): number | undefined {
  const { lat, lon } = site;
  if (lat === undefined || lon === undefined) return undefined;
  const rise = getTimes(new Date(Date.UTC(2026, 2, 20, 4)), lat, lon).sunrise;
  return rise === null ? undefined : createCalendar(site.timezone).hourOf(rise.getTime());
}
