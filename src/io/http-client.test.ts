/** Against a raw socket, which can do what no HTTP server would. */
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificates } from '../../test/kit/mosquitto.ts';
import { tempFolder } from '../../test/kit/site.ts';
import type { HttpLimits } from '../base/ports.ts';
import { createHttpDoor } from './http-client.ts';

async function serve(
  answer: (socket: Socket, request: string, n: number) => void,
): Promise<{ url: string; connections: () => number }> {
  let connections = 0;
  let n = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => answer(socket, data.toString('latin1'), n++));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/x?y=1`, connections: () => connections };
}

const limits = (over: Partial<HttpLimits> = {}): HttpLimits => ({
  deadlineMs: 5000,
  maxBytes: 1000,
  signal: new AbortController().signal,
  ...over,
});
const ok = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const text = (body: Uint8Array): string => Buffer.from(body).toString();
const ask = (url: string, over: Partial<HttpLimits> = {}) =>
  createHttpDoor().ask({ url, method: 'POST', headers: { 'x-y': '1' }, body: '中' }, limits(over));

describe('an answer', () => {
  it('comes with status, headers and body; a redirect is one', async () => {
    const { url } = await serve((socket, request) => {
      expect(request).toContain('POST /x?y=1 HTTP/1.1');
      expect(request).toContain('content-length: 3');
      socket.write(
        'HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nWWW-Authenticate: Digest a\r\nWWW-Authenticate: Basic b\r\nContent-Length: 2\r\n\r\nhi',
      );
    });
    const { status, headers, body, cut } = await ask(url);
    expect([status, text(body), cut]).toEqual([302, 'hi', undefined]);
    expect(headers['www-authenticate']).toEqual(['Digest a', 'Basic b']);
  });

  it.each([
    [
      'one chunk a byte',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n',
      'ab',
      undefined,
    ],
    ['lines that end with LF alone', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nab', 'ab', undefined],
    ['no length, ended by the close', 'HTTP/1.0 200 OK\r\n\r\nab', 'ab', undefined],
    ['a length too long', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab', 'ab', 'http.cut'],
    ['a chunk too short', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab', 'ab', 'http.cut'],
    ['over the cap', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1001)}`, 'x'.repeat(1000), 'http.too_big'],
  ])('%s', async (_, wire, body, cut) => {
    const { url } = await serve((socket) => socket.end(wire));
    const answer = await ask(url);
    expect(text(answer.body)).toBe(body);
    expect(answer.cut?.code).toBe(cut);
  });

  it('that never ends is cut by size or by time, and what came is there', async () => {
    const { url } = await serve((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const flood = (): void => void (socket.destroyed || socket.write('x'.repeat(65_536), flood));
      flood();
    });
    const big = await ask(url, { maxBytes: 100_000 });
    expect([big.body.length, big.cut?.code]).toEqual([100_000, 'http.too_big']);
    const drip = await serve((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\nab');
    });
    const late = await ask(drip.url, { deadlineMs: 50 });
    expect([text(late.body), late.cut?.code]).toEqual(['ab', 'http.late']);
  });
});

describe('no answer', () => {
  it.each([
    ['closed at once', (socket: Socket) => socket.destroy(), 'http.reset'],
    ['closed in the header', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nX:'), 'http.reset'],
    ['TLS on the port', (socket: Socket) => socket.end(Buffer.of(0x15, 3, 1, 0, 2, 2, 10)), 'http.garbage'],
    ['silence', () => {}, 'http.late'],
  ])('%s', async (_, answer, code) => {
    const { url } = await serve(answer);
    await expect(ask(url, { deadlineMs: code === 'http.late' ? 50 : 5000 })).rejects.toMatchObject({ code });
  });

  it('is refused, not TLS, or called off', async () => {
    await expect(ask('http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'http.refused' });
    const { url } = await serve((socket) => socket.end(ok('x')));
    await expect(ask(url.replace('http:', 'https:'))).rejects.toMatchObject({ code: 'http.tls' });
    const off = new AbortController();
    const silent = await serve(() => off.abort());
    await expect(ask(silent.url, { signal: off.signal })).rejects.toMatchObject({ code: 'link.cancelled' });
    await expect(ask(silent.url, { signal: off.signal })).rejects.toMatchObject({ code: 'link.cancelled' });
  });
});

describe('a connection', () => {
  it('is used again', async () => {
    const { url, connections } = await serve((socket) => socket.write(ok('x')));
    const door = createHttpDoor();
    for (let i = 0; i < 3; i++) await door.ask({ url, method: 'GET' }, limits());
    expect(connections()).toBe(1);
  });

  it('that was lost while idle is replaced without a word', async () => {
    const { url, connections } = await serve((socket, _, n) =>
      n === 1 ? socket.destroy() : socket.write(ok(String(n))),
    );
    const door = createHttpDoor();
    await door.ask({ url, method: 'GET' }, limits());
    const { body } = await door.ask({ url, method: 'GET' }, limits());
    expect([text(body), connections()]).toEqual(['2', 2]);
  });
});

it('takes a certificate nobody vouches for only where that is allowed', async () => {
  const folder = tempFolder();
  certificates(folder);
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const server = createTlsServer({ cert: read('server.pem'), key: read('server.key') }, (_, res) => res.end('hi'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const url = `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`;
  await expect(ask(url)).rejects.toMatchObject({ code: 'http.tls' });
  expect(text((await ask(url, { trust: 'any' })).body)).toBe('hi');
});
