/** The CLI's way to the daemon: which socket, one call, one stream. System errors become ours, with the next step. */
import { join } from 'node:path';
import { ERRORS, type ErrorCode, WeinaoError } from '../base/errors/index.ts';
import type { Params } from '../base/text.ts';
import { peekData } from '../config/index.ts';
import { callLocal, followLocal } from '../io/local-api.ts';
import { exists } from '../io/process.ts';
import type { Env } from './check.ts';

const SYSTEM_SOCKET = '/run/weinao/weinao.sock';

export interface Client {
  readonly socket: string;
  call(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly json: unknown }>;
  follow(path: string, onLine: (line: unknown) => void, signal: AbortSignal): Promise<void>;
}

/** WEINAO_SOCKET, else the service's socket, else the one in the data folder the configuration names. */
export async function findClient(configFolder: string, env: Env): Promise<Client> {
  const data = await peekData(configFolder, env);
  const socket = env.WEINAO_SOCKET ?? (exists(SYSTEM_SOCKET) ? SYSTEM_SOCKET : join(data, 'weinao.sock'));
  return {
    socket,
    call: async (method, path, body) => {
      const reply = await callLocal(socket, method, path, body).catch((error: unknown) => {
        throw told(error, socket);
      });
      throwTold(reply.json);
      return reply;
    },
    follow: (path, onLine, signal) =>
      followLocal(
        socket,
        path,
        (line) => {
          throwTold(line);
          onLine(line);
        },
        signal,
      ).catch((error: unknown) => {
        throw told(error, socket);
      }),
  };
}

function told(error: unknown, socket: string): unknown {
  if (error instanceof WeinaoError) return error;
  const code = (error as { code?: string }).code;
  if (code === 'EACCES' || code === 'EPERM') return new WeinaoError('cli.no_permission', { socket }, error);
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR')
    return new WeinaoError('cli.not_running', { socket }, error);
  return error;
}

/** The daemon's errors come as code and parameters, and are told in the reader's language here. */
function throwTold(json: unknown): void {
  const { error } = (json ?? {}) as { error?: { code?: string; params?: Params; detail?: string } };
  if (error === undefined) return;
  if (error.code !== undefined && error.code in ERRORS)
    throw new WeinaoError(error.code as ErrorCode, error.params ?? {});
  throw new Error(error.detail ?? 'the daemon reported an error');
}
