/** An MQTT 3.1.1 broker inside the process, for the demo and for tests: aedes, which is a development package. */
import { createServer, type Socket } from 'node:net';

export interface LocalBroker {
  readonly port: number;
  /** cuts every connection, as a lost uplink does; clients may come back at once */
  cut(): void;
  close(): Promise<void>;
}

export async function startLocalBroker(): Promise<LocalBroker> {
  const { Aedes } = await import('aedes');
  const broker = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    broker.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => broker.close(() => resolve()));
    },
  };
}
