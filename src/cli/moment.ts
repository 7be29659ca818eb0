import { WeinaoError } from '../base/errors/index.ts';
import { isoTime, parseDuration } from '../base/time.ts';

/** `2026-06-01`, `2026-06-01T08:00`, or how long ago (`24h`), as UTC ms. */
export function moment(given: string, now: number): number {
  const ago = parseDuration(given);
  if (ago !== undefined) return now - ago;
  const at = Date.parse(given.includes('T') ? given : `${given}T00:00`);
  if (Number.isFinite(at)) return at;
  throw new WeinaoError('cli.bad_time', { given });
}

/** `--from` until `--to`, or now. Throws cli.bad_time and cli.bad_period. */
export function period(
  given: { readonly from: string; readonly to?: string },
  now: number,
): { from: number; to: number } {
  const from = moment(given.from, now);
  const to = given.to === undefined ? now : moment(given.to, now);
  if (from < to) return { from, to };
  throw new WeinaoError('cli.bad_period', { from: given.from, to: given.to ?? isoTime(to) });
}

/** A whole number from 1 on. */
export function count(option: string, given: string, most: number): number {
  const n = Number(given);
  if (given.trim() !== '' && Number.isInteger(n) && n >= 1 && n <= most) return n;
  throw new WeinaoError('cli.bad_count', { option, given, least: 1, most });
}
