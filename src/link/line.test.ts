import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import { isWeinaoError } from '../base/errors/index.ts';
import type { Framer } from '../base/frame.ts';
import type { LineChannel } from '../base/model.ts';
import { createLine, type Line } from './line.ts';
import { type SimulatedPort, simulatedPort } from './simulated.ts';

const SERIAL: LineChannel = {
  id: 'pump_room',
  carries: 'serial',
  path: '/dev/x',
  line: { baud: 9600, parity: 'none', dataBits: 8, stopBits: 1 },
  timeoutMs: 300,
  gapMs: 0,
};

/** frames `A5 n sum`: three bytes; a frame of another n is foreign */
const framerFor =
  (n: number): Framer =>
  (bytes) => {
    for (let i = 0; i + 3 <= bytes.length; i++) {
      if (bytes[i] !== 0xa5 || bytes[i + 2] !== ((0xa5 + (bytes[i + 1] ?? 0)) & 0xff)) continue;
      if (bytes[i + 1] === n) return { kind: 'frame', start: i, end: i + 3 };
      return { kind: 'foreign', start: i, end: i + 3, note: 'foreign' };
    }
    return { kind: 'need' };
  };
const frame = (n: number): Uint8Array => Uint8Array.of(0xa5, n, (0xa5 + n) & 0xff);
const never = new AbortController().signal;

interface Bench {
  readonly clock: VirtualClock;
  readonly line: Line;
  readonly sent: number[];
  readonly ports: SimulatedPort[];
}

async function bench(
  answer: (request: Uint8Array) => { afterMs: number; bytes: Uint8Array }[],
  channel = SERIAL,
): Promise<Bench> {
  const clock = new VirtualClock();
  const sent: number[] = [];
  const ports: SimulatedPort[] = [];
  const line = createLine({
    channel,
    clock,
    log: memoryLog(),
    random: seededRandom(1),
    open: () => {
      const port = simulatedPort(
        {
          receive: (bytes) => {
            sent.push(clock.mono());
            return answer(bytes);
          },
        },
        clock,
      );
      ports.push(port);
      return Promise.resolve(port);
    },
  });
  line.start();
  await clock.advance(1000);
  return { clock, line, sent, ports };
}

const ask = (line: Line, n: number, signal = never): Promise<Uint8Array> =>
  line.turn('poll', signal, (turn) => turn.transact(frame(n), framerFor(n)));
const code = (p: Promise<unknown>): Promise<string> =>
  p.then(
    () => 'ok',
    (e: unknown) => (isWeinaoError(e) ? e.code : `not ours: ${String(e)}`),
  );

describe('a line', () => {
  it('gives the reply of a request', async () => {
    const { clock, line } = await bench((r) => [{ afterMs: 20, bytes: frame(r[1] ?? 0) }]);
    const reply = ask(line, 7);
    await clock.advance(100);
    expect([...(await reply)]).toEqual([0xa5, 7, 0xac]);
    expect(line.stats()).toMatchObject({ turns: 1, replies: 1, timeouts: 0, strayBytes: 0 });
  });

  it('takes turns by priority, and equal ones in order of asking', async () => {
    const { clock, line } = await bench(() => [{ afterMs: 20, bytes: frame(1) }]);
    const order: string[] = [];
    const work = (name: string) => async (turn: { transact(b: Uint8Array, f: Framer): Promise<Uint8Array> }) => {
      order.push(name);
      await turn.transact(frame(1), framerFor(1));
    };
    const all = [
      line.turn('poll', never, work('first')),
      line.turn('scan', never, work('scan')),
      line.turn('poll', never, work('poll 1')),
      line.turn('poll', never, work('poll 2')),
      line.turn('alarm', never, work('alarm')),
      line.turn('write', never, work('write')),
    ];
    await clock.advance(2000);
    await Promise.all(all);
    expect(order).toEqual(['first', 'write', 'alarm', 'poll 1', 'poll 2', 'scan']);
  });

  it('drains a late reply before the next request of anybody', async () => {
    // The slave answers each request once, in order; the first answer comes 150 ms after its deadline.
    let busyUntil = 0;
    const clockRef: { now: () => number } = { now: () => 0 };
    const { clock, line, sent } = await bench((r) => {
      const at = Math.max(busyUntil, clockRef.now() + (r[1] === 1 ? 450 : 20));
      busyUntil = at;
      return [{ afterMs: at - clockRef.now(), bytes: Uint8Array.of(0xa5, 9, 0xae) }];
    });
    clockRef.now = () => clock.mono();
    // every reply looks the same (as RTU's do): only draining can tell
    const any: Framer = framerFor(9);
    const first = code(line.turn('poll', never, (t) => t.transact(frame(1), any)));
    const second = line.turn('poll', never, (t) => t.transact(frame(2), any));
    await clock.advance(3000);
    expect(await first).toBe('link.timeout');
    await second;
    // the second request went out only after 200 ms of silence behind the late reply
    expect((sent[1] ?? 0) - (sent[0] ?? 0)).toBeGreaterThanOrEqual(650);
    expect(line.stats()).toMatchObject({ timeouts: 1, replies: 1, strayBytes: 3, drains: 2 });
  });

  it('keeps the gap of 3.5 characters between a reply and the next request', async () => {
    const { clock, line, sent } = await bench(() => [{ afterMs: 20, bytes: frame(1) }]);
    void ask(line, 1);
    const second = ask(line, 1);
    await clock.advance(500);
    await second;
    expect((sent[1] ?? 0) - (sent[0] ?? 0)).toBeCloseTo(20 + (3.5 * 10 * 1000) / 9600, 5);
  });

  it('skips noise, echo and foreign frames', async () => {
    const { clock, line } = await bench((r) => [
      { afterMs: 0, bytes: r },
      { afterMs: 10, bytes: Uint8Array.of(0, 0xff, ...frame(3)) },
      { afterMs: 20, bytes: frame(8) },
    ]);
    const reply = line.turn('poll', never, (t) => t.transact(Uint8Array.of(1, 2, 3), framerFor(8)));
    await clock.advance(500);
    expect([...(await reply)]).toEqual([...frame(8)]);
  });

  it('fails at once while the port is closed and opens it again', async () => {
    const { clock, line, ports } = await bench(() => [{ afterMs: 5, bytes: frame(1) }]);
    const cut = code(line.turn('poll', never, (t) => t.transact(frame(2), framerFor(2), { deadlineMs: 10_000 })));
    await clock.advance(10);
    ports[0]?.unplug();
    expect(await cut).toBe('link.closed');
    expect(await code(ask(line, 1))).toBe('link.closed');
    expect(line.state()).toBe('closed');
    await clock.advance(2000);
    expect(line.state()).toBe('open');
    const reply = code(ask(line, 1));
    await clock.advance(1000);
    expect(await reply).toBe('ok');
    expect(line.stats().reopens).toBe(1);
  });

  it('ends a waiting and a running turn with their signal', async () => {
    const { clock, line } = await bench(() => []);
    const running = new AbortController();
    const waiting = new AbortController();
    const a = code(ask(line, 1, running.signal));
    const b = code(ask(line, 1, waiting.signal));
    await clock.advance(10);
    waiting.abort();
    expect(await b).toBe('link.cancelled');
    running.abort();
    expect(await a).toBe('link.cancelled');
    await line.close();
    expect(clock.timers()).toEqual([]);
  });

  it('gives up a line that never falls silent, and closes twice', async () => {
    const { clock, line, ports } = await bench(() => []);
    const first = code(ask(line, 1));
    await clock.advance(400);
    expect(await first).toBe('link.timeout');
    const second = code(ask(line, 1));
    for (let i = 0; i < 120; i++) {
      ports[0]?.inject(Uint8Array.of(0x55));
      await clock.advance(50);
    }
    expect(await second).toBe('link.bad_frame');
    await line.close();
    await line.close();
    expect(clock.timers()).toEqual([]);
  });

  it('reopens a socket that is open but dead', async () => {
    const { clock, line } = await bench(() => [], { ...SERIAL, carries: 'tcp', host: 'h', port: 1 } as LineChannel);
    const all: Promise<string>[] = [];
    for (let i = 0; i < 80; i++) all.push(code(ask(line, 1)));
    await clock.advance(60_000);
    await Promise.all(all);
    expect(line.stats().reopens).toBeGreaterThanOrEqual(1);
  });

  it('any chunking of the same bytes gives the same frame; random bytes never crash it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 40 }),
        async (noise, cuts) => {
          const clean = noise.map((n) => n.filter((b) => b !== 0xa5));
          const whole = Uint8Array.from([...clean.flatMap((n) => [...n, ...frame(3)]), ...frame(5)]);
          const chunks: { afterMs: number; bytes: Uint8Array }[] = [];
          let at = 0;
          for (let i = 0; at < whole.length; i++) {
            const size = cuts[i % cuts.length] ?? 1;
            chunks.push({ afterMs: i, bytes: whole.slice(at, at + size) });
            at += size;
          }
          const { clock, line } = await bench(() => chunks);
          const reply = ask(line, 5);
          await clock.advance(1000);
          expect([...(await reply)]).toEqual([...frame(5)]);
          await line.close();
          expect(clock.timers()).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });
});
