/** A site's folder under /tmp for one test: files written, a free Modbus slave to poll, and everything removed at the end. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createModbusSimulator, type SimulatedUnit } from '../../drivers/modbus/simulator.ts';
import { systemClock } from '../../src/io/clock.ts';
import { listenSocket, type SocketServer } from '../../src/io/socket.ts';

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'weinao-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

export interface Site {
  readonly config: string;
  readonly data: string;
  write(files: Readonly<Record<string, string>>): void;
}

/** `DATA` in a file becomes the path of the data folder. */
export function tempSite(files: Readonly<Record<string, string>>): Site {
  const root = tempFolder();
  const site: Site = {
    config: join(root, 'etc'),
    data: join(root, 'data'),
    write: (more) => {
      for (const [name, text] of Object.entries(more)) {
        const path = join(site.config, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text.replaceAll('DATA', site.data), { mode: 0o600 });
      }
    },
  };
  site.write(files);
  return site;
}

/** A port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Modbus slaves behind a TCP port, whose cells the test changes as it likes: `cells.get('5 holding 0')`. */
export interface Slaves {
  readonly port: number;
  readonly cells: Map<string, number>;
  close(): Promise<void>;
}

export async function startSlaves(form: 'rtu' | 'tcp', cells: Readonly<Record<string, number>>): Promise<Slaves> {
  const values = new Map(Object.entries(cells));
  const clock = systemClock();
  const stations = new Set([...values.keys()].map((key) => Number(key.split(' ')[0])));
  const units = new Map<number, SimulatedUnit>(
    [...stations].map((station) => [
      station,
      { replyMs: 0, read: (table, address) => values.get(`${station} ${table} ${address}`) },
    ]),
  );
  const server: SocketServer = await listenSocket('127.0.0.1', 0, (port) => {
    const far = createModbusSimulator(form, units);
    port.onData((bytes) => {
      for (const reply of far.receive(bytes))
        clock.timer('slave', reply.afterMs, () => void port.write(reply.bytes).catch(() => {}));
    });
  });
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await server.close();
  };
  onTestFinished(close);
  return { port: server.port, cells: values, close };
}

/** Asks until the answer is true: for things another process does in its own time. Fails with what it was told to say. */
export async function until(what: string, ask: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`not within ${withinMs} ms: ${what}`);
}
