import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/fakes/clock.ts';
import { FakeEstateBroker } from '../../test/fakes/estate-broker.ts';
import { memoryLog } from '../../test/fakes/log.ts';
import { seededRandom } from '../../test/fakes/random.ts';
import type { WireRecord } from '../base/line.ts';
import type { Received } from '../io/subscriber.ts';
import { BrokerLink, type BrokerLinkDeps, type Wanted } from './broker.ts';

function bench(more: Partial<BrokerLinkDeps> = {}) {
  const clock = new VirtualClock();
  const broker = new FakeEstateBroker();
  const log = memoryLog();
  const taken: Received[] = [];
  const link = new BrokerLink({
    channel: { id: 'b', carries: 'mqtt', to: 'mqtt://h:1883', version: 5 },
    connect: (take) => broker.connect(take),
    take: (message) => void taken.push(message),
    settled: () => Promise.resolve(true),
    clock,
    log,
    random: seededRandom(1),
    ...more,
  });
  return { clock, broker, log, taken, link };
}

const wanted = (devices: Record<string, readonly [string, ...string[]]>): Map<string, Wanted> =>
  new Map(Object.entries(devices).map(([id, [mark, ...topics]]) => [id, { mark, topics }]));

describe('a broker as a channel', () => {
  it('subscribes after every connect; of a changed configuration only what changed', async () => {
    const { clock, broker, link, taken } = bench();
    broker.retained.set('a', Uint8Array.of(1));
    link.start();
    link.want(wanted({ one: ['1', 'a', 'shared'], two: ['1', 'b', 'shared'] }));
    await clock.advance(10);
    expect(broker.asked).toEqual(['+a', '+shared', '+b']);
    expect(taken.map((m) => [m.topic, m.retained])).toEqual([['a', true]]);

    broker.asked.length = 0;
    link.want(wanted({ one: ['1', 'a', 'shared'], two: ['2', 'c', 'shared'], three: ['1', 'd'] }));
    await clock.advance(10);
    expect(broker.asked).toEqual(['-b', '+c', '+shared', '+d']);
    link.want(wanted({ three: ['1', 'd'] }));
    await clock.advance(10);
    expect(broker.asked.slice(4)).toEqual(['-a', '-shared', '-c']);

    broker.asked.length = 0;
    broker.drop();
    expect(link.state()).toBe('closed');
    await clock.advance(2000);
    expect(broker.asked).toEqual(['+d']);
    expect(link.stats()).toMatchObject({ reopens: 1, replies: 1 });
    await link.close();
    await link.close();
  });

  it('tries again with growing pauses, and says once that it cannot', async () => {
    const { clock, broker, link, log } = bench();
    broker.isAway = true;
    link.start();
    await clock.advance(120_000);
    expect(log.lines.filter((l) => l.event === 'port.closed')).toHaveLength(1);
    await expect(link.publish('a', 'x')).rejects.toMatchObject({ code: 'link.open_failed' });
    broker.isAway = false;
    await clock.advance(60_000);
    expect([link.state(), broker.connects]).toEqual(['open', 1]);
    await link.publish('a', 'x');
    expect(broker.taken).toEqual([{ topic: 'a', payload: 'x' }]);
    await link.close();
  });

  it('acknowledges when it is safe; what asks for no acknowledgement waits for nothing', async () => {
    let safe: () => void = () => {};
    const waiting = new Promise<boolean>((resolve) => {
      safe = () => resolve(true);
    });
    const { clock, broker, link } = bench({ settled: () => waiting });
    link.want(wanted({ one: ['1', 'a'] }));
    link.start();
    await clock.advance(10);
    broker.say('a', '1');
    broker.say('a', '2', { qos: 0 });
    await clock.advance(10);
    expect(broker.acknowledged).toBe(1);
    safe();
    await clock.advance(10);
    expect(broker.acknowledged).toBe(2);
    await link.close();
  });

  it('goes on after a message that breaks its reader, and after topics it may not have', async () => {
    const { clock, broker, link, log } = bench({
      take: () => {
        throw new Error('ours');
      },
    });
    broker.forbidden.add('secret');
    link.want(wanted({ one: ['1', 'secret', 'a'] }));
    link.start();
    const seen: WireRecord[] = [];
    const stop = link.capture((record) => void seen.push(record));
    await clock.advance(10);
    expect(log.lines.find((l) => l.event === 'broker.refused')?.fields).toMatchObject({ topics: 'secret', count: 1 });
    expect(broker.say('a', 'x')).toBe(true);
    await clock.advance(10);
    expect([link.state(), link.stats().badFrames, broker.acknowledged]).toEqual(['open', 2, 1]);
    expect(seen).toMatchObject([{ direction: 'rx', note: 'a' }]);
    stop();
    await link.close();
  });
});
