/** What a real broker hands over, and what no broker can make us hold. */
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mosquitto } from '../../test/kit/mosquitto.ts';
import { until } from '../../test/kit/wait.ts';
import { connectBroker } from './mqtt.ts';
import { connectSubscriber, type Received, type Subscriber } from './subscriber.ts';

async function listener(
  port: number,
  protocol: 3 | 5,
  acknowledge: () => Promise<void> = () => Promise.resolve(),
): Promise<{ readonly taken: Received[]; readonly ends: string[]; readonly open: Subscriber }> {
  const taken: Received[] = [];
  const ends: string[] = [];
  const options = {
    url: `mqtt://127.0.0.1:${port}`,
    protocol,
    clientId: 'listener',
    clean: protocol === 3,
    sessionSeconds: 60,
  } as const;
  const open = await connectSubscriber(options, (message) => {
    taken.push(message);
    return acknowledge();
  });
  open.onClose((why) => void ends.push(why));
  onTestFinished(() => open.close());
  return { taken, ends, open };
}

async function sender(port: number) {
  const open = await connectBroker({ url: `mqtt://127.0.0.1:${port}`, protocol: 3, clientId: 'sender', clean: true });
  onTestFinished(() => open.close());
  return open;
}

describe('a connection that is listened to', () => {
  it('brings what is kept and what comes; what was not acknowledged comes again to the same session', async () => {
    const broker = await mosquitto();
    await broker.start();
    const send = await sender(broker.port);
    await send.publish('kept', '1', { retain: true });
    let isStuck = true;
    const never = new Promise<void>(() => {});
    const first = await listener(broker.port, 5, () => (isStuck ? never : Promise.resolve()));
    expect(await first.open.subscribe(['kept', 'a/+'])).toEqual([]);
    await until('what is kept', () => first.taken.length === 1);
    await send.publish('a/b', 'x');
    expect(first.taken.map((m) => [m.topic, m.retained, m.again, m.wantsAck])).toEqual([['kept', true, false, true]]);
    isStuck = false;
    const second = await listener(broker.port, 5);
    await until('both come again', () => second.taken.length >= 2);
    expect(second.taken.map((m) => m.topic)).toEqual(['kept', 'a/b']);
    expect(second.taken[0]?.again).toBe(true);
    expect(first.ends).toHaveLength(1);
  });

  it('is told which topics it may not have', async () => {
    const { Aedes } = await import('aedes');
    const broker = await Aedes.createBroker({
      authorizeSubscribe: (_, subscription, done) =>
        done(null, subscription.topic.startsWith('closed') ? null : subscription),
    });
    const server = createServer(broker.handle);
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { open } = await listener(port, 3);
    expect(await open.subscribe(['open/a', 'closed/a'])).toEqual(['closed/a']);
  });

  it('holds nothing big: MQTT 5 keeps it back, 3.1.1 is cut off at its length', async () => {
    const broker = await mosquitto();
    await broker.start();
    const send = await sender(broker.port);
    const five = await listener(broker.port, 5);
    await five.open.subscribe(['t']);
    await send.publish('t', 'x'.repeat(200_000));
    await send.publish('t', 'small');
    await until('the small one', () => five.taken.length > 0);
    expect(five.taken.map((m) => m.payload.length)).toEqual([5]);
    await five.open.close();

    const three = await listener(broker.port, 3);
    await three.open.subscribe(['t']);
    await send.publish('t', 'x'.repeat(200_000));
    await until('one a reader can refuse', () => three.taken.length === 1);
    await send.publish('t', 'x'.repeat(1_500_000));
    await until('it is cut off', () => three.ends.length === 1);
    expect(three.ends[0]).toContain('a packet of 15');
    expect(three.taken).toHaveLength(1);
  });
});
