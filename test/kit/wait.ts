/** Ports and patience, for tests and benches alike. */
import { createServer } from 'node:net';

/** A port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** below the range from which the system gives ports to whoever asks for any */
const BLOCKS = { from: 20_000, to: 32_000 } as const;

/** The first of so many ports in a row nobody listens on. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const first = BLOCKS.from + Math.floor(Math.random() * (BLOCKS.to - BLOCKS.from - count));
    const servers = await Promise.all(Array.from({ length: count }, (_, i) => listening(first + i)));
    await Promise.all(servers.map((server) => server && new Promise((resolve) => server.close(resolve))));
    if (servers.every((server) => server !== undefined)) return first;
  }
  throw new Error(`no ${count} free ports in a row`);
}

function listening(port: number): Promise<ReturnType<typeof createServer> | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, () => resolve(server));
  });
}

/** Asks until the answer is true: for things another process does in its own time, which is long on a busy machine. Fails with what it was told to say. */
export async function until(what: string, ask: () => boolean | Promise<boolean>, withinMs = 90_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`not within ${withinMs} ms: ${what}`);
}
