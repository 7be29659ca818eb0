/** Time as data: instants and durations. Reading a clock is the business of src/io. */

/** One moment as the gateway knows it. */
export interface Instant {
  /** UTC, milliseconds; may be wrong while `synced` is false */
  readonly wall: number;
  /** milliseconds on a clock that never jumps, counted from this boot of the process */
  readonly mono: number;
  /** whether the wall clock is known to be synchronised */
  readonly synced: boolean;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms 2s 15m 48h 30d`, one number and one unit; undefined when the text is no duration. Result in milliseconds. */
export function parseDuration(text: string): number | undefined {
  let i = 0;
  while (i < text.length && (isDigit(text, i) || text[i] === '.')) i++;
  const unit = UNITS[text.slice(i)];
  const count = Number(text.slice(0, i));
  if (i === 0 || unit === undefined || !Number.isFinite(count)) return undefined;
  const ms = count * unit;
  return Number.isSafeInteger(ms) ? ms : undefined;
}

function isDigit(text: string, i: number): boolean {
  const c = text.charCodeAt(i);
  return c >= 48 && c <= 57;
}

/** The shortest exact form of a duration: 7200000 -> `2h`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = UNITS[unit] as number;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** ISO 8601 in UTC with milliseconds, as every timestamp in the feed. */
export function isoTime(wall: number): string {
  return new Date(wall).toISOString();
}
