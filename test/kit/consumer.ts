/** A platform: subscribes with a lasting session, comes back when the broker does, keeps every message and verifies the feed. */
import { onTestFinished } from 'vitest';
import { type BrokerConnection, type BrokerOptions, connectBroker } from '../../src/io/mqtt.ts';
import { createVerifier, type Member, type Summary } from '../../src/uplink/index.ts';

export interface Consumer {
  readonly members: Member[];
  /** every message as a line of a capture */
  readonly capture: string[];
  summary(): Summary;
  types(): string[];
  publish(topic: string, payload: Uint8Array | string): Promise<void>;
  stop(): Promise<void>;
}

export function startConsumer(options: Omit<BrokerOptions, 'clientId' | 'protocol'> & { protocol?: 3 | 5 }): Consumer {
  const verifier = createVerifier();
  const members: Member[] = [];
  const capture: string[] = [];
  let connection: BrokerConnection | undefined;
  let stopped = false;

  const take = (topic: string, payload: Uint8Array): void => {
    capture.push(JSON.stringify({ topic, base64: Buffer.from(payload).toString('base64') }));
    const member = verifier.take(topic, payload);
    if (member !== undefined) members.push(member);
  };
  const listen = async (): Promise<void> => {
    while (!stopped) {
      try {
        const open = await connectBroker({ protocol: 5, ...options, clientId: 'platform' });
        const closed = new Promise<void>((resolve) => open.onClose(() => resolve()));
        open.onMessage(take);
        await open.subscribe(['wn/1/#']);
        connection = open;
        if (stopped) await open.close();
        await closed;
      } catch {
        // the broker is away: that is what these tests are about
      }
      connection = undefined;
      if (!stopped) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const running = listen();
  const stop = async (): Promise<void> => {
    stopped = true;
    await connection?.close();
    await running;
  };
  onTestFinished(stop);
  return {
    members,
    capture,
    summary: () => verifier.summary(),
    types: () => members.map((m) => m.type.slice('weinao.'.length, -'.v1'.length)),
    publish: async (topic, payload) => {
      if (connection === undefined) throw new Error('not connected');
      await connection.publish(topic, payload);
    },
    stop,
  };
}
