/**
 * SQLite's write-ahead log as bytes (its file format, section 4): what it holds, whether it was damaged, and one made anew.
 *
 * SQLite reads a log up to the first frame whose checksum is wrong and is silent about the rest: after a power cut that is right, for a flipped bit
 * it loses every commit behind it. The two differ: each commit is synced before the next begins, so that when whole frames of a later commit stand
 * behind a wrong one, the wrong one was once whole. A header is synced before its first frame. Frames of an older round have other salts.
 * Not told apart: damage within the last commit, and a log that ends too early at a frame's end.
 */

export const PAGE = 4096;
const HEAD = 32;
const FRAME_HEAD = 24;
const FRAME = FRAME_HEAD + PAGE;
/** checksums of little-endian words; with the last bit set, of big-endian ones */
const MAGIC = 0x377f0682;
const VERSION = 3007000;

export interface Frame {
  readonly page: number;
  /** pages of the database after this commit; 0 within one */
  readonly size: number;
  readonly data: Uint8Array;
}

type Sum = readonly [number, number];

interface Slot extends Frame {
  /** of the running round */
  readonly isOurs: boolean;
  readonly isWhole: boolean;
}

/** Frames of the running round, those that are damaged too, up to its last commit. */
export function framesOf(log: Buffer): Frame[] {
  const slots = slotsOf(log).filter(({ isOurs, page }) => isOurs && page > 0);
  return slots.slice(0, 1 + slots.findLastIndex(({ size }) => size > 0));
}

/** What is wrong with a log, if a power cut cannot have left it so. */
export function logDamage(log: Buffer): string | undefined {
  if (log.length <= HEAD) return undefined;
  if (headerSum(log) === undefined) return 'the header of the write-ahead log is damaged';
  const slots = slotsOf(log);
  const wrong = slots.findIndex(({ isWhole }) => !isWhole);
  if (wrong < 0) return undefined;
  const commit = slots.findIndex(({ isOurs, size }, i) => i >= wrong && isOurs && size > 0);
  const isFollowed = commit >= 0 && slots.some(({ isWhole }, i) => i > commit && isWhole);
  return isFollowed ? `frame ${wrong + 1} of the write-ahead log is damaged` : undefined;
}

/** A log that holds these frames, the last of which commits. */
export function logOf(frames: readonly Frame[]): Buffer {
  const log = Buffer.alloc(HEAD + FRAME * frames.length);
  for (const [i, word] of [MAGIC, VERSION, PAGE, 0, 1, 1].entries()) log.writeUInt32BE(word, 4 * i);
  let sum = checksum(log, 0, 24, [0, 0]);
  putSum(log, 24, sum);
  for (const [i, { page, size, data }] of frames.entries()) {
    const at = HEAD + FRAME * i;
    for (const [word, value] of [page, size, 1, 1].entries()) log.writeUInt32BE(value, at + 4 * word);
    log.set(data, at + FRAME_HEAD);
    sum = frameSum(log, at, sum);
    putSum(log, at + 16, sum);
  }
  return log;
}

function slotsOf(log: Buffer): Slot[] {
  const slots: Slot[] = [];
  let before = headerSum(log);
  // Without the header the first frame tells the round.
  const salts = before === undefined ? HEAD + 8 : 16;
  for (let at = HEAD; at + FRAME <= log.length; at += FRAME) {
    const [page, size] = [log.readUInt32BE(at), log.readUInt32BE(at + 4)];
    const sum: Sum = [log.readUInt32BE(at + 16), log.readUInt32BE(at + 20)];
    const isOurs = log.compare(log, salts, salts + 8, at + 8, at + 16) === 0;
    const is = before === undefined || !isOurs ? undefined : frameSum(log, at, before);
    const isWhole = is?.[0] === sum[0] && is[1] === sum[1];
    slots.push({ page, size, data: log.subarray(at + FRAME_HEAD, at + FRAME), isOurs, isWhole });
    before = sum;
  }
  return slots;
}

/** The sum that a sound header ends with. */
function headerSum(log: Buffer): Sum | undefined {
  if (log.length < HEAD || log.readUInt32BE(0) !== MAGIC || log.readUInt32BE(8) !== PAGE) return undefined;
  const sum = checksum(log, 0, 24, [0, 0]);
  return sum[0] === log.readUInt32BE(24) && sum[1] === log.readUInt32BE(28) ? sum : undefined;
}

const frameSum = (log: Buffer, at: number, before: Sum): Sum =>
  checksum(log, at + FRAME_HEAD, at + FRAME, checksum(log, at, at + 8, before));

function checksum(bytes: Buffer, from: number, to: number, [a, b]: Sum): Sum {
  let [s0, s1] = [a, b];
  for (let at = from; at < to; at += 8) {
    s0 = (s0 + bytes.readUInt32LE(at) + s1) >>> 0;
    s1 = (s1 + bytes.readUInt32LE(at + 4) + s0) >>> 0;
  }
  return [s0, s1];
}

function putSum(log: Buffer, at: number, [a, b]: Sum): void {
  log.writeUInt32BE(a, at);
  log.writeUInt32BE(b, at + 4);
}
