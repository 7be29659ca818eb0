/**
 * The daemon's local API: HTTP over its unix socket, for the CLI and whoever the socket's group lets in.
 * GET /v1/status /v1/health /v1/watch /v1/wire?channel=ID /v1/plan /v1/scan?channel=ID /v1/alarms /v1/maint /v1/look?rule=ID /v1/commands /v1/keys
 * POST /v1/reload /v1/probe /v1/relearn /v1/operate /v1/write /v1/confirm /v1/keys/rotate
 * GET /v1/feeds, POST /v1/feeds/replay /v1/feeds/forget /v1/erase
 */

import { hex } from '../base/bytes.ts';
import { isWeinaoError, WeinaoError } from '../base/errors/index.ts';
import type { WireRecord } from '../base/line.ts';
import { isoTime } from '../base/time.ts';
import type { ApiHandler, ApiReply, ApiRequest } from '../io/local-api.ts';
import type { WatchFilter, WatchLine } from './watch.ts';

/** bytes of a message that are shown */
const MOST_TEXT = 4096;

export interface ApiHouse {
  status(): Promise<unknown>;
  health(): unknown;
  reload(by: string | undefined): Promise<{ readonly ok: boolean }>;
  probe(ask: unknown, signal: AbortSignal): Promise<unknown>;
  plan(): unknown;
  /** throws cli.unknown_channel and cli.bad_ids before the reply begins */
  scan(channel: string, query: URLSearchParams): (push: (line: unknown) => void, signal: AbortSignal) => void;
  relearn(device: string): Promise<unknown>;
  alarms(): unknown;
  maintenance(): unknown;
  look(rule: string): unknown;
  /** ack, shelve, maintain, form, …; throws what was refused */
  operate(ask: unknown): Promise<unknown>;
  /** a person switches an output */
  write(ask: unknown): Promise<unknown>;
  /** the gateway's public key, and those it had before */
  keys(): unknown;
  rotateKey(): Promise<unknown>;
  /** what platforms asked for: what waits or goes, and what ended lately */
  commands(): unknown;
  /** somebody says yes or no to a platform's command */
  confirm(ask: unknown): Promise<unknown>;
  /** asked before the reply begins, so that a house still starting is an error and not an empty stream */
  watch(filter: WatchFilter): (push: (line: WatchLine) => void, signal: AbortSignal) => void;
  erase(ask: unknown): Promise<unknown>;
  feeds(): Promise<unknown>;
  replayFeed(ask: unknown): Promise<unknown>;
  forgetFeed(ask: unknown): Promise<unknown>;
  /** throws cli.unknown_channel */
  capture(channel: string, listener: (record: WireRecord) => void): () => void;
}

export function apiHandler(house: ApiHouse): ApiHandler {
  return async (request, signal) => {
    try {
      return await route(house, request, signal);
    } catch (error) {
      if (!isWeinaoError(error)) throw error;
      return { status: statusOf(error), json: { error: { code: error.code, params: error.params } } };
    }
  };
}

async function route(house: ApiHouse, request: ApiRequest, signal: AbortSignal): Promise<ApiReply> {
  const { query } = request;
  switch (`${request.method} ${request.path}`) {
    case 'GET /v1/status':
      return { status: 200, json: await house.status() };
    case 'GET /v1/health':
      return { status: 200, json: house.health() };
    case 'POST /v1/reload': {
      const { by } = (request.body ?? {}) as { by?: unknown };
      const report = await house.reload(typeof by === 'string' && by.length <= 200 ? by : undefined);
      return { status: report.ok ? 200 : 422, json: report };
    }
    case 'POST /v1/probe':
      return { status: 200, json: await house.probe(request.body, signal) };
    case 'GET /v1/plan':
      return { status: 200, json: house.plan() };
    case 'POST /v1/relearn':
      return { status: 200, json: await house.relearn(String((request.body as { device?: unknown } | null)?.device)) };
    case 'GET /v1/alarms':
      return { status: 200, json: house.alarms() };
    case 'GET /v1/maint':
      return { status: 200, json: house.maintenance() };
    case 'GET /v1/look':
      return { status: 200, json: house.look(query.get('rule') ?? '') };
    case 'POST /v1/operate':
      return { status: 200, json: await house.operate(request.body) };
    case 'POST /v1/write':
      return { status: 200, json: await house.write(request.body) };
    case 'GET /v1/keys':
      return { status: 200, json: house.keys() };
    case 'POST /v1/keys/rotate':
      return { status: 200, json: await house.rotateKey() };
    case 'GET /v1/commands':
      return { status: 200, json: house.commands() };
    case 'POST /v1/confirm':
      return { status: 200, json: await house.confirm(request.body) };
    case 'POST /v1/erase':
      return { status: 200, json: await house.erase(request.body) };
    case 'GET /v1/feeds':
      return { status: 200, json: await house.feeds() };
    case 'POST /v1/feeds/replay':
      return { status: 200, json: await house.replayFeed(request.body) };
    case 'POST /v1/feeds/forget':
      return { status: 200, json: await house.forgetFeed(request.body) };
    case 'GET /v1/watch': {
      const device = query.get('device');
      const filter = {
        readings: query.get('readings') !== '0',
        alarms: query.get('alarms') !== '0',
        ...(device === null ? {} : { device }),
      };
      return { stream: house.watch(filter) };
    }
    case 'GET /v1/scan':
      return { stream: house.scan(query.get('channel') ?? '', query) };
    case 'GET /v1/wire':
      return wire(house, query.get('channel') ?? '');
    default:
      throw new WeinaoError('cli.no_such_call', { call: `${request.method} ${request.path}` });
  }
}

function wire(house: ApiHouse, channel: string): ApiReply {
  let push: ((line: unknown) => void) | undefined;
  // Subscribed before the reply begins, so that an unknown channel is an error and not an empty stream.
  const stop = house.capture(channel, (record) => push?.(wireLine(record)));
  return {
    stream: (out, gone) => {
      push = out;
      gone.addEventListener('abort', stop, { once: true });
    },
  };
}

function wireLine(record: WireRecord): unknown {
  return {
    kind: 'wire',
    channel: record.channel,
    at: isoTime(record.wall),
    direction: record.direction,
    ...(record.isText === true
      ? { text: new TextDecoder().decode(record.bytes.subarray(0, MOST_TEXT)) }
      : { hex: hex(record.bytes) }),
    ...(record.note === undefined ? {} : { note: record.note }),
  };
}

function statusOf(error: WeinaoError): number {
  if (error.code === 'cli.no_such_call') return 404;
  return error.retry === 'never' ? 400 : 503;
}
