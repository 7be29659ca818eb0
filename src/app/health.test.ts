import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { createHealth, type Health } from './health.ts';

/** A gateway whose parts can be made to stand still. */
function gateway(pollMs = 1000) {
  const clock = new VirtualClock();
  const checks: Health[] = [];
  const part = { polls: true, answers: true, polled: 0 as number | undefined };
  const health = createHealth({
    clock,
    everyMs: 5000,
    polled: () => {
      if (part.polls && part.polled !== undefined) part.polled = clock.mono();
      return part.polled;
    },
    slowestPollMs: () => pollMs,
    askJournal: () => (part.answers ? Promise.resolve() : new Promise(() => {})),
    onCheck: (h) => void checks.push(h),
  });
  return { clock, part, health, checks, causes: () => health.now().causes.map((c) => c.en) };
}

describe('health', () => {
  it('is fed by progress', async () => {
    const g = gateway();
    g.health.start();
    await g.clock.advance(600_000);
    expect(g.checks.length).toBe(120);
    expect(g.checks.every((c) => c.ok)).toBe(true);
    g.health.stop();
    expect(g.clock.timers()).toEqual([]);
  });

  it('a line that stands still is not covered up by a journal that answers', async () => {
    const g = gateway();
    g.health.start();
    await g.clock.advance(10_000);
    g.part.polls = false;
    await g.clock.advance(25_000);
    expect(g.health.now().ok).toBe(true);
    await g.clock.advance(10_000);
    expect(g.causes().join()).toContain('polling made no progress');
    expect(g.checks.at(-1)?.ok).toBe(false);
    g.part.polls = true;
    await g.clock.advance(5000);
    expect(g.health.now().ok).toBe(true);
  });

  it('slow devices are given their time; a site without devices is healthy', async () => {
    const slow = gateway(15 * 60_000);
    slow.health.start();
    await slow.clock.advance(1000);
    slow.part.polls = false;
    await slow.clock.advance(20 * 60_000);
    expect(slow.health.now().ok).toBe(true);
    await slow.clock.advance(15 * 60_000);
    expect(slow.health.now().ok).toBe(false);
    const empty = gateway();
    empty.part.polled = undefined;
    empty.health.start();
    await empty.clock.advance(3_600_000);
    expect(empty.health.now().ok).toBe(true);
  });

  it('a store that does not answer is said so, and forgiven when it does', async () => {
    const g = gateway();
    g.health.start();
    await g.clock.advance(10_000);
    g.part.answers = false;
    await g.clock.advance(30_000);
    expect(g.causes().join()).toContain('the store did not answer');
  });
});
