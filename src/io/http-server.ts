/**
 * An HTTP or HTTPS server for other systems, with a bound on everything a caller can make it hold or wait for: MOST connections, HEAD_BYTES of headers
 * within HEAD_MS, BODY_BYTES of body within REQUEST_MS however slowly it drips, IDLE_MS between two requests of a connection.
 *
 * What is over a bound is answered (408, 413, 431, 503) and its connection closed. Bodies in another coding than their own bytes are refused (415):
 * a small one could unfold to anything.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Acceptor } from '../base/ports.ts';

const MOST = 64;
const HEAD_BYTES = 8 * 1024;
const HEAD_MS = 5000;
const BODY_BYTES = 64 * 1024;
const REQUEST_MS = 10_000;
const IDLE_MS = 5000;
const MOST_HEADERS = 50;

export interface HttpAsk {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  readonly from: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly json: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 = a free one */
  readonly port: number;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** for tests: the deadlines are these times as long */
  readonly patience?: number;
}

export interface HttpServer extends Acceptor {
  readonly port: number;
}

export async function serveHttp(
  options: HttpServerOptions,
  handler: (ask: HttpAsk) => Promise<HttpAnswer>,
): Promise<HttpServer> {
  const server = await createServer(options, (req, res) => void answer(req, res, handler));
  server.maxConnections = MOST;
  server.maxHeadersCount = MOST_HEADERS;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const status = STATUS_OF[error.code ?? ''] ?? '400 Bad Request';
    // Whoever drips does not hang up either: the place is taken back.
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    socket.destroySoon();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host.startsWith('[') ? options.host.slice(1, -1) : options.host, resolve);
  });
  const address = server.address();
  let closing = false;
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    onClose: (listener) => void server.once('close', () => closing || listener('the socket stopped listening')),
    close: () =>
      new Promise((resolve) => {
        closing = true;
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const STATUS_OF: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

async function createServer({ tls, patience = 1 }: HttpServerOptions, listener: RequestListener): Promise<Server> {
  const options = {
    maxHeaderSize: HEAD_BYTES,
    headersTimeout: HEAD_MS * patience,
    requestTimeout: REQUEST_MS * patience,
    keepAliveTimeout: IDLE_MS * patience,
    connectionsCheckingInterval: 1000 * patience,
  };
  if (tls === undefined) return (await import('node:http')).createServer(options, listener);
  return (await import('node:https')).createServer({ ...options, ...tls, minVersion: 'TLSv1.2' }, listener);
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  handler: (ask: HttpAsk) => Promise<HttpAnswer>,
): Promise<void> {
  res.on('error', () => {});
  try {
    const coding = req.headers['content-encoding'];
    if (coding !== undefined && coding !== 'identity')
      return send(req, res, { status: 415, json: { error: 'coding' } });
    const body = await readBody(req);
    if (body === undefined) return send(req, res, { status: 413, json: { error: 'too big', limit: BODY_BYTES } });
    const [path = '/'] = (req.url ?? '/').split('?', 1);
    const headers = Object.fromEntries(
      Object.entries(req.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    );
    const from = req.socket.remoteAddress ?? '';
    send(req, res, await handler({ method: req.method ?? 'GET', path, headers, body, from }));
  } catch {
    // Gone in the middle of its body, or a fault of ours, which the handler tells by itself.
    if (res.headersSent || req.socket.destroyed) res.destroy();
    else send(req, res, { status: 500, json: { error: 'unexpected' } });
  }
}

function send(req: IncomingMessage, res: ServerResponse, { status, json, headers }: HttpAnswer): void {
  // Whoever was refused before its body was read is not read any further.
  const close = req.complete ? {} : { connection: 'close' };
  res.writeHead(status, { 'content-type': 'application/json', ...headers, ...close });
  res.end(`${JSON.stringify(json)}\n`);
}

/** Undefined when it is over its bound. */
async function readBody(req: IncomingMessage): Promise<Uint8Array | undefined> {
  if (Number(req.headers['content-length'] ?? 0) > BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
