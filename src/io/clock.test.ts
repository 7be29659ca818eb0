import { afterEach, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';

afterEach(() => void vi.restoreAllMocks());

it('below its floor an unsynchronised clock goes on from there; the right time is believed at once', () => {
  const floor = Date.UTC(2026, 10, 1);
  const date = vi.spyOn(Date, 'now').mockReturnValue(7000);
  const mono = vi.spyOn(performance, 'now').mockReturnValue(5000);
  const clock = systemClock();
  clock.setSynced(false);
  expect(clock.now()).toEqual({ wall: 7000, mono: 5000, synced: false });
  clock.floor(floor);
  mono.mockReturnValue(65_000);
  date.mockReturnValue(67_000);
  expect(clock.now().wall).toBe(floor + 60_000);
  clock.floor(floor - 1);
  expect(clock.now().wall).toBe(floor + 60_000);
  date.mockReturnValue(floor + 30_000);
  clock.setSynced(true);
  expect(clock.now().wall).toBe(floor + 30_000);
  date.mockReturnValue(8000);
  expect(clock.now().wall).toBe(floor);
});
