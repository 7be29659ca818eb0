/** The pace on links of all kinds, simulated: one queue, so many bytes a second, so long there and back. */
import { describe, expect, it } from 'vitest';
import { Pace } from './pace.ts';

const MESSAGE = 2500;

interface Driven {
  /** share of the link's bytes that were carried after the first ten seconds */
  readonly busy: number;
  /** longest time a message of another kind would have waited in the queue, ms, after the first ten seconds */
  readonly wait: number;
}

function drive(bytesPerSecond: number, thereAndBack: number, seconds = 60): Driven {
  const pace = new Pace(10_000, 0);
  const flying: { readonly sentAt: number; readonly lands: number }[] = [];
  let freeAt = 0;
  let carried = 0;
  let wait = 0;
  for (let now = 0; now < seconds * 1000; now++) {
    while ((flying[0]?.lands ?? Number.POSITIVE_INFINITY) <= now) {
      pace.measure(MESSAGE, flying.shift()?.sentAt ?? 0, now);
      if (now > 10_000) carried += MESSAGE;
    }
    for (;;) {
      const { room } = pace.room(flying.length, flying.length * MESSAGE, now);
      const free = Math.floor((pace.linkBytes - flying.length * MESSAGE) / MESSAGE);
      // As the journal gives them: within the bytes left, and at least one.
      const count = room === 0 ? 0 : Math.min(room, Math.max(1, free));
      if (count === 0) break;
      for (let i = 0; i < count; i++) {
        pace.spend();
        freeAt = Math.max(freeAt, now) + (MESSAGE * 1000) / bytesPerSecond;
        flying.push({ sentAt: now, lands: freeAt + thereAndBack });
      }
    }
    if (now > 10_000) wait = Math.max(wait, freeAt - now);
  }
  return { busy: carried / (bytesPerSecond * (seconds - 10)), wait };
}

describe('the pace', () => {
  it.each([
    ['256 kbit/s, 300 ms', 32_000, 300],
    ['64 kbit/s, 600 ms', 8000, 600],
    ['2 Mbit/s, 80 ms', 250_000, 80],
    ['20 Mbit/s, 600 ms', 2_500_000, 600],
    ['100 Mbit/s, 1 ms', 12_500_000, 1],
  ])('%s: the link is busy, and nothing else waits long', (_, bytes, ms) => {
    const { busy, wait } = drive(bytes, ms);
    expect(busy).toBeGreaterThan(0.85);
    // A quarter of a second of queue, what one step of growth adds, and the message that is on the wire.
    expect(wait).toBeLessThan(750 + (2 * MESSAGE * 1000) / bytes);
  });

  it('a link that becomes slower is believed within seconds', () => {
    const pace = new Pace(10_000, 0);
    let now = 0;
    for (; now < 5000; now += 10) pace.measure(10_000, now - 50, now);
    expect(pace.linkBytes).toBeGreaterThan(250_000);
    for (; now < 15_000; now += 1000) pace.measure(8000, now - 900, now);
    expect(pace.linkBytes).toBeLessThan(20_000);
  });

  it('keeps to the rate, and says how long to wait', () => {
    const pace = new Pace(2, 0);
    expect(pace.room(0, 0, 0)).toEqual({ room: 1 });
    pace.spend();
    expect(pace.room(0, 0, 0)).toEqual({ room: 0, waitMs: 500 });
    expect(pace.room(0, 0, 500)).toEqual({ room: 1 });
  });
});
