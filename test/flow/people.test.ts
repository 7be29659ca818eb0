/** The ways to people and other systems that stand outside: a real HTTP server, a real broker. */
import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemDoors } from '../../src/app/ports.ts';
import { startLocalBroker } from '../../src/io/local-broker.ts';
import { connectBroker } from '../../src/io/mqtt.ts';
import { tempSite, until } from '../kit/site.ts';

interface Asked {
  readonly method: string;
  readonly type: string;
  readonly body: unknown;
}

async function server(answer: (asked: Asked) => { status: number; body: string }) {
  const asked: Asked[] = [];
  const http = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const one = {
        method: req.method ?? '',
        type: req.headers['content-type'] ?? '',
        body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown,
      };
      asked.push(one);
      const { status, body } = answer(one);
      res.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(body);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void http.close());
  const address = http.address();
  return { asked, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/call?k=secret` };
}

describe('a webhook', () => {
  const robot = { id: 'robot', webhook: { file: 'robot' } };
  it('gets the alarm as JSON at the secret address, and its answer comes back', async () => {
    const { asked, url } = await server(() => ({ status: 200, body: '{"form":"call_result"}' }));
    const site = tempSite({ 'secrets/robot': `${url}\n` });
    const answer = await systemDoors(site.config, {}).post(robot, { text: '三栋 求助', level: 'red' });
    expect(answer).toEqual({ form: 'call_result' });
    expect(asked).toEqual([
      { method: 'POST', type: 'application/json; charset=utf-8', body: { text: '三栋 求助', level: 'red' } },
    ]);
  });

  it.each([
    [503, 'busy', /HTTP 503/],
    [302, '', /HTTP 302/],
  ])('that answers %d failed, and is not followed elsewhere', async (status, body, message) => {
    const { url } = await server(() => ({ status, body }));
    const site = tempSite({ 'secrets/robot': url });
    await expect(systemDoors(site.config, {}).post(robot, { text: 'x' })).rejects.toThrow(message);
  });

  it('with an endless or odd answer is bounded; without an address it says so and names none of it', async () => {
    const { url } = await server(() => ({ status: 200, body: 'x'.repeat(1_000_000) }));
    const site = tempSite({ 'secrets/robot': url, 'secrets/odd': 'not an address' });
    const doors = systemDoors(site.config, {});
    await expect(doors.post(robot, { text: 'x' })).resolves.toBeUndefined();
    await expect(doors.post({ id: 'a', webhook: { file: 'none' } }, {})).rejects.toThrow('cannot be read');
    await expect(doors.post({ id: 'a', webhook: { file: 'odd' } }, {})).rejects.toThrow(/^the secret is no URL$/);
  });
});

describe('another system on a broker of the site', () => {
  it('gets its message', async () => {
    const broker = await startLocalBroker();
    onTestFinished(() => broker.close());
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const got: string[] = [];
    const reader = await connectBroker({ url, protocol: 3, clientId: 'screens' });
    onTestFinished(() => reader.close());
    reader.onMessage((topic, payload) => void got.push(`${topic} ${new TextDecoder().decode(payload)}`));
    await reader.subscribe(['lift/notice']);
    const doors = systemDoors('/nowhere', {});
    await doors.publish({ id: 'lifts', mqtt: { to: url, topic: 'lift/notice' } }, { text: '今晚停水' });
    await until('the message', () => got.length === 1);
    expect(got).toEqual(['lift/notice {"text":"今晚停水"}']);
    await broker.close();
    await expect(
      doors.publish({ id: 'lifts', mqtt: { to: url, topic: 'lift/notice' } }, { text: 'x' }),
    ).rejects.toThrow();
  });
});
