/**
 * Takes phone and identity-card numbers out of free text, and masks names. Hand-written: one pass over the text, bounded look-ahead.
 *
 * Found: Chinese mobile numbers (1[3-9] and nine digits, also after 0, 86, +86, 0086), landlines with area code (0 and 9 to 11 digits, +86 and 9
 * to 11), identity numbers of 18 (the last may be X) and 15 digits; ASCII or full-width digits, also with spaces, hyphens, dots, brackets or
 * invisible characters between groups. Not found: numbers written in words, short local numbers, names. More is taken out than must be: a long
 * number that begins or ends with a mobile number goes as a whole.
 */
export const WITHHELD = '（略）';
const STAR = '＊';
const MOST_JOINT = 6;
const MOST_DIGITS = 22;
const JOINTS = new Set(
  ' \u00a0\u3000\t-.·()_/\u2010\u2011\u2012\u2013\u2014\u2212\uff0d\uff0e\uff08\uff09\u200b\u200c\u200d\u2060\ufeff',
);

interface Group {
  readonly digits: string;
  readonly start: number;
  readonly end: number;
}

/** The text with every phone and identity number replaced by （略）. */
export function scrub(text: string): string {
  const groups = groupsOf(text);
  let out = '';
  let rest = 0;
  for (let i = 0; i < groups.length; ) {
    const found = longest(text, groups, i);
    const first = groups[i];
    if (found === undefined || first === undefined) {
      i++;
      continue;
    }
    out += text.slice(rest, first.start) + WITHHELD;
    rest = found.end;
    i = found.next;
  }
  return out + text.slice(rest);
}

/** 王秀兰 becomes 王＊; several people are told apart by spaces. */
export function mask(names: string): string {
  return names
    .split(' ')
    .filter((name) => name !== '')
    .map((name) => `${String.fromCodePoint(name.codePointAt(0) ?? 0)}${STAR}`)
    .join(' ');
}

function digitAt(text: string, at: number): string | undefined {
  const c = text.charCodeAt(at);
  if (c >= 0x30 && c <= 0x39) return text[at];
  return c >= 0xff10 && c <= 0xff19 ? String(c - 0xff10) : undefined;
}

function groupsOf(text: string): Group[] {
  const groups: Group[] = [];
  for (let i = 0; i < text.length; i++) {
    if (digitAt(text, i) === undefined) continue;
    const start = i;
    let digits = '';
    for (let d = digitAt(text, i); d !== undefined; d = digitAt(text, ++i)) digits += d;
    groups.push({ digits, start, end: i });
  }
  return groups;
}

/** The longest number that begins with this group. */
function longest(text: string, groups: readonly Group[], from: number): { end: number; next: number } | undefined {
  let digits = '';
  let found: { end: number; next: number } | undefined;
  for (let i = from; i < groups.length; i++) {
    const group = groups[i];
    const before = groups[i - 1];
    if (group === undefined) break;
    if (i > from && (before === undefined || !isJoint(text, before.end, group.start))) break;
    digits += group.digits;
    if (i === from ? isWhole(digits) : isJoined(digits)) found = { end: group.end, next: i + 1 };
    const isX = 'XxＸｘ'.includes(text[group.end] ?? ' ');
    if (isX && digits.length === 17 && hasDate(digits, 6, 8)) found = { end: group.end + 1, next: i + 1 };
    if (digits.length > MOST_DIGITS) break;
  }
  return found;
}

function isJoint(text: string, from: number, to: number): boolean {
  if (to - from > MOST_JOINT) return false;
  for (let i = from; i < to; i++) if (!JOINTS.has(text[i] ?? '')) return false;
  return true;
}

/** Digits that stand without a gap. */
function isWhole(digits: string): boolean {
  const n = digits.length;
  if (isPhone(digits)) return true;
  if ((n === 15 || n === 18) && digits[0] !== '0') return true;
  return n > 11 && (isMobile(digits.slice(0, 11)) || isMobile(digits.slice(-11)));
}

/** Digits with gaps: several plain numbers in a row are nothing. */
function isJoined(digits: string): boolean {
  const n = digits.length;
  if (isPhone(digits)) return true;
  return (n === 18 && hasDate(digits, 6, 8)) || (n === 15 && hasDate(digits, 6, 6));
}

function isPhone(digits: string): boolean {
  const inland = digits.startsWith('0086') ? digits.slice(4) : digits.startsWith('86') ? digits.slice(2) : undefined;
  if (inland !== undefined && (isMobile(inland) || isLandline(`0${inland}`) || isLandline(inland))) return true;
  return isMobile(digits) || (digits[0] === '0' && isMobile(digits.slice(1))) || isLandline(digits);
}

const isMobile = (d: string): boolean => d.length === 11 && d[0] === '1' && (d[1] ?? '0') >= '3';
const isLandline = (d: string): boolean => d.length >= 10 && d.length <= 12 && d[0] === '0' && (d[1] ?? '0') >= '1';

/** A date of birth: yyyymmdd or yymmdd. */
function hasDate(digits: string, at: number, length: 6 | 8): boolean {
  if (digits[0] === '0') return false;
  const date = digits.slice(at, at + length);
  const century = date.slice(0, 2);
  const month = Number(date.slice(-4, -2));
  const day = Number(date.slice(-2));
  return (length === 6 || century === '19' || century === '20') && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}
