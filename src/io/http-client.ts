/**
 * HTTP to devices of the site (base/ports.ts, HttpDoor): one deadline over the whole answer, a cap on its body, no redirects.
 *
 * Headers are parsed leniently: what cameras send is seldom to the letter, and nobody stands between us and them. An idle connection is closed after
 * IDLE_MS, because small servers drop theirs about then and a question sent into that moment is lost; one that is lost so is asked again once.
 */
import type { ClientRequest, IncomingMessage, Agent as PlainAgent } from 'node:http';
import type { Agent as TlsAgent } from 'node:https';
import { WeinaoError } from '../base/errors/index.ts';
import type { HttpAnswer, HttpAsk, HttpDoor, HttpLimits } from '../base/ports.ts';

const IDLE_MS = 4000;
const MAX_HEADER = 16 * 1024;

/** The connection had been idle, and is gone: the question never arrived. */
class Idle extends Error {}

export function createHttpDoor(): HttpDoor {
  const agents: { plain?: PlainAgent; tls?: TlsAgent } = {};
  const open = async (ask: HttpAsk, limits: HttpLimits): Promise<HttpAnswer> => {
    const target = new URL(ask.url);
    const options = {
      method: ask.method,
      headers: { ...ask.headers, ...(ask.body === undefined ? {} : { 'content-length': Buffer.byteLength(ask.body) }) },
      insecureHTTPParser: true,
      maxHeaderSize: MAX_HEADER,
      timeout: 0,
    };
    // Loaded when a device is asked: most gateways have none.
    if (target.protocol === 'https:') {
      const { Agent, request } = await import('node:https');
      agents.tls ??= new Agent({ keepAlive: true, timeout: IDLE_MS });
      const trusted = { ...options, agent: agents.tls, rejectUnauthorized: limits.trust !== 'any' };
      return exchange(request(target, trusted), target.host, ask, limits);
    }
    const { Agent, request } = await import('node:http');
    agents.plain ??= new Agent({ keepAlive: true, timeout: IDLE_MS });
    return exchange(request(target, { ...options, agent: agents.plain }), target.host, ask, limits);
  };
  return {
    ask: async (ask, limits) => {
      try {
        return await open(ask, limits);
      } catch (error) {
        if (!(error instanceof Idle)) throw error;
      }
      return open(ask, limits).catch((error: unknown) => {
        throw error instanceof Idle ? new WeinaoError('http.reset', { host: new URL(ask.url).host }) : error;
      });
    },
  };
}

function exchange(req: ClientRequest, host: string, ask: HttpAsk, limits: HttpLimits): Promise<HttpAnswer> {
  const { deadlineMs, maxBytes, signal } = limits;
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const chunks: Buffer[] = [];
    let size = 0;
    let isOver = false;
    const end = (error?: Error): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(late);
      signal.removeEventListener('abort', cancel);
      if (error !== undefined) req.destroy();
      const isLost = answer === undefined || signal.aborted;
      if (error !== undefined && isLost) reject(error);
      else if (answer !== undefined)
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headersDistinct as Record<string, string[]>,
          body: Buffer.concat(chunks),
          ...(error instanceof WeinaoError ? { cut: error } : {}),
        });
    };
    const late = setTimeout(() => end(new WeinaoError('http.late', { host, ms: deadlineMs })), deadlineMs);
    const cancel = (): void => end(new WeinaoError('link.cancelled', { channel: host }));
    req.on('error', (error) => end(answer === undefined ? beforeHeader(error, req, host) : within(host)));
    req.once('response', (res) => {
      answer = res;
      res.on('data', (chunk: Buffer) => {
        chunks.push(chunk.subarray(0, maxBytes - size));
        size += chunk.length;
        if (size > maxBytes) end(new WeinaoError('http.too_big', { host, limit: maxBytes }));
      });
      res.on('error', () => end(within(host)));
      res.once('close', () => end(res.complete ? undefined : within(host)));
    });
    if (signal.aborted) return cancel();
    signal.addEventListener('abort', cancel, { once: true });
    req.end(ask.body);
  });
}

const within = (host: string): WeinaoError => new WeinaoError('http.cut', { host });

const AWAY = ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EADDRNOTAVAIL'];

function beforeHeader(error: Error & { code?: string }, req: ClientRequest, host: string): Error {
  const { code = '', message } = error;
  if (code === 'ECONNREFUSED') return new WeinaoError('http.refused', { host });
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return req.reusedSocket ? new Idle() : new WeinaoError('http.reset', { host });
  if (code.startsWith('HPE_')) return new WeinaoError('http.garbage', { host, detail: code });
  if (AWAY.includes(code)) return new WeinaoError('http.unreachable', { host, detail: code });
  const isTls = code === 'EPROTO' || code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || code.includes('CERT');
  if (isTls || code.includes('SIGNATURE')) return new WeinaoError('http.tls', { host, detail: code });
  return new WeinaoError('http.unreachable', { host, detail: code === '' ? message : code });
}
