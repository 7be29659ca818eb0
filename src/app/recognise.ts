/**
 * Bytes told apart: protocols that this version does not decode and still names, and whose frames they may be when they are not those they were said to be.
 * DL/T 698.45 by both its checksums (CRC-16/X-25, clause 6 of the standard), DNY of charging posts by its letters, length and sum.
 */
import { drivers } from '../../drivers/index.ts';

/** protocols that are named and not decoded */
export const NAMED = ['dlt698.45', 'dny'] as const;

const ANSWERS = ['values', 'ack', 'error-reply', 'request'];

/** @returns all protocols whose frames stand in the bytes, checksum and all */
export function recognised(bytes: Uint8Array, except?: string): readonly string[] {
  const named = [...(has698(bytes) ? ['dlt698.45'] : []), ...(hasDny(bytes) ? ['dny'] : [])];
  const decoded = drivers.flatMap((driver) =>
    driver.protocols.filter((protocol) => {
      const { outcome } = driver.decode({ protocol, response: bytes });
      // A lone byte E5 is an answer on M-Bus, and anything elsewhere.
      return bytes.length >= SHORTEST && ANSWERS.includes(outcome);
    }),
  );
  return [...decoded, ...named].filter((protocol) => protocol !== except);
}

const SHORTEST = 5;

/** `68 L L C AF SA CA HCS APDU FCS 16` */
function has698(bytes: Uint8Array): boolean {
  for (let at = 0; at + 12 <= bytes.length; at++) {
    if (bytes[at] !== 0x68) continue;
    const length = word(bytes, at + 1) & 0x3fff;
    const end = at + length + 2;
    if (length < 10 || end > bytes.length || bytes[end - 1] !== 0x16) continue;
    const head = at + 6 + (((bytes[at + 4] ?? 0) & 0x0f) + 1);
    if (head + 2 > end - 3) continue;
    if (x25(bytes, at + 1, head) === word(bytes, head) && x25(bytes, at + 1, end - 3) === word(bytes, end - 3))
      return true;
  }
  return false;
}

/** `44 4E 59 length .. sum`, all low byte first; the length counts what follows it */
function hasDny(bytes: Uint8Array): boolean {
  for (let at = 0; at + 12 <= bytes.length; at++) {
    if (bytes[at] !== 0x44 || bytes[at + 1] !== 0x4e || bytes[at + 2] !== 0x59) continue;
    const end = at + 5 + word(bytes, at + 3);
    if (end > bytes.length || end < at + 12) continue;
    let sum = 0;
    for (let i = at; i < end - 2; i++) sum += bytes[i] ?? 0;
    if ((sum & 0xffff) === word(bytes, end - 2)) return true;
  }
  return false;
}

const word = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

/** CRC-16/X-25 over bytes[from, to) */
function x25(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xffff;
  for (let i = from; i < to; i++) {
    crc ^= bytes[i] ?? 0;
    for (let b = 0; b < 8; b++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1;
  }
  return ~crc & 0xffff;
}
