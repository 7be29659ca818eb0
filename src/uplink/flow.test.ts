import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { SEES_ALL } from '../../test/fakes/entitlement.ts';
import { FakeLedger } from '../../test/fakes/ledger.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import type { Stream } from '../base/event.ts';
import type { Cursor, OutMessage } from '../base/feed.ts';
import type { FeedModel } from '../base/model.ts';
import { Refused } from '../io/mqtt.ts';
import { Flow } from './flow.ts';

const FEED: FeedModel = {
  id: 'f',
  to: 'mqtt://broker',
  mqtt: 5,
  ack: 'broker',
  encoding: 'json',
  view: 'everything',
  rate: 10_000,
  priority: 5,
  keepMs: 86_400_000,
  hash: 'h',
};

/** A journal whose answers can be held back; it counts how far it was read. */
class SlowLedger extends FakeLedger {
  reads = 0;
  readonly furthest: Record<Stream, number> = { a: 0, t: 0 };
  fails = false;
  private held: (() => void)[] | undefined;

  override async next(feed: string, stream: Stream, after: Cursor, limit: { max: number }) {
    const members = await super.next(feed, stream, after, limit);
    this.reads++;
    this.furthest[stream] = Math.max(this.furthest[stream], members.at(-1)?.seq ?? 0);
    if (this.held !== undefined) await new Promise<void>((resolve) => this.held?.push(resolve));
    if (this.fails) throw new Error('thread gone');
    return members;
  }

  hold(): void {
    this.held ??= [];
  }

  release(): void {
    for (const resolve of this.held?.splice(0) ?? []) resolve();
    this.held = undefined;
  }
}

interface Flying {
  readonly message: OutMessage;
  land(): void;
  fail(error: Error): void;
}

class Bench {
  readonly clock = new VirtualClock();
  readonly ledger = new SlowLedger();
  readonly sent: OutMessage[] = [];
  readonly passedOver: string[] = [];
  broken = 0;
  flying: Flying[] = [];
  readonly flow = new Flow({
    feed: FEED,
    source: 'urn:weinao:s1:g1',
    entitlement: SEES_ALL,
    ledger: this.ledger,
    clock: this.clock,
    log: memoryLog(),
    count: () => {},
    onLanded: (members, epoch) => {
      const last = members.at(-1);
      if (last !== undefined) this.ledger.ack('f', last.stream, { epoch, seq: last.seq });
    },
    onEpoch: () => Promise.resolve(),
    onCaughtUp: () => {},
    onPassedOver: (detail) => void this.passedOver.push(detail),
    onBroken: () => {
      this.broken++;
      this.flow.halt();
    },
  });

  fill(count: number, kind: 'alarm.raised' | 'device.offline', padding = ''): void {
    for (let n = 0; n < count; n++) this.ledger.add(kind, { n, padding });
  }

  /** A connection of its own: what another had in flight never comes back. */
  async connect(): Promise<void> {
    this.flying = [];
    await this.flow.rewind();
    void this.flow.begin({
      atOnce: 1000,
      send: (message) => {
        this.sent.push(message);
        return new Promise((resolve, reject) => this.flying.push({ message, land: resolve, fail: reject }));
      },
    });
    await this.settle();
  }

  settle(): Promise<void> {
    return this.clock.advance(1);
  }

  /** PUBACKs for the oldest in flight, one after the other. */
  async land(count = 1): Promise<void> {
    for (let n = 0; n < count; n++) {
      this.flying.shift()?.land();
      await this.settle();
    }
  }

  async landAll(): Promise<void> {
    while (this.flying.length > 0) await this.land();
  }

  seqs(stream: Stream = 'a', from = 0): number[] {
    return this.sent
      .slice(from)
      .filter((m) => m.stream === stream)
      .map((m) => m.seq);
  }
}

const upTo = (n: number, from = 1): number[] => Array.from({ length: n - from + 1 }, (_, i) => from + i);

describe('reading ahead', () => {
  it('follows each PUBACK with one member at once, while the store is busy; and reads no further than its bound', async () => {
    const bench = new Bench();
    bench.fill(1000, 'alarm.raised');
    await bench.connect();
    expect(bench.seqs()).toEqual(upTo(50));
    expect(bench.ledger.furthest.a).toBeLessThanOrEqual(50 + 128);
    bench.ledger.hold();
    for (let n = 1; n <= 60; n++) {
      await bench.land();
      expect(bench.sent).toHaveLength(50 + n);
    }
    bench.ledger.release();
    await bench.landAll();
    expect(bench.seqs()).toEqual(upTo(1000));
    expect(bench.ledger.left).toBe(0);
    // Only at the end the journal is asked after each PUBACK whether it has more.
    expect(bench.ledger.reads).toBeLessThan(200);
  });

  it('reads telemetry ahead within bytes, and sends it only while no alarm waits', async () => {
    const bench = new Bench();
    bench.fill(200, 'device.offline', 'x'.repeat(2000));
    await bench.connect();
    const flying = bench.flying.length;
    expect(flying).toBeLessThanOrEqual(9);
    expect(bench.ledger.furthest.t).toBeGreaterThan(flying);
    expect(bench.ledger.furthest.t).toBeLessThanOrEqual(flying + 16);
    bench.fill(1, 'alarm.raised');
    void bench.flow.pump(true);
    await bench.settle();
    expect(bench.sent.at(-1)?.stream).toBe('a');
    await bench.landAll();
    expect(bench.seqs('t')).toEqual(upTo(200));
    expect(bench.seqs('a')).toEqual([1]);
  });

  it('sends no telemetry it has read while it does not know whether alarms wait', async () => {
    const bench = new Bench();
    bench.fill(200, 'device.offline', 'x'.repeat(2000));
    await bench.connect();
    bench.ledger.hold();
    bench.fill(60, 'alarm.raised');
    void bench.flow.pump(true);
    await bench.settle();
    const before = bench.sent.length;
    await bench.land(2);
    expect(bench.sent).toHaveLength(before);
    bench.ledger.release();
    await bench.settle();
    expect(bench.sent.slice(before, before + 50).every((m) => m.stream === 'a')).toBe(true);
    // The window of alarms is full and more wait: telemetry waits on.
    expect(bench.sent).toHaveLength(before + 50);
    await bench.landAll();
    expect(bench.seqs('a')).toEqual(upTo(60));
    expect(bench.seqs('t')).toEqual(upTo(200));
  });

  it('hears of news while an answer without them is on its way', async () => {
    const bench = new Bench();
    bench.ledger.hold();
    await bench.connect();
    bench.fill(1, 'alarm.raised');
    void bench.flow.pump(true);
    bench.ledger.release();
    await bench.settle();
    expect(bench.seqs()).toEqual([1]);
  });

  it('forgets it when the connection ends, also what is still being read', async () => {
    const bench = new Bench();
    bench.fill(300, 'alarm.raised');
    await bench.connect();
    await bench.land(10);
    bench.ledger.hold();
    await bench.land(60);
    bench.flow.halt();
    const before = bench.sent.length;
    bench.ledger.release();
    await bench.settle();
    expect(bench.sent).toHaveLength(before);
    expect(bench.flow.sent).toEqual(bench.flow.landed);
    await bench.connect();
    await bench.landAll();
    expect(bench.seqs('a', before)).toEqual(upTo(300, 71));
    expect(bench.ledger.left).toBe(0);
  });

  it('begins again at the cursor when it rewinds in the middle of a read', async () => {
    const bench = new Bench();
    bench.fill(300, 'alarm.raised');
    await bench.connect();
    await bench.land(20);
    bench.ledger.hold();
    await bench.land(60);
    const before = bench.sent.length;
    await bench.flow.rewind();
    bench.flying = [];
    void bench.flow.pump();
    bench.ledger.release();
    await bench.settle();
    await bench.landAll();
    expect(bench.seqs('a', before)).toEqual(upTo(300, 81));
  });

  it('sends no member of an epoch that is over, whatever was read of it or is being read', async () => {
    const bench = new Bench();
    bench.fill(300, 'alarm.raised');
    await bench.connect();
    bench.ledger.hold();
    await bench.land(60);
    const before = bench.sent.length;
    await bench.ledger.renew('f', 'test');
    bench.flow.renewed();
    bench.flying.shift()?.land();
    bench.ledger.release();
    await bench.settle();
    // The 240 that were not delivered are the first of the new epoch.
    expect(bench.seqs('a', before)).toEqual(upTo(50));
    bench.flying.splice(0, 49);
    await bench.landAll();
    expect(bench.seqs('a', before)).toEqual(upTo(240));
    expect(bench.ledger.left).toBe(0);
  });

  it('passes over the one that is refused and nothing of what was read behind it', async () => {
    const bench = new Bench();
    bench.fill(200, 'alarm.raised');
    await bench.connect();
    await bench.land(4);
    for (let times = 0; times < 3; times++) {
      if (times > 0) await bench.connect();
      bench.flying.shift()?.fail(new Refused(0x99));
      await bench.settle();
    }
    expect(bench.passedOver).toHaveLength(1);
    expect(bench.ledger.passedOver).toEqual(['id5']);
    const before = bench.sent.length;
    await bench.connect();
    await bench.landAll();
    expect(bench.sent.slice(before).map((m) => m.id)).toEqual(upTo(200, 6).map((n) => `id${n}`));
  });

  it('breaks over a read that fails, but not over one whose connection is gone', async () => {
    const bench = new Bench();
    bench.fill(300, 'alarm.raised');
    await bench.connect();
    bench.ledger.hold();
    bench.ledger.fails = true;
    await bench.land(60);
    bench.ledger.release();
    await bench.settle();
    expect(bench.broken).toBe(1);
    bench.ledger.hold();
    await bench.connect();
    bench.flow.halt();
    bench.ledger.release();
    await bench.settle();
    expect(bench.broken).toBe(1);
    bench.ledger.fails = false;
    await bench.connect();
    await bench.landAll();
    expect(bench.ledger.left).toBe(0);
  });
});
