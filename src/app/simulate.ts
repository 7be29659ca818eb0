/**
 * `weinao simulate FILE`: a line of simulated devices on a TCP port, and on a serial port through socat, and simulated devices with web servers of their own
 * on 127.0.0.1, until it is told to end.
 */
import { drivers } from '../../drivers/index.ts';
import { hex } from '../base/bytes.ts';
import { WeinaoError } from '../base/errors/index.ts';
import type { BytePort, Clock } from '../base/ports.ts';
import { systemClock } from '../io/clock.ts';
import { systemFiles } from '../io/files.ts';
import { type BrokerConnection, connectBroker } from '../io/mqtt.ts';
import { linkPty } from '../io/pty.ts';
import { systemRandom } from '../io/random.ts';
import { listenSocket, openSocket } from '../io/socket.ts';
import { serveWeb } from '../io/web-server.ts';
import { readSimulation, type Said, type Served, type SimulatedLine, type Word } from '../kit/simulation.ts';

const MOST = 256 * 1024;

export async function simulate(path: string, tell: (line: string) => void, stop: AbortSignal): Promise<void> {
  const clock = systemClock();
  const text = await systemFiles().read(path, MOST);
  if (text === undefined) throw new WeinaoError('cli.unreadable', { path, detail: 'ENOENT' });
  const simulationOf = async (name: string) => drivers.find((d) => d.name === name)?.simulation?.();
  const read = await readSimulation(text, simulationOf, clock, systemRandom());
  if ('problems' in read) throw new WeinaoError('cli.bad_simulation', { path, problems: read.problems.join('\n  ') });
  const { line } = read;
  const closers: (() => Promise<void>)[] = [];
  try {
    const publishing = line.broker === undefined ? undefined : publishAll(line.broker, line.said, tell, stop);
    if (!line.isEmpty) closers.push(await serveLine(line, clock, tell));
    for (const device of line.served) await serveDevice(device, tell, closers);
    line.play(tell);
    const caller = line.connect === undefined ? undefined : await call(line.connect, line.words, tell);
    if (caller !== undefined) closers.push(() => caller.close());
    await (line.isEmpty && line.served.length === 0 ? publishing : stopped(stop));
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function serveLine(
  line: SimulatedLine,
  clock: Clock,
  tell: (line: string) => void,
): Promise<() => Promise<void>> {
  const server = await listenSocket('127.0.0.1', line.tcp, (port) => {
    port.onData((bytes) => {
      for (const reply of line.far.receive(bytes))
        clock.timer('reply', reply.afterMs, () => void port.write(reply.bytes).catch(() => {}));
    });
  });
  const pty = line.pty === undefined ? undefined : await linkPty(line.pty, server.port);
  tell(`tcp: "127.0.0.1:${server.port}"${line.pty === undefined ? '' : `   serial: ${line.pty}`}`);
  return async () => {
    await pty?.close();
    await server.close();
  };
}

async function serveDevice(
  device: Served,
  tell: (line: string) => void,
  closers: (() => Promise<void>)[],
): Promise<void> {
  const ports: number[] = [];
  for (const port of device.ports) {
    const server = await serveWeb('127.0.0.1', port, device.handle);
    closers.push(() => server.close());
    ports.push(server.port);
  }
  tell(device.opened(ports));
}

const stopped = (stop: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve(), { once: true });
  });

/** The devices behind a broker; a message that is lost is told, and the next one is tried. */
async function publishAll(
  url: string,
  said: readonly Said[],
  tell: (line: string) => void,
  stop: AbortSignal,
): Promise<void> {
  const clock = systemClock();
  const clientId = `weinao-simulate-${Math.round(systemRandom().next() * 1e9)}`;
  let connection: BrokerConnection | undefined;
  try {
    connection = await connectBroker({ url, protocol: 3, clientId, clean: true });
  } catch (error) {
    return tell(`${url}: ${error instanceof Error ? error.message : String(error)}`);
  }
  tell(`broker: ${url}`);
  const open = connection;
  for (const { at, every, topic, payload, retain } of said) {
    const say = (): void => {
      if (stop.aborted) return;
      const body = payload();
      tell(`-> ${topic} ${body}`);
      open.publish(topic, body, { retain }).catch((error: unknown) => tell(String(error)));
      if (every !== undefined) clock.timer('said', every, say);
    };
    clock.timer('said', at, say);
  }
  await stopped(stop);
  await open.close();
}

/** The devices that connect to the gateway: one connection for all of them. */
async function call(address: string, words: readonly Word[], tell: (line: string) => void): Promise<BytePort> {
  const clock = systemClock();
  const colon = address.lastIndexOf(':');
  const port = await openSocket(address.slice(0, colon), Number(address.slice(colon + 1)));
  port.onData((bytes) => tell(`<- ${hex(bytes)}`));
  port.onClose((why) => tell(`closed: ${why}`));
  for (const word of words)
    clock.timer('word', word.at, () => {
      const bytes = word.bytes();
      tell(`-> ${hex(bytes)}`);
      port.write(bytes).catch((error: unknown) => tell(String(error)));
    });
  return port;
}
