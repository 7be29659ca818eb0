/** Pictures by what names them. A picture itself never stands in an event. */

/** One picture as an alarm and a result name it (feed, section 5). */
export type Media = {
  readonly kind: 'snapshot';
  /** the camera's GB/T 28181 code of 20 digits, or its id */
  readonly camera: string;
  readonly sha256: string;
  readonly bytes: number;
};

/** A picture that is kept. */
export interface Kept {
  readonly device: string;
  /** UTC ms */
  readonly at: number;
  /** by a clock that was not synchronised */
  readonly unsynced?: true;
  readonly sha256: string;
  readonly bytes: number;
}

export const MOST_PICTURE = 5 * 1024 * 1024;
/** some cameras fill up after the end of the picture */
const TAIL = 64;

/** Begins and ends as a JPEG does (ITU-T T.81): what a login page, an empty answer or half a picture does not. */
export function isJpeg(bytes: Uint8Array): boolean {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes[2] !== 0xff) return false;
  for (let i = bytes.length - 2; i >= Math.max(2, bytes.length - TAIL); i--)
    if (bytes[i] === 0xff && bytes[i + 1] === 0xd9) return true;
  return false;
}
