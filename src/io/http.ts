/**
 * HTTP POST with a deadline over the whole exchange and a bound on the answer. Certificates are checked; redirects are not followed.
 * `postJson` calls once; a `Poster` keeps its connection to one address.
 */
import type { Agent, IncomingMessage, RequestOptions } from 'node:http';

const MAX_BODY = 64 * 1024;

export interface Posted {
  readonly status: number;
  /** undefined when the answer was no JSON of at most MAX_BODY bytes */
  readonly json: unknown;
}

export async function postJson(url: string, body: unknown, timeoutMs: number): Promise<Posted> {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  const signal = AbortSignal.timeout(timeoutMs);
  const { status, body: answer } = await exchange(url, Buffer.from(JSON.stringify(body)), { headers, signal });
  return { status, json: parse(answer) };
}

export interface PosterOptions {
  readonly url: string;
  readonly bearer?: string;
  readonly user?: string;
  readonly password?: string;
  /** PEM */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface Answer {
  readonly status: number;
  /** how long the far end asks to be left alone (RFC 9110, 10.2.3), as it said it, in seconds or as a date */
  readonly retryAfterMs?: number;
}

export interface Poster {
  /** Resolves with whatever was answered; rejects when nothing was in time, and when it was closed. One exchange at a time. */
  post(body: Uint8Array, contentType: string, timeoutMs: number): Promise<Answer>;
  /** ends what runs */
  close(): void;
}

export async function openPoster(options: PosterOptions): Promise<Poster> {
  const { url, bearer, user, password, ca, cert, key } = options;
  const { Agent: Secure } = await import('node:https');
  const { Agent: Plain } = await import('node:http');
  const isSecure = new URL(url).protocol === 'https:';
  const keeping = { keepAlive: true, maxSockets: 1 };
  const agent = isSecure ? new Secure({ ...keeping, ...defined({ ca, cert, key }) }) : new Plain(keeping);
  const closing = new AbortController();
  const basic = user === undefined ? undefined : Buffer.from(`${user}:${password ?? ''}`).toString('base64');
  const authorization = bearer !== undefined ? `Bearer ${bearer}` : basic === undefined ? undefined : `Basic ${basic}`;
  return {
    post: async (body, contentType, timeoutMs) => {
      const headers = { 'content-type': contentType, ...defined({ authorization }) };
      const deadline = AbortSignal.timeout(timeoutMs);
      const signal = AbortSignal.any([deadline, closing.signal]);
      const why = (error: unknown): unknown =>
        closing.signal.aborted
          ? new Error('closed')
          : deadline.aborted
            ? new Error(`no answer within ${timeoutMs / 1000} s`)
            : error;
      const { status, retryAfter } = await exchange(url, body, { headers, signal, agent }).catch((error: unknown) => {
        throw why(error);
      });
      const wait = retryAfter === undefined ? undefined : retryAfterMs(retryAfter);
      return { status, ...(wait === undefined ? {} : { retryAfterMs: wait }) };
    },
    close: () => {
      closing.abort();
      agent.destroy();
    },
  };
}

interface Exchanged {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** undefined when it was over MAX_BODY bytes */
  readonly body: Buffer | undefined;
}

async function exchange(
  url: string,
  body: Uint8Array,
  options: RequestOptions & { readonly agent?: Agent },
  again = true,
): Promise<Exchanged> {
  const target = new URL(url);
  // Loaded when somebody is called: most gateways never are.
  const { request } = target.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const headers = { ...options.headers, 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const req = request(target, { ...options, headers, method: 'POST' }, (res) => {
      const status = res.statusCode ?? 0;
      const retryAfter = res.headers['retry-after'];
      readBody(res).then((bytes) => resolve({ status, retryAfter, body: bytes }), reject);
    });
    req.once('error', (error: NodeJS.ErrnoException) => {
      // The far end let go of the connection it had kept just as we took it up again; an event heard twice has the same id.
      if (again && req.reusedSocket && error.code === 'ECONNRESET')
        exchange(url, body, options, false).then(resolve, reject);
      else reject(error);
    });
    req.end(body);
  });
}

async function readBody(res: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of res as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) {
      res.destroy();
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(body: Buffer | undefined): unknown {
  if (body === undefined) return undefined;
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function retryAfterMs(text: string): number | undefined {
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function defined<T extends Record<string, string | undefined>>(given: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string;
  };
}
