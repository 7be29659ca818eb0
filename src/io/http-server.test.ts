/** The server against clients that mean it no good, over real sockets. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { certificates } from '../../test/kit/mosquitto.ts';
import { tempFolder } from '../../test/kit/site.ts';
import { until } from '../../test/kit/wait.ts';
import { type HttpAsk, type HttpServer, serveHttp } from './http-server.ts';

async function server(
  patience = 1,
): Promise<{ readonly port: number; readonly asks: HttpAsk[]; readonly server: HttpServer }> {
  const asks: HttpAsk[] = [];
  const running = await serveHttp({ host: '127.0.0.1', port: 0, patience }, (ask) => {
    asks.push(ask);
    if (ask.path === '/fault') return Promise.reject(new Error('ours'));
    return Promise.resolve({ status: 202, json: { bytes: ask.body.length }, headers: { 'x-kind': 'test' } });
  });
  onTestFinished(() => running.close());
  return { port: running.port, asks, server: running };
}

/** Sends these bytes, and collects what comes until the far end closes. */
async function raw(port: number, ...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let got = '';
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  for (const piece of pieces) socket.write(piece);
  await closed;
  return got.split('\r\n', 1)[0] ?? '';
}

const head = (more: string): string => `POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n`;

describe('an HTTPS server', () => {
  it('shows its certificate, and speaks to nobody without TLS', async () => {
    const folder = tempFolder();
    certificates(folder);
    const file = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const tls = { cert: file('server.pem'), key: file('server.key') };
    const running = await serveHttp({ host: '127.0.0.1', port: 0, tls }, () =>
      Promise.resolve({ status: 202, json: {} }),
    );
    onTestFinished(() => running.close());
    const status = await new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: running.port, method: 'POST', ca: file('ca.pem') };
      const req = request(options, (res) => resolve(res.resume().statusCode));
      req.once('error', reject);
      req.end('{}');
    });
    expect(status).toBe(202);
    expect(await raw(running.port, head('Content-Length: 2\r\n'), '{}')).not.toContain('202');
  });
});

describe('an HTTP server', () => {
  it('hands over a request and its bounded body', async () => {
    const { port, asks } = await server();
    const reply = await fetch(`http://127.0.0.1:${port}/v1/events?token=x`, {
      method: 'POST',
      body: '{"a":1}',
      headers: { Authorization: 'Bearer x' },
    });
    expect([reply.status, await reply.json(), reply.headers.get('x-kind')]).toEqual([202, { bytes: 7 }, 'test']);
    expect(asks).toMatchObject([
      { method: 'POST', path: '/v1/events', from: '127.0.0.1', headers: { authorization: 'Bearer x' } },
    ]);
    expect((await fetch(`http://127.0.0.1:${port}/fault`)).status).toBe(500);
  });

  it('answers what is over a bound, and hands nothing of it over', async () => {
    const { port, asks } = await server();
    expect(await raw(port, head('Content-Length: 65537\r\n'))).toBe('HTTP/1.1 413 Payload Too Large');
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    expect(await raw(port, head('Transfer-Encoding: chunked\r\n'), chunk, '1\r\nx\r\n')).toBe(
      'HTTP/1.1 413 Payload Too Large',
    );
    expect(await raw(port, head('Content-Encoding: gzip\r\nContent-Length: 3\r\n'), 'abc')).toBe(
      'HTTP/1.1 415 Unsupported Media Type',
    );
    expect(await raw(port, head(`X: ${'x'.repeat(9000)}\r\n`))).toBe('HTTP/1.1 431 Request Header Fields Too Large');
    expect(await raw(port, 'nonsense\r\n\r\n')).toBe('HTTP/1.1 400 Bad Request');
    expect(await raw(port, Uint8Array.of(0x16, 0x03, 0x01, 0, 0))).toBe('HTTP/1.1 400 Bad Request');
    // Two lengths are how requests are smuggled past whoever stands in front.
    expect(await raw(port, head('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'), '0\r\n\r\n')).toBe(
      'HTTP/1.1 400 Bad Request',
    );
    expect(asks).toEqual([]);
  });

  it('waits for nobody for ever: headers and bodies that drip are ended', async () => {
    const { port, asks } = await server(0.02);
    expect(await raw(port, 'POST /v1/events HTTP/1.1\r\nHo')).toBe('HTTP/1.1 408 Request Timeout');
    expect(await raw(port, head('Content-Length: 10\r\n'), 'x')).toBe('HTTP/1.1 408 Request Timeout');
    expect(asks).toEqual([]);
  });

  it('takes its place back from whoever never hangs up', async () => {
    const { port } = await server(0.02);
    const sockets = Array.from({ length: 64 }, () => connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (const socket of sockets) socket.on('error', () => {}).resume();
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const [i, socket] of sockets.entries()) if (i % 2 === 0) socket.write('POST / HTTP/1.1\r\nHo');
    await until('a place is free again', async () => {
      const reply = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
      return reply?.status === 202;
    });
  });

  it('holds so many connections and no more, and gives them back', async () => {
    const { port, server: running } = await server();
    const sockets = Array.from({ length: 64 }, () => connect(port, '127.0.0.1'));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets) socket.on('error', () => {});
    const one = connect(port, '127.0.0.1');
    one.on('error', () => {});
    await once(one, 'close');
    for (const socket of sockets) socket.destroy();
    await until('a place is free again', async () => {
      const reply = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
      return reply?.status === 202;
    });
    await running.close();
    await running.close();
  });
});
