/** Simulated devices over HTTP: answers with all the faults their simulators play, down to bytes that are no HTTP. For simulators only. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebAnswer, WebHandler } from '../base/web.ts';

const MAX_BODY = 256 * 1024;

export interface WebServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on `host`, on a free port when `port` is 0. */
export async function serveWeb(host: string, port: number, handler: WebHandler): Promise<WebServer> {
  const server = createServer((req, res) => {
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    answer(req, res, handler, gone.signal).catch(() => req.socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(req: IncomingMessage, res: ServerResponse, handler: WebHandler, signal: AbortSignal) {
  const body = await readBody(req);
  if (body === undefined) return void req.socket.destroy();
  const headers = Object.fromEntries(Object.entries(req.headers).map(([k, v]) => [k, String(v)]));
  const { method = '', url: path = '', socket } = req;
  const told = await handler({ method, path, headers, body, port: socket.localPort ?? 0 }, signal);
  await play(told, res, signal);
}

async function readBody(req: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function play({ head, chunks, end, endAfterMs = 0 }: WebAnswer, res: ServerResponse, signal: AbortSignal) {
  const { socket } = res;
  if (socket === null || signal.aborted) return;
  if (head !== undefined) {
    res.strictContentLength = false;
    res.writeHead(head.status, head.headers.flat());
    res.flushHeaders();
  }
  const out = head === undefined ? socket : res;
  for (const { afterMs, bytes } of chunks) {
    if (afterMs > 0) await sleep(afterMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    if (!out.write(bytes)) await Promise.race([drained(out), closed(signal)]);
  }
  if (endAfterMs > 0) await sleep(endAfterMs, undefined, { signal }).catch(() => {});
  if (signal.aborted || end === 'hang') return;
  if (end === 'end') res.end();
  else if (end === 'close') socket.end();
  else socket.resetAndDestroy();
}

const drained = (out: NodeJS.EventEmitter): Promise<void> =>
  new Promise((resolve) => void out.once('drain', () => resolve()));
const closed = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
