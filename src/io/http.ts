/** One HTTP POST of JSON, with a deadline and a bound on the answer. Certificates are checked; redirects are not followed. */
import type { IncomingMessage } from 'node:http';

const MAX_BODY = 64 * 1024;

export interface Posted {
  readonly status: number;
  /** undefined when the answer was no JSON of at most MAX_BODY bytes */
  readonly json: unknown;
}

export async function postJson(url: string, body: unknown, timeoutMs: number): Promise<Posted> {
  const target = new URL(url);
  // Loaded when somebody is called: most gateways never are.
  const { request } = target.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const text = Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': text.length };
    const req = request(target, { method: 'POST', headers, signal: AbortSignal.timeout(timeoutMs) }, (res) => {
      readBody(res).then((json) => resolve({ status: res.statusCode ?? 0, json }), reject);
    });
    req.once('error', reject);
    req.end(text);
  });
}

async function readBody(res: IncomingMessage): Promise<unknown> {
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
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}
