/** A site's folder under /tmp for one test: files written, a free Modbus slave to poll, and everything removed at the end. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createModbusSimulator, type SimulatedUnit } from '../../drivers/modbus/simulator.ts';
import { systemClock } from '../../src/io/clock.ts';
import { listenSocket, type SocketServer } from '../../src/io/socket.ts';
import type { Simulator } from '../../src/kit/simulator.ts';

export { freePort, freePorts, until } from './wait.ts';

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

/** An estate of one water tank over Modbus TCP and a red rule about its level; `feeds` is the section's YAML, indented. */
export function oneTank(
  modbus: number,
  feeds: string,
  { pollMs = 100, windowMs = 200 } = {},
): Readonly<Record<string, string>> {
  return {
    'weinao.yaml': `site: {id: t1, name: 测试小区}
gateway: {id: gw1, data: DATA, commit_window: ${windowMs}ms}
channels: {plc: {modbus_tcp: "127.0.0.1:${modbus}"}}
devices:
  tank_1:
    {driver: modbus, channel: plc, address: 1, poll: ${pollMs}ms,
     points: {level: {register: holding 0, as: uint16, unit: mm, class: none}}}
feeds:
${feeds}`,
    'rules/a.yaml':
      'rule: low\nlevel: red\neach: {device: tank_1}\nwhen: level < 100\ntext: "水位 {level}"\nact: 补水\n',
  };
}

/** Modbus slaves behind a TCP port, whose cells the test changes as it likes: `cells.get('5 holding 0')`. */
export interface Slaves {
  readonly port: number;
  readonly cells: Map<string, number>;
  close(): Promise<void>;
}

export async function startSlaves(
  form: 'rtu' | 'tcp',
  cells: Readonly<Record<string, number>>,
  isWritable = false,
): Promise<Slaves> {
  const values = new Map(Object.entries(cells));
  const clock = systemClock();
  const stations = new Set([...values.keys()].map((key) => Number(key.split(' ')[0])));
  const units = new Map<number, SimulatedUnit>(
    [...stations].map((station) => [
      station,
      {
        replyMs: 0,
        read: (table, address) => values.get(`${station} ${table} ${address}`),
        ...(isWritable
          ? { write: (table, address, value) => values.set(`${station} ${table} ${address}`, value).size > 0 }
          : {}),
      },
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

/** A simulated line behind a TCP port, as a transparent server shows it; ends with the test. */
export async function serveSimulator(far: Simulator): Promise<number> {
  const clock = systemClock();
  const server = await listenSocket('127.0.0.1', 0, (port) => {
    port.onData((bytes) => {
      for (const reply of far.receive(bytes))
        clock.timer('reply', reply.afterMs, () => void port.write(reply.bytes).catch(() => {}));
    });
  });
  onTestFinished(() => server.close());
  return server.port;
}

/** Every file below a folder that holds a text. */
export function holding(folder: string, text: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const facts = statSync(path);
    if (facts.isDirectory()) return holding(path, text);
    return facts.isFile() && readFileSync(path).includes(Buffer.from(text)) ? [path] : [];
  });
}
