/** IPv4 addresses and ranges of them, as numbers. */

/** @param subnet `192.168.1.0/24` */
export function isWithin(host: string, subnet: string): boolean {
  const range = rangeOf(subnet);
  const address = numberOf(host);
  return range !== undefined && address !== undefined && address >= range.first && address <= range.last;
}

/** First and last address of `192.168.1.0/24`, or of one address; undefined when it is neither. */
export function rangeOf(text: string): { readonly first: number; readonly last: number } | undefined {
  const [address = '', bits = '32', ...rest] = text.split('/');
  const number = numberOf(address);
  const length = Number(bits);
  if (number === undefined || rest.length > 0 || bits === '' || !Number.isInteger(length) || length < 0 || length > 32)
    return undefined;
  const size = 2 ** (32 - length);
  const first = number - (number % size);
  return { first, last: first + size - 1 };
}

/** An IPv4 address as a number. */
export function numberOf(address: string): number | undefined {
  const parts = address.split('.');
  const bytes = parts.map(Number);
  const isOne =
    parts.length === 4 &&
    parts.every((p) => p !== '' && p.length <= 3) &&
    bytes.every((b) => Number.isInteger(b) && b >= 0 && b <= 255);
  return isOne ? bytes.reduce((sum, byte) => sum * 256 + byte, 0) : undefined;
}

export const addressOf = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
