import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { createSettled } from './settled.ts';

describe('whether it is safe', () => {
  it('is known at once when nothing waits, and when what waits was answered', async () => {
    const clock = new VirtualClock();
    const waiting: Promise<void>[] = [];
    const settled = createSettled(clock, () => waiting.at(-1));
    expect(await settled()).toBe(true);
    let answer: () => void = () => {};
    waiting.push(
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    const asked = settled();
    answer();
    expect(await asked).toBe(true);
    await clock.advance(10_000);
  });

  it('is denied once after patience, and then at once, until the store answers', async () => {
    const clock = new VirtualClock();
    let answer: () => void = () => {};
    let waiting: Promise<void> | undefined = new Promise((resolve) => {
      answer = resolve;
    });
    const settled = createSettled(clock, () => waiting);
    let first: boolean | undefined;
    void settled().then((is) => {
      first = is;
    });
    await clock.advance(1900);
    expect(first).toBeUndefined();
    await clock.advance(200);
    expect(first).toBe(false);
    // A burst behind it is not made to wait two seconds each.
    expect([await settled(), await settled()]).toEqual([false, false]);
    answer();
    await clock.advance(1);
    waiting = Promise.resolve();
    expect(await settled()).toBe(true);
  });
});
