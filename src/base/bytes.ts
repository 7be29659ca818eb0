/** Bytes as technicians write them, and the sums the field protocols use. */

/** `01 04 00 01`: upper case, spaces between bytes. */
export function hex(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i++) {
    out += (i === 0 ? '' : ' ') + (bytes[i] as number).toString(16).toUpperCase().padStart(2, '0');
  }
  return out;
}

/** Reads hex written with or without spaces, commas, colons or 0x; undefined when anything else stands in it. */
export function unhex(text: string): Uint8Array | undefined {
  let digits = '';
  for (const word of text.split(/[\s,:]+/))
    digits += word.startsWith('0x') || word.startsWith('0X') ? word.slice(2).padStart(2, '0') : word;
  if (digits.length % 2 !== 0) return undefined;
  const out = new Uint8Array(digits.length / 2);
  for (let i = 0; i < out.length; i++) {
    const hi = nibble(digits.charCodeAt(2 * i));
    const lo = nibble(digits.charCodeAt(2 * i + 1));
    if (hi < 0 || lo < 0) return undefined;
    out[i] = hi * 16 + lo;
  }
  return out;
}

function nibble(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  if (c >= 65 && c <= 70) return c - 55;
  if (c >= 97 && c <= 102) return c - 87;
  return -1;
}

const SIZES: Readonly<Record<string, number>> = { MB: 1024 ** 2, GB: 1024 ** 3 };

/** `256MB`, `2GB`: one number and one unit of powers of 1024; undefined when the text is none. */
export function parseSize(text: string): number | undefined {
  const unit = SIZES[text.slice(-2)];
  const count = text.length > 2 && !text.startsWith(' ') ? Number(text.slice(0, -2)) : Number.NaN;
  return unit === undefined || !Number.isFinite(count) || count <= 0 ? undefined : Math.round(count * unit);
}

const CRC16 = Uint16Array.from({ length: 256 }, (_, i) => {
  let crc = i;
  for (let b = 0; b < 8; b++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  return crc;
});

/** CRC-16/MODBUS over bytes[from, to); low byte goes on the wire first (Modbus over Serial Line V1.02, 2.5.1.2). */
export function crc16(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = 0xffff;
  for (let i = from; i < to; i++) crc = (crc >>> 8) ^ (CRC16[(crc ^ (bytes[i] as number)) & 0xff] as number);
  return crc;
}
