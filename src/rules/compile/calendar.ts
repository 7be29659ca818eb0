/** Local days and hours of a time zone. Pure; the zone's rules come with the runtime. */

const QUARTER = 900_000;
const DAY = 86_400_000;

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
    hourOf: (wall) => new Date(wall + offset(wall)).getUTCHours(),
  };
}

function offsetAt(format: Intl.DateTimeFormat, wall: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(wall)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(wall / 1000) * 1000;
}
