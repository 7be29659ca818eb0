/** The gateway as its own process, as systemd would run it, and the command line beside it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { callLocal } from '../../src/io/local-api.ts';
import type { Site } from './site.ts';
import { until } from './site.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
/** Sources are stripped of their types once, and not by each of some hundred processes. */
const COMPILED = join(import.meta.dirname, '../../node_modules/.cache/weinao');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** what it said so far */
  readonly said: { out: string; err: string };
  readonly ended: Promise<Ran>;
}

export function spawnWeinao(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, LANG: 'C.UTF-8', LC_ALL: '', NO_COLOR: '1', NODE_COMPILE_CACHE: COMPILED, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (bytes: Buffer) => {
    said.out += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    said.err += bytes.toString();
  });
  const ended = new Promise<Ran>((resolve) => child.once('close', (code) => resolve({ code, ...said })));
  return { child, said, ended };
}

/** Runs a verb to its end; `input` is its standard input. */
export async function weinao(
  args: readonly string[],
  input = '',
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const { child, ended } = spawnWeinao(args, env);
  child.stdin?.end(input);
  return ended;
}

export interface DaemonProcess extends Running {
  readonly socket: string;
  status(): Promise<Status>;
  /** SIGTERM, and its exit code */
  stop(): Promise<number | null>;
  /** SIGKILL: no farewell */
  kill(): Promise<void>;
}

/** What the tests look at in `GET /v1/status`. */
export interface Status {
  readonly ready: boolean;
  readonly boot: string;
  readonly health: { readonly ok: boolean };
  readonly config: { readonly last_good: boolean; readonly problems: readonly { readonly en: string }[] };
  readonly channels: readonly Record<string, number | string>[];
  readonly devices: readonly { readonly id: string; readonly online?: boolean; readonly polls: number }[];
  readonly points_read: number;
  readonly journal: { readonly durable: boolean; readonly head: number; readonly counters: Record<string, number> };
  readonly feeds: readonly {
    readonly id: string;
    readonly state: string;
    readonly error?: string;
    readonly counters: Record<string, number>;
    readonly waiting: { readonly a: number; readonly t: number };
  }[];
  readonly alarms: { readonly open: number; readonly active: number; readonly red: number };
  readonly memory: { readonly rss: number };
}

export function startDaemonProcess(site: Site, env: Readonly<Record<string, string>> = {}): DaemonProcess {
  const socket = join(site.data, 'weinao.sock');
  const running = spawnWeinao(['run', '--config', site.config], { WEINAO_SOCKET: socket, ...env });
  const { child, ended } = running;
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  return {
    ...running,
    socket,
    status: async () => {
      const { status, json } = await callLocal(socket, 'GET', '/v1/status');
      if (status !== 200) throw new Error(JSON.stringify(json));
      return json as Status;
    },
    stop: async () => {
      child.kill('SIGTERM');
      return (await ended).code;
    },
    kill,
  };
}

/** Resolves when the daemon's status is as wanted; says what it was otherwise. */
export async function untilStatus(
  daemon: DaemonProcess,
  what: string,
  is: (status: Status) => boolean,
  withinMs?: number,
): Promise<void> {
  let last: unknown;
  let over = false;
  void daemon.ended.then(() => {
    over = true;
  });
  await until(
    what,
    async () => {
      if (over) throw new Error(`the daemon ended: ${daemon.said.out}\n${daemon.said.err}`);
      const status = await daemon.status().catch(() => undefined);
      last = status;
      return status !== undefined && is(status);
    },
    withinMs,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}; status: ${JSON.stringify(last)}`);
  });
}
