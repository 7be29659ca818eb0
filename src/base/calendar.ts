/** Local days and hours of a time zone. Pure; the zone's rules come with the runtime. */

const QUARTER = 900_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
const WEEK = 7;
/** 1 January 1970 was a Thursday */
const SINCE_MONDAY = 3;

export interface Day {
  readonly year: number;
  /** 1..12 */
  readonly month: number;
  readonly day: number;
}

export interface Calendar {
  readonly timezone: string;
  /** ms to add to UTC for the local wall clock at this moment */
  offset(wall: number): number;
  dayOf(wall: number): Day;
  /** days may run over the month's end: day 32 is the next month's */
  at(day: Day, minutes: number): number;
  /** start of the period of `every` ms that holds this moment; periods are counted from local midnight */
  periodStart(wall: number, every: number): number;
  /** The same with its end: [start, end). A day of 25 hours is one day; weeks begin on Monday; what does not fill a day ends with it. */
  period(wall: number, every: number): readonly [number, number];
  hourOf(wall: number): number;
}

export function createCalendar(timezone: string): Calendar {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  // Zones change their offset at quarter hours only; one look-up a quarter is all that is made.
  let known = { quarter: Number.NaN, offset: 0 };
  const offset = (wall: number): number => {
    const quarter = Math.floor(wall / QUARTER);
    if (quarter !== known.quarter) known = { quarter, offset: offsetAt(format, quarter * QUARTER) };
    return known.offset;
  };
  const dayOf = (wall: number): Day => {
    const local = new Date(wall + offset(wall));
    return { year: local.getUTCFullYear(), month: local.getUTCMonth() + 1, day: local.getUTCDate() };
  };
  const at = ({ year, month, day }: Day, minutes: number): number => {
    const local = Date.UTC(year, month - 1, day) + minutes * 60_000;
    const guess = local - offset(local);
    return local - offset(guess);
  };
  const dayNumber = (wall: number): number => Math.floor((wall + offset(wall)) / DAY);
  const midnight = ({ year, month, day }: Day): number => {
    let start = at({ year, month, day }, 0);
    // Where the clock goes forward at midnight, the day begins at one.
    while (dayNumber(start) < Date.UTC(year, month - 1, day) / DAY) start += QUARTER;
    return start;
  };
  return {
    timezone,
    offset,
    dayOf,
    at,
    periodStart: (wall, every) => {
      const midnight = at(dayOf(wall), 0);
      if (every <= DAY) return midnight + Math.floor((wall - midnight) / every) * every;
      const local = Math.floor((wall + offset(wall)) / DAY);
      const days = Math.round(every / DAY);
      return midnight - (local % days) * DAY;
    },
    period: (wall, every) => {
      const today = dayOf(wall);
      const dayAt = (days: number): number => midnight({ ...today, day: today.day + days });
      if (every < DAY) return partOfDay(wall, every, [dayAt(0), dayAt(1)], (minutes) => at(today, minutes));
      const days = Math.round(every / DAY);
      const into = (dayNumber(wall) + (days === WEEK ? SINCE_MONDAY : 0)) % days;
      return [dayAt(-into), dayAt(days - into)];
    },
    hourOf: (wall) => new Date(wall + offset(wall)).getUTCHours(),
  };
}

/** Up to an hour by elapsed time; longer ones by the local clock, so that 06:00 is 06:00 also on a day of 25 hours. */
function partOfDay(
  wall: number,
  every: number,
  [midnight, next]: readonly [number, number],
  at: (minutes: number) => number,
): readonly [number, number] {
  if (every <= HOUR) {
    const start = midnight + Math.floor((wall - midnight) / every) * every;
    return [start, Math.min(start + every, next)];
  }
  let start = midnight;
  for (let i = 1; ; i++) {
    const end = Math.min(next, at((i * every) / 60_000));
    if (end > wall || end >= next) return [start, end];
    start = Math.max(start, end);
  }
}

function offsetAt(format: Intl.DateTimeFormat, wall: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(wall)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(wall / 1000) * 1000;
}
