/**
 * Which points of an unverified profile somebody has compared on site. Kept in the device's memory with a mark of the profile: when the profile changes,
 * nothing is confirmed any more.
 */
export const CONFIRMED = 'confirmed';

export interface ProfileUse {
  readonly name: string;
  /** changes with the profile's content */
  readonly mark: string;
  /** seen on a real device by whoever wrote the profile */
  readonly isVerified: boolean;
  /** points that the profile describes */
  readonly points: readonly string[];
}

export function confirmedPoints(body: string | undefined, profile: ProfileUse): ReadonlySet<string> {
  const [mark, ...points] = (body ?? '').split(' ');
  return new Set(mark === profile.mark ? points : []);
}

export const confirmation = (points: ReadonlySet<string>, profile: ProfileUse): string =>
  [profile.mark, ...points].join(' ');

/** Whether a point's values are to be doubted: the profile says them, and nobody has compared. */
export const isUnconfirmed = (
  point: string,
  profile: ProfileUse | undefined,
  confirmed: ReadonlySet<string> | undefined,
): boolean =>
  profile !== undefined && !profile.isVerified && profile.points.includes(point) && confirmed?.has(point) !== true;
