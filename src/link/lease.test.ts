import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import type { LineChannel } from '../base/model.ts';
import { PortLease } from './lease.ts';
import { createLine, type Line } from './line.ts';
import { simulatedPort } from './simulated.ts';

const channel = (id: string, baud: number): LineChannel => ({
  id,
  carries: 'serial',
  path: '/dev/x',
  line: { baud, parity: 'none', dataBits: 8, stopBits: 1 },
  timeoutMs: 300,
  gapMs: 0,
});
const never = new AbortController().signal;

/** Two lines on one port; a device answers with the speed at which it was asked. */
function pair() {
  const clock = new VirtualClock();
  const lease = new PortLease();
  const log: string[] = [];
  let open = 0;
  let most = 0;
  const line = (id: string, baud: number): Line => {
    const made = createLine({
      channel: channel(id, baud),
      clock,
      log: memoryLog(),
      random: seededRandom(1),
      lease,
      open: () => {
        most = Math.max(most, ++open);
        log.push(`open ${baud}`);
        const port = simulatedPort({ receive: () => [{ afterMs: 10, bytes: Uint8Array.of(baud / 100) }] }, clock);
        const close = port.close;
        return Promise.resolve({
          ...port,
          close: () => {
            open--;
            return close();
          },
        });
      },
    });
    made.start();
    return made;
  };
  const [a, b] = [line('a', 2400), line('b', 9600)];
  const ask = (from: Line): Promise<number> =>
    from.turn('poll', never, async (turn) => {
      const [speed = 0] = await turn.transact(Uint8Array.of(1), (bytes) =>
        bytes.length > 0 ? { kind: 'frame', start: 0, end: 1 } : { kind: 'need' },
      );
      return speed * 100;
    });
  return { clock, a, b, ask, log, most: () => most, open: () => open };
}

describe('two lines on one port', () => {
  it('take turns, each at its own speed, and never have it open at once', async () => {
    const p = pair();
    const answers = Promise.all([p.ask(p.a), p.ask(p.b), p.ask(p.a), p.ask(p.b)]);
    await p.clock.advance(10_000);
    expect(await answers).toEqual([2400, 9600, 2400, 9600]);
    expect(p.most()).toBe(1);
    await Promise.all([p.a.close(), p.b.close()]);
    expect([p.open(), p.clock.timers()]).toEqual([0, []]);
  });

  it('keep the port while nobody else wants it', async () => {
    const p = pair();
    for (let i = 0; i < 3; i++) {
      const answer = p.ask(p.a);
      await p.clock.advance(1000);
      expect(await answer).toBe(2400);
    }
    expect(p.log).toEqual(['open 2400']);
    await Promise.all([p.a.close(), p.b.close()]);
  });

  it('are both served when one always has work, and change hands about once a second', async () => {
    const p = pair();
    let stop = false;
    let busy = 0;
    const work = async (): Promise<void> => {
      while (!stop) {
        await p.ask(p.a);
        busy++;
      }
    };
    const [one, two] = [work(), work()];
    let other = 0;
    for (let i = 0; i < 20; i++) {
      const answer = p.ask(p.b).then(() => other++);
      await p.clock.advance(3000);
      await answer;
    }
    stop = true;
    await p.clock.advance(3000);
    await Promise.all([one, two]);
    expect(other).toBe(20);
    expect(busy).toBeGreaterThan(200);
    expect(p.log.length).toBeLessThan(60);
    await Promise.all([p.a.close(), p.b.close()]);
    expect(p.open()).toBe(0);
  });

  it('one that is closed leaves the port to the other', async () => {
    const p = pair();
    const first = p.ask(p.a);
    await p.clock.advance(1000);
    await first;
    await p.a.close();
    const second = p.ask(p.b);
    await p.clock.advance(2000);
    expect(await second).toBe(9600);
    await p.b.close();
  });
});
