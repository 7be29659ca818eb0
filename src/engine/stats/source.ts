/**
 * One point under a statistic: what it was and for how long that is known, booked into the window that runs and the one before it.
 *
 * - A value holds until the next sample, at most until the point may be silent no longer; from then on nothing is known.
 * - A sample that came late is booked where it belongs as long as the time it tells of was unknown: in order behind the newest sample, or in
 *   the last hole. Anything older changes nothing.
 * - What a counter went up is spread evenly over the time between two samples; one that fell began anew, at its rollover or at 0.
 * Times are wall ms. Nothing here knows a clock.
 */
import type { Json } from '../../base/json.ts';

export interface Span {
  readonly from: number;
  /** not in it any more */
  readonly until: number;
}

/** The windows a sample may be booked into. */
export interface Windows {
  readonly running: Span;
  readonly before: Span | undefined;
  /** something was booked into the one before */
  touched: boolean;
}

export interface SourceFacts {
  readonly key: string;
  readonly staleMs: number;
  /** told only when it happens: silence means nothing */
  readonly isEvent: boolean;
  readonly rollover?: number;
}

/** What a window holds of a source. */
export interface Share {
  /** ms */
  known: number;
  good: number;
  /** value x ms; of a bool the ms of true */
  area: number;
  /** how often it became true */
  hits: number;
  /** what a counter went up */
  rise: number;
  min: number;
  max: number;
}

interface Held {
  readonly t: number;
  readonly value: number | undefined;
  readonly isGood: boolean;
  /** how long it may hold */
  readonly ends: number;
  /** booked up to here */
  until: number;
}

interface Hole extends Held {
  readonly end: number;
}

const NEVER = Number.MAX_SAFE_INTEGER;

const nothing = (): Share => ({
  known: 0,
  good: 0,
  area: 0,
  hits: 0,
  rise: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
});

export class Source {
  readonly facts: SourceFacts;
  running = nothing();
  before = nothing();
  private live: Held | undefined;
  private hole: Hole | undefined;
  private counter: { readonly t: number; readonly value: number } | undefined;

  constructor(facts: SourceFacts) {
    this.facts = facts;
  }

  /** @param value undefined: nothing is known from here on */
  take(t: number, value: number | undefined, isGood: boolean, windows: Windows): void {
    const { live } = this;
    if (live !== undefined && t < live.t) return this.takeLate(t, value, isGood, windows);
    const next = this.held(t, value, isGood);
    // The same again; or still nothing, since when it was.
    const isSame = live?.value === value && live?.isGood === isGood && live.t === t && live.ends === next.ends;
    if (isSame || (live !== undefined && live.value === undefined && value === undefined)) return;
    if (live !== undefined) this.leave(live, t, windows);
    if (value !== undefined) this.see(live?.value, t, value, windows);
    this.live = next;
  }

  /** Books what holds until then. */
  settle(until: number, windows: Windows): void {
    if (this.live !== undefined) this.book(this.live, until, windows);
  }

  /** Nobody looked in between. */
  pause(from: number, until: number, windows: Windows): void {
    const { live } = this;
    if (live?.value === undefined) return;
    this.book(live, from, windows);
    this.hole = { ...live, end: until };
    this.live = { ...live, t: until, until };
  }

  roll(): void {
    this.before = this.running;
    this.running = nothing();
  }

  /** What was booked is not to be believed; the value is. */
  reset(t: number): void {
    this.running = nothing();
    this.before = nothing();
    this.hole = undefined;
    this.counter = undefined;
    if (this.live !== undefined) this.live = this.held(t, this.live.value, this.live.isGood);
  }

  save(): Json {
    const { live, hole, counter } = this;
    return [
      live === undefined ? [] : saveHeld(live),
      hole === undefined ? [] : [hole.end, ...saveHeld(hole)],
      counter === undefined ? [] : [counter.t, counter.value],
      saveShare(this.running),
      saveShare(this.before),
    ];
  }

  load(saved: Json): void {
    const [live = [], [end, ...hole] = [], [t, value] = [], running = [], before = []] = saved as number[][];
    this.live = loadHeld(live);
    const held = loadHeld(hole);
    this.hole = held === undefined || end === undefined ? undefined : { ...held, end };
    this.counter = t === undefined || value === undefined ? undefined : { t, value };
    this.running = loadShare(running);
    this.before = loadShare(before);
  }

  private held(t: number, value: number | undefined, isGood: boolean): Held {
    const { isEvent, staleMs } = this.facts;
    return { t, value, isGood, ends: isEvent ? NEVER : t + staleMs, until: t };
  }

  private takeLate(t: number, value: number | undefined, isGood: boolean, windows: Windows): void {
    const { hole } = this;
    if (hole === undefined || value === undefined || t < hole.t || t >= hole.end) return;
    this.book(hole, t, windows);
    this.unbook(hole, t, windows);
    if (value === 1 && this.facts.isEvent) this.hit(t, windows);
    this.hole = { ...this.held(t, value, isGood), end: hole.end };
    this.book(this.hole, hole.end, windows);
  }

  /** A value ends because the next one came. */
  private leave(live: Held, t: number, windows: Windows): void {
    this.book(live, t, windows);
    if (live.until < t) this.hole = { ...live, end: t };
    else this.unbook(live, t, windows);
  }

  private see(last: number | undefined, t: number, value: number, windows: Windows): void {
    // A state seen for the first time may have been so for long; something that happens has happened.
    if (value === 1 && last !== 1 && (last !== undefined || this.facts.isEvent)) this.hit(t, windows);
    const { counter } = this;
    this.counter = { t, value };
    if (counter === undefined || t <= counter.t) return;
    const up = value - counter.value;
    const over = up + (this.facts.rollover ?? Number.NEGATIVE_INFINITY);
    const rise = up >= 0 ? up : over >= 0 ? over : Math.max(0, value);
    if (rise > 0)
      each(windows, this, counter.t, t, (share, ms) => {
        share.rise += (rise * ms) / (t - counter.t);
      });
  }

  private hit(t: number, windows: Windows): void {
    each(windows, this, t, t + 1, (share) => {
      share.hits++;
    });
  }

  private book(held: Held, to: number, windows: Windows): void {
    const { value, isGood, until } = held;
    const end = Math.min(to, held.ends);
    if (value === undefined || end <= until) return;
    each(windows, this, until, end, (share, ms) => {
      share.known += ms;
      if (isGood) share.good += ms;
      share.area += value * ms;
      share.min = Math.min(share.min, value);
      share.max = Math.max(share.max, value);
    });
    held.until = end;
  }

  /** It was thought to hold longer than it did. */
  private unbook(held: Held, from: number, windows: Windows): void {
    const { value, isGood, until } = held;
    if (value === undefined || until <= from) return;
    each(windows, this, from, until, (share, ms) => {
      share.known -= ms;
      if (isGood) share.good -= ms;
      share.area -= value * ms;
    });
    held.until = from;
  }
}

function each(
  windows: Windows,
  source: Source,
  from: number,
  until: number,
  work: (share: Share, ms: number) => void,
): void {
  const running = overlap(windows.running, from, until);
  if (running > 0) work(source.running, running);
  const before = windows.before === undefined ? 0 : overlap(windows.before, from, until);
  if (before <= 0) return;
  windows.touched = true;
  work(source.before, before);
}

const overlap = (span: Span, from: number, until: number): number =>
  Math.min(span.until, until) - Math.max(span.from, from);

function saveHeld({ t, value, isGood, ends, until }: Held): number[] {
  return [t, ends, until, isGood ? 1 : 0, ...(value === undefined ? [] : [value])];
}

function loadHeld([t, ends, until, isGood, value]: number[]): Held | undefined {
  if (t === undefined || ends === undefined || until === undefined) return undefined;
  return { t, value, isGood: isGood === 1, ends, until };
}

function saveShare({ known, good, area, hits, rise, min, max }: Share): number[] {
  const numbers = [known, good, area, hits, rise];
  if (Number.isFinite(min)) return [...numbers, min, max];
  return numbers.some((x) => x !== 0) ? numbers : [];
}

function loadShare([known = 0, good = 0, area = 0, hits = 0, rise = 0, min, max]: number[]): Share {
  const empty = nothing();
  return { known, good, area, hits, rise, min: min ?? empty.min, max: max ?? empty.max };
}
