/** Numbers and dates as Chinese meters write them: BCD, lowest byte first, and sums of bytes as checksums. */

/** Sum of bytes[from, to) modulo 256. */
export function sum8(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += bytes[i] as number;
  return sum & 0xff;
}

/** One byte of two decimal digits; undefined when it is none. */
export function bcdByte(byte: number | undefined): number | undefined {
  if (byte === undefined || byte >> 4 > 9 || (byte & 15) > 9) return undefined;
  return (byte >> 4) * 10 + (byte & 15);
}

/** BCD digits of bytes[from, to), lowest byte first; at most 7 bytes, so that the result is exact. Undefined when a digit is none. */
export function bcd(bytes: Uint8Array, from: number, to: number): number | undefined {
  let value = 0;
  for (let i = to - 1; i >= from; i--) {
    const digits = bcdByte(bytes[i]);
    if (digits === undefined) return undefined;
    value = value * 100 + digits;
  }
  return value;
}

/** An integer in units of 10^-digits as the nearest number: exact to the last digit a meter can show. */
export const decimal = (raw: number, digits: number): number => raw / 10 ** digits;

/** Digits as text, highest first: addresses and numbers that keep their leading zeros. */
export function digitsOf(bytes: Uint8Array, from: number, to: number): string {
  let out = '';
  for (let i = to - 1; i >= from; i--) out += (bytes[i] ?? 0).toString(16).toUpperCase().padStart(2, '0');
  return out;
}

/** The bytes of a number written as hex digits, lowest byte first. */
export function fromDigits(digits: string): Uint8Array {
  const out = new Uint8Array(digits.length / 2);
  for (let i = 0; i < out.length; i++) out[out.length - 1 - i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** A moment of the meter's clock, when there can be one: `2015-05-11`, `22:01:31`, or both. */
export function dateText(
  year: number | undefined,
  month: number | undefined,
  day: number | undefined,
): string | undefined {
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const whole = year < 100 ? 2000 + year : year;
  if (month < 1 || month > 12 || day < 1 || day > new Date(Date.UTC(whole, month, 0)).getUTCDate()) return undefined;
  return `${String(whole).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

export function timeText(hour: number | undefined, minute: number | undefined, second?: number): string | undefined {
  if (hour === undefined || minute === undefined || hour > 23 || minute > 59 || (second ?? 0) > 59) return undefined;
  return `${two(hour)}:${two(minute)}${second === undefined ? '' : `:${two(second)}`}`;
}

const two = (n: number): string => String(n).padStart(2, '0');

export const hexByte = (n: number): string => n.toString(16).toUpperCase().padStart(2, '0');

/** Whether a meter's address is the one asked; a wildcard digit `A` on either side fits, as some meters answer with it. */
export function addressFits(asked: string, answered: string): boolean {
  for (let i = 0; i < asked.length; i++)
    if (asked[i] !== answered[i] && asked[i] !== 'A' && answered[i] !== 'A') return false;
  return asked.length === answered.length;
}
