/**
 * Times as cameras write them. A camera's time is a claim: it is kept with a flag and decides nothing.
 *
 * Read are ISO 8601 with any number of fraction digits (cut to three), and what is seen in the field: blanks, a blank for the T, single digits, no zone,
 * minutes and seconds over 59, the day first. What cannot be a moment has none.
 */
export type TimeFlag = 'ok' | 'never-occurred' | 'no-zone' | 'repaired' | 'invalid' | 'missing';

export interface Claim {
  /** UTC, ISO 8601 with three fraction digits */
  readonly time: string | null;
  readonly flag: TimeFlag;
}

const MOST = 64;

export function readTime(given: string | undefined): Claim {
  if (given === undefined || given.trim() === '') return { time: null, flag: 'missing' };
  const text = given.trim();
  const parts = text.length > MOST ? undefined : scan(text);
  const ms = parts === undefined ? undefined : instant(parts);
  if (parts === undefined || ms === undefined) return { time: null, flag: 'invalid' };
  const time = new Date(ms).toISOString();
  if (ms === 0) return { time, flag: 'never-occurred' };
  if (parts.isRepaired) return { time, flag: 'repaired' };
  return { time, flag: parts.zone === undefined ? 'no-zone' : 'ok' };
}

/** UTC ms of a time; undefined when it says none. */
export function timeMs(given: string | undefined): number | undefined {
  const { time } = readTime(given);
  return time === null ? undefined : Date.parse(time);
}

interface Parts {
  readonly date: readonly [number, number, number];
  /** hours, minutes, seconds, ms */
  readonly clock: readonly [number, number, number, number];
  /** minutes east of UTC */
  readonly zone: number | undefined;
  readonly isRepaired: boolean;
}

/** Reads from left to right; undefined where something else stands than a time. */
function scan(text: string): Parts | undefined {
  const reader = new Reader(text);
  const date = reader.date();
  if (date === undefined) return undefined;
  let clock: Parts['clock'] = [0, 0, 0, 0];
  let zone: number | undefined;
  if (!reader.isAtEnd()) {
    reader.separator();
    const read = reader.clock();
    if (read === undefined) return undefined;
    clock = read;
    const readZone = reader.zone();
    if (readZone === undefined) return undefined;
    zone = readZone === 'none' ? undefined : readZone;
  } else reader.isRepaired = true;
  return reader.isAtEnd() ? { date, clock, zone, isRepaired: reader.isRepaired } : undefined;
}

class Reader {
  isRepaired = false;
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  date(): Parts['date'] | undefined {
    const first = this.digits();
    const dash = this.take('-/.');
    const second = this.digits();
    const again = this.take('-/.');
    const third = this.digits();
    if (first === '' || second === '' || third === '' || dash === '' || again === '') return undefined;
    if (dash !== '-' || again !== '-') this.isRepaired = true;
    if (second.length !== 2) this.isRepaired = true;
    if (first.length === 4) {
      if (third.length !== 2) this.isRepaired = true;
      return third.length > 2 ? undefined : [Number(first), Number(second), Number(third)];
    }
    // The day first.
    this.isRepaired = true;
    return third.length === 4 && first.length <= 2 ? [Number(third), Number(second), Number(first)] : undefined;
  }

  separator(): void {
    const blanks = this.blanks();
    const t = this.take('Tt');
    if (t !== 'T' || blanks > 0 || this.blanks() > 0) this.isRepaired = true;
  }

  clock(): Parts['clock'] | undefined {
    const hours = this.digits();
    if (hours === '' || this.take(':') === '') return undefined;
    const minutes = this.digits();
    const seconds = this.take(':') === '' ? '' : this.digits();
    if (minutes === '') return undefined;
    if (hours.length !== 2 || minutes.length !== 2 || seconds.length !== 2) this.isRepaired = true;
    if (hours.length > 2 || minutes.length > 2 || seconds.length > 2) return undefined;
    const fraction = this.take('.,') === '' ? '' : this.digits();
    const clock = [
      Number(hours),
      Number(minutes),
      Number(seconds),
      Number(fraction.padEnd(3, '0').slice(0, 3)),
    ] as const;
    if (Number(minutes) > 59 || Number(seconds) > 59 || Number(hours) > 24) this.isRepaired = true;
    return clock;
  }

  /** Minutes east of UTC; `none` when nothing says so; undefined when it makes no sense. */
  zone(): number | 'none' | undefined {
    if (this.blanks() > 0) this.isRepaired = true;
    if (this.isAtEnd()) return 'none';
    const letter = this.take('Zz');
    if (letter !== '') {
      if (letter === 'z') this.isRepaired = true;
      return 0;
    }
    const sign = this.take('+-');
    if (sign === '') return undefined;
    const hours = this.digits();
    const colon = this.take(':');
    const minutes = colon === '' ? hours.slice(2) : this.digits();
    if (colon === '' || hours.length !== 2 || minutes.length !== 2) this.isRepaired = true;
    const h = Number(colon === '' ? hours.slice(0, 2) : hours);
    if (hours === '' || h > 14 || Number(minutes) > 59) return undefined;
    return (sign === '-' ? -1 : 1) * (h * 60 + Number(minutes));
  }

  /** Some fill up with blanks. */
  private digits(): string {
    if (this.blanks() > 0) this.isRepaired = true;
    const from = this.at;
    while (this.at < this.text.length && isDigit(this.text.charCodeAt(this.at))) this.at++;
    return this.text.slice(from, this.at);
  }

  private blanks(): number {
    const from = this.at;
    while (this.text[this.at] === ' ') this.at++;
    return this.at - from;
  }

  private take(any: string): string {
    const c = this.text[this.at] ?? '';
    if (c === '' || !any.includes(c)) return '';
    this.at++;
    return c;
  }
}

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
/** a clock may run over by so much and still be meant */
const MOST_OVER = 99;

function instant({ date: [year, month, day], clock: [h, m, s, ms], zone = 0 }: Parts): number | undefined {
  if (year < 1970 || month < 1 || month > 12 || day < 1 || h > 47 || m > MOST_OVER || s > MOST_OVER) return undefined;
  const midnight = Date.UTC(year, month - 1, day);
  if (new Date(midnight).getUTCDate() !== day) return undefined;
  const at = midnight + ((h * 60 + m - zone) * 60 + s) * 1000 + ms;
  return Number.isNaN(at) ? undefined : at;
}
