/** A slow link in this process: a TCP proxy that lets so many bytes a second through each way, each so much later. */
import { createServer, connect as dial, type Socket } from 'node:net';

export interface SlowLink {
  readonly port: number;
  /** bytes that went up, without TCP/IP's own */
  readonly up: () => number;
  close(): void;
}

/** What a socket's bytes wait for: their turn on the wire, and then the way. */
function throttle(
  from: Socket,
  to: Socket,
  bytesPerSecond: number,
  oneWayMs: number,
  count: (n: number) => void,
): void {
  let freeAt = 0;
  let waiting = 0;
  from.on('data', (bytes: Buffer) => {
    const now = performance.now();
    freeAt = Math.max(freeAt, now) + (bytes.length * 1000) / bytesPerSecond;
    count(bytes.length);
    waiting += bytes.length;
    // A modem's buffer is small: the sender's TCP has to wait, as it would.
    if (waiting > 64 * 1024) from.pause();
    setTimeout(
      () => {
        waiting -= bytes.length;
        if (from.isPaused() && waiting < 32 * 1024) from.resume();
        to.write(bytes);
      },
      freeAt - now + oneWayMs,
    );
  });
  from.on('close', () => to.destroy());
  from.on('error', () => to.destroy());
}

export async function slowLink(target: number, bytesPerSecond: number, roundTripMs: number): Promise<SlowLink> {
  let up = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = dial(target, '127.0.0.1');
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      sockets.add(socket);
    }
    throttle(near, far, bytesPerSecond, roundTripMs / 2, (n) => {
      up += n;
    });
    throttle(far, near, bytesPerSecond, roundTripMs / 2, () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    up: () => up,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
