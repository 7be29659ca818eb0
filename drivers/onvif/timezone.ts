/** The time a camera says it has (Core 25.12, 8.3.8): UTC, else its local time with a POSIX time zone. */
import { childOf, findIn, textOf, type XmlElement } from '../../src/kit/xml.ts';

/** UTC ms; undefined when it says none that can be. */
export function utcOf(body: XmlElement): number | undefined {
  const utc = dateTime(findIn(body, 'UTCDateTime'));
  if (utc !== undefined) return utc;
  const local = dateTime(findIn(body, 'LocalDateTime'));
  const west = minutesWest(textOf(findIn(body, 'TimeZone'), 'TZ'));
  return local === undefined || west === undefined ? undefined : local + west * 60_000;
}

function dateTime(element: XmlElement | undefined): number | undefined {
  const part = (of: string, name: string): number => {
    const text = textOf(childOf(element, of), name);
    return text === undefined || text === '' ? Number.NaN : Number(text);
  };
  const [year, month, day] = ['Year', 'Month', 'Day'].map((name) => part('Date', name));
  const [hour, minute, second] = ['Hour', 'Minute', 'Second'].map((name) => part('Time', name));
  const ms = Date.UTC(year ?? Number.NaN, (month ?? 0) - 1, day, hour, minute, second);
  // A camera that never was set says 1970 or 2000, and signs with that.
  return Number.isNaN(ms) || ms < 0 ? undefined : ms;
}

/** `CST-8`, `GMT+08:00`, `<+08>-8`: POSIX counts west of Greenwich. Without summer time. */
function minutesWest(zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined;
  const text = zone.slice(zone.indexOf('>') + 1);
  let at = 0;
  while (at < text.length && !'+-0123456789'.includes(text[at] ?? '')) at++;
  const sign = text[at] === '-' ? -1 : 1;
  const [hours = '', minutes = '0'] = text.slice(text[at] === '-' || text[at] === '+' ? at + 1 : at).split(/[:,]/);
  const h = Number.parseInt(hours, 10);
  const m = Number.parseInt(minutes, 10);
  return Number.isNaN(h) || h > 14 ? undefined : sign * (h * 60 + (Number.isNaN(m) ? 0 : m));
}
