/** One address posted to again and again: what it answers, how long it wants to be left alone, and every way it does not answer. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openPoster, type Poster } from './http.ts';

interface Far {
  readonly poster: Poster;
  readonly connections: () => number;
}

async function far(listener: RequestListener): Promise<Far> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  let connections = 0;
  server.on('connection', () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const poster = await openPoster({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in` });
  onTestFinished(() => {
    poster.close();
    server.closeAllConnections();
    server.close();
  });
  return { poster, connections: () => connections };
}

const BODY = new TextEncoder().encode('{}');
const post = (poster: Poster, timeoutMs = 10_000) => poster.post(BODY, 'application/json', timeoutMs);

describe('a poster', () => {
  it('keeps its connection, and tells how long the far end wants to be left alone', async () => {
    const waits = ['7', new Date(Date.now() + 3_600_000).toUTCString(), new Date(0).toUTCString(), 'soon', undefined];
    const { poster, connections } = await far((req, res) => {
      const wait = waits.shift();
      res.writeHead(503, wait === undefined ? {} : { 'retry-after': wait });
      req.resume().once('end', () => res.end());
    });
    expect(await post(poster)).toEqual({ status: 503, retryAfterMs: 7000 });
    const { retryAfterMs = 0 } = await post(poster);
    expect(Math.abs(retryAfterMs - 3_600_000)).toBeLessThan(60_000);
    expect(await post(poster)).toEqual({ status: 503, retryAfterMs: 0 });
    expect(await post(poster)).toEqual({ status: 503 });
    expect(await post(poster)).toEqual({ status: 503 });
    expect(connections()).toBe(1);
  });

  it('tries once more when a kept connection ends under its hands, and only then', async () => {
    let asked = 0;
    const { poster } = await far((req, res) => {
      asked++;
      req.resume().once('end', () => (asked === 2 || asked > 3 ? req.socket.resetAndDestroy() : res.end()));
    });
    expect(await post(poster)).toEqual({ status: 200 });
    expect(await post(poster)).toEqual({ status: 200 });
    expect(asked).toBe(3);
    await expect(post(poster)).rejects.toThrow();
    expect(asked).toBe(5);
  });

  it('waits for no answer beyond its deadline, nor for the end of one without end, and ends when it is closed', async () => {
    let mood: 'silent' | 'endless' | 'dripping' = 'silent';
    const { poster } = await far((req, res) => {
      req.resume().once('end', () => {
        if (mood === 'silent') return;
        res.writeHead(200);
        res.write(mood === 'endless' ? Buffer.alloc(1024 * 1024) : 'x');
      });
    });
    await expect(post(poster, 50)).rejects.toThrow('no answer within 0.05 s');
    mood = 'dripping';
    await expect(post(poster, 50)).rejects.toThrow('no answer within 0.05 s');
    mood = 'endless';
    expect(await post(poster)).toEqual({ status: 200 });
    mood = 'silent';
    const waiting = expect(post(poster)).rejects.toThrow('closed');
    poster.close();
    await waiting;
  });
});
