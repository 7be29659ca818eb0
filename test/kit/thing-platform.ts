/** A thing-model platform on a real broker: keeps what devices post and answers `*_reply`, sometimes to something nobody asked. */
import { onTestFinished } from 'vitest';
import { type BrokerConnection, connectBroker } from '../../src/io/mqtt.ts';

export interface Posted {
  readonly topic: string;
  readonly text: string;
}

export interface ThingPlatform {
  readonly posted: Posted[];
  /** what `code` says of a post; undefined = no reply */
  code: (post: Posted) => number | undefined;
  publish(topic: string, body: unknown): Promise<void>;
}

export function thingPlatform(port: number, topics: readonly string[]): ThingPlatform {
  let connection: BrokerConnection | undefined;
  let stopped = false;
  const platform: ThingPlatform = {
    posted: [],
    code: () => 200,
    publish: async (topic, body) => {
      if (connection === undefined) throw new Error('not connected');
      await connection.publish(topic, JSON.stringify(body));
    },
  };
  const take = (topic: string, payload: Uint8Array): void => {
    const post = { topic, text: new TextDecoder().decode(payload) };
    platform.posted.push(post);
    if (!topic.endsWith('/post')) return;
    const code = platform.code(post);
    const { id } = JSON.parse(post.text) as { id: string };
    const reply = (body: unknown): void =>
      void connection?.publish(`${topic}_reply`, JSON.stringify(body)).catch(() => {});
    reply({ id: `${id}0`, code: 460, message: 'whose?' });
    if (code !== undefined) reply({ id, code, data: {} });
  };
  const listen = async (): Promise<void> => {
    while (!stopped) {
      try {
        const options = { url: `mqtt://127.0.0.1:${port}`, clientId: 'things', user: 'platform', password: 'p' };
        const open = await connectBroker({ ...options, protocol: 5 });
        const closed = new Promise<void>((resolve) => open.onClose(() => resolve()));
        open.onMessage(take);
        await open.subscribe(topics);
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
  onTestFinished(async () => {
    stopped = true;
    await connection?.close();
    await running;
  });
  return platform;
}
