/** TCP as a byte port: to a Modbus TCP device or a transparent RS-485 server; and the listening side for simulators. */
import { createServer, type Socket, connect as tcpConnect } from 'node:net';
import type { Acceptor, BytePort } from '../base/ports.ts';

const CONNECT_MS = 5000;
const KEEPALIVE_MS = 30_000;

/** Rejects with the system's error (ECONNREFUSED, EHOSTUNREACH, ...) or after 5 s. */
export function openSocket(host: string, port: number): Promise<BytePort> {
  return new Promise((resolve, reject) => {
    const socket = tcpConnect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS });
    const giveUp = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    const tooLong = setTimeout(() => giveUp(new Error(`no connection within ${CONNECT_MS} ms`)), CONNECT_MS);
    socket.once('error', giveUp);
    socket.once('connect', () => {
      clearTimeout(tooLong);
      socket.off('error', giveUp);
      resolve(socketPort(socket));
    });
  });
}

function socketPort(socket: Socket): BytePort {
  let why = 'closed by the far end';
  let ours = false;
  let gone: (why: string) => void = () => {};
  let closed = false;
  socket.on('error', (error) => {
    why = error.message;
  });
  socket.once('close', () => {
    closed = true;
    if (!ours) gone(why);
  });
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error(why));
        socket.write(bytes, (error) => (error == null ? resolve() : reject(error)));
      }),
    onData: (listener) => void socket.on('data', listener),
    onClose: (listener) => {
      gone = listener;
    },
    close: () => {
      ours = true;
      if (closed) return Promise.resolve();
      return new Promise((resolve) => {
        socket.once('close', () => resolve());
        socket.destroy();
      });
    },
  };
}

export interface SocketServer extends Acceptor {
  readonly port: number;
}

/** Listens on `host`, on a free port when `port` is 0. Each connection is a byte port. */
export async function listenSocket(
  host: string,
  port: number,
  onConnection: (port: BytePort) => void,
): Promise<SocketServer> {
  let closing = false;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onConnection(socketPort(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    onClose: (listener) => void server.once('close', () => closing || listener('the socket stopped listening')),
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        closing = true;
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
