import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import type { WireRecord } from '../base/line.ts';
import type { BytePort } from '../base/ports.ts';
import { Listener } from './listener.ts';

class FakePort implements BytePort {
  readonly sent: Uint8Array[] = [];
  closed = false;
  private data: (bytes: Uint8Array) => void = () => {};
  private gone: (why: string) => void = () => {};
  write(bytes: Uint8Array): Promise<void> {
    this.sent.push(bytes);
    return this.closed ? Promise.reject(new Error('closed')) : Promise.resolve();
  }
  onData(listener: (bytes: Uint8Array) => void): void {
    this.data = listener;
  }
  onClose(listener: (why: string) => void): void {
    this.gone = listener;
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
  say(...bytes: number[]): void {
    this.data(Uint8Array.from(bytes));
  }
  hangUp(): void {
    this.gone('hung up');
  }
}

async function hall(busy = 0) {
  const clock = new VirtualClock();
  const log = memoryLog();
  let accept: (port: BytePort) => void = () => {};
  let tries = 0;
  const listener = new Listener({
    channel: { id: 'l', carries: 'listen', host: '0.0.0.0', port: 5200 },
    clock,
    log,
    random: seededRandom(1),
    listen: (on) => {
      if (tries++ < busy) return Promise.reject(new Error('EADDRINUSE'));
      accept = on;
      return Promise.resolve({ onClose: () => {}, close: () => Promise.resolve() });
    },
    converse: () => ({
      receive: (bytes) => {
        if (bytes[0] === 0xff) throw new Error('broken');
        return [Uint8Array.of(bytes.length)];
      },
    }),
  });
  listener.start();
  await clock.advance(10);
  const connect = (): FakePort => {
    const port = new FakePort();
    accept(port);
    return port;
  };
  return { clock, listener, connect };
}

describe('a listening channel', () => {
  it('answers each connection by its own conversation, and shows the wire', async () => {
    const { clock, listener, connect } = await hall();
    const seen: WireRecord[] = [];
    listener.capture((record) => seen.push(record));
    const [a, b] = [connect(), connect()];
    a.say(1, 2, 3);
    b.say(1);
    expect([a.sent, b.sent]).toEqual([[Uint8Array.of(3)], [Uint8Array.of(1)]]);
    expect(seen.map((r) => r.direction)).toEqual(['rx', 'tx', 'rx', 'tx']);
    expect(listener.stats().replies).toBe(2);
    await listener.close();
    expect([a.closed, b.closed]).toEqual([true, true]);
    expect(clock.timers()).toEqual([]);
  });

  it('waits for a port that is taken', async () => {
    const { clock, listener, connect } = await hall(3);
    expect(listener.state()).toBe('closed');
    await clock.advance(60_000);
    expect(listener.state()).toBe('open');
    const port = connect();
    port.say(1);
    expect(port.sent).toHaveLength(1);
    await listener.close();
  });

  it('has room for 64, and room again when one leaves', async () => {
    const { listener, connect } = await hall();
    const ports = Array.from({ length: 65 }, connect);
    expect(ports.map((p) => p.closed)).toEqual([...Array(64).fill(false), true]);
    ports[0]?.hangUp();
    expect(connect().closed).toBe(false);
    await listener.close();
  });

  it('ends a connection that says nothing for half an hour, and one whose conversation breaks', async () => {
    const { clock, listener, connect } = await hall();
    const [quiet, busy, broken] = [connect(), connect(), connect()];
    broken.say(0xff);
    expect(broken.closed).toBe(true);
    await clock.advance(20 * 60_000);
    busy.say(1);
    await clock.advance(15 * 60_000);
    expect([quiet.closed, busy.closed]).toEqual([true, false]);
    await listener.close();
    expect(clock.timers()).toEqual([]);
  });
});
