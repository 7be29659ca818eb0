/** Identifiers that this version reads. */
export function isReadable(di: string): boolean {
  const month = Number.parseInt(di, 16) - 0xd120;
  return di === '901F' || (di.length === 4 && month >= 0 && month < 12);
}
