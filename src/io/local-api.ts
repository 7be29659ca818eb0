/**
 * HTTP over a unix socket, both ends: the daemon's local API and the CLI that calls it.
 *
 * Replies are one JSON object, or NDJSON that lasts until either side ends it. Bodies are bounded (MAX_BODY), a stream's unsent bytes too
 * (MAX_QUEUE: a reader that does not read loses lines and is told how many), so no client can make the daemon grow.
 * Access is the socket file's mode; there is no other authentication.
 */
import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Json } from '../base/json.ts';

const MAX_BODY = 64 * 1024;
const MAX_QUEUE = 1024 * 1024;

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export type ApiReply =
  | { readonly status: number; readonly json: unknown }
  | { readonly stream: (push: (line: unknown) => void, signal: AbortSignal) => void };

export type ApiHandler = (request: ApiRequest, signal: AbortSignal) => Promise<ApiReply>;

export interface ApiServer {
  close(): Promise<void>;
}

export async function serveLocal(path: string, handler: ApiHandler): Promise<ApiServer> {
  if (existsSync(path) && !(await answers(path))) unlinkSync(path);
  const server = createServer((req, res) => void answer(req, res, handler));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o660);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A socket file left behind by a killed daemon answers nobody. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

class BadBody extends Error {}

async function answer(req: IncomingMessage, res: ServerResponse, handler: ApiHandler): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  try {
    const url = new URL(req.url ?? '/', 'http://local');
    const body = await readBody(req).catch((error: unknown) => {
      throw new BadBody(error instanceof Error ? error.message : String(error));
    });
    const reply = await handler(
      { method: req.method ?? 'GET', path: url.pathname, query: url.searchParams, body },
      gone.signal,
    );
    if ('stream' in reply) stream(res, reply.stream, gone.signal);
    else send(res, reply.status, reply.json);
  } catch (error) {
    if (error instanceof BadBody)
      return send(res, 400, { error: { code: 'cli.bad_body', params: { detail: error.message } } });
    send(res, 400, {
      error: { code: 'cli.unexpected', detail: error instanceof Error ? error.message : String(error) },
    });
  }
}

function send(res: ServerResponse, status: number, json: unknown): void {
  if (res.headersSent) return void res.end();
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
}

function stream(
  res: ServerResponse,
  start: (push: (line: unknown) => void, signal: AbortSignal) => void,
  signal: AbortSignal,
): void {
  res.writeHead(200, { 'content-type': 'application/x-ndjson' });
  res.flushHeaders();
  let lost = 0;
  start((line) => {
    if (res.writableLength > MAX_QUEUE) {
      lost++;
      return;
    }
    if (lost > 0) res.write(`${JSON.stringify({ lost })}\n`);
    lost = 0;
    res.write(`${JSON.stringify(line)}\n`);
  }, signal);
}

async function readBody(message: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new RangeError(`body over ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return size === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json);
}

/** One call; rejects with the system's error (ENOENT, ECONNREFUSED, EACCES) when no daemon listens. */
export function callLocal(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: unknown }> {
  return new Promise((resolve, reject) => {
    const req = request({ socketPath, method, path }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.once('error', reject);
      res.once('end', () => {
        try {
          resolve({ status: res.statusCode ?? 0, json: JSON.parse(Buffer.concat(chunks).toString('utf8')) });
        } catch (error) {
          reject(error);
        }
      });
    });
    req.once('error', reject);
    req.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Follows a stream line by line until it ends, the signal aborts, or `onLine` throws: then it rejects with what was thrown. */
export function followLocal(
  socketPath: string,
  path: string,
  onLine: (line: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = request({ socketPath, method: 'GET', path, signal }, (res) => {
      const failed = (res.statusCode ?? 0) >= 400;
      readLines(res.setEncoding('utf8'), (line) => onLine(JSON.parse(line)), failed).then(resolve, (error: unknown) => {
        req.destroy();
        if (signal.aborted) resolve();
        else reject(error);
      });
    });
    req.once('error', (error) => (signal.aborted ? resolve() : reject(error)));
    req.end();
  });
}

/** @param unended whether what follows the last line's end is a line too (an error's body) */
async function readLines(
  chunks: AsyncIterable<string>,
  onLine: (line: string) => void,
  unended: boolean,
): Promise<void> {
  let rest = '';
  for await (const chunk of chunks) {
    rest += chunk;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      onLine(rest.slice(0, end));
      rest = rest.slice(end + 1);
    }
  }
  if (unended && rest !== '') onLine(rest);
}
