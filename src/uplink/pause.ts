/** How long a feed stays away from a platform that failed: 1 s doubled up to a minute, scattered, or as long as the platform asks, within reason. */
const FIRST = 1000;
const LONGEST = 60_000;
/** An alarm must not wait for ever because somebody wrote a large number. */
const LONGEST_ASKED = 300_000;

/** The far end is there and wants to be left alone for a while. */
export class Later extends Error {
  readonly askedMs: number;

  constructor(message: string, askedMs: number) {
    super(message);
    this.askedMs = askedMs;
  }
}

/**
 * @param failures how often in a row it failed before
 * @param random 0 <= x < 1
 */
export function pauseMs(cause: unknown, failures: number, random: number): number {
  const own = Math.min(LONGEST, FIRST * 2 ** failures) * (0.5 + random);
  return cause instanceof Later ? Math.max(own, Math.min(LONGEST_ASKED, cause.askedMs)) : own;
}
