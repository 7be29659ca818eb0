/** Datagrams on IPv4 (base/ports.ts, UdpDoor). A group is asked on every interface, since only one of them may lead to the cameras. */
import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { UdpDoor } from '../base/ports.ts';

/** 224.0.0.0 to 239.255.255.255 */
const isGroup = (host: string): boolean => {
  const first = Number(host.split('.')[0]);
  return first >= 224 && first <= 239;
};

function ownAddresses(): (string | undefined)[] {
  const found = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const own = found.filter((a) => a.family === 'IPv4' && !a.internal).map((a) => a.address);
  return own.length === 0 ? [undefined] : own;
}

export function createUdpDoor(): UdpDoor {
  return {
    ask: async (to, bytes, { forMs, signal }, heard) => {
      const sockets = await Promise.all(
        (isGroup(to.host) ? ownAddresses() : [undefined]).map((own) => send(to, bytes, own, heard)),
      );
      try {
        await new Promise<void>((resolve) => {
          if (signal.aborted) return resolve();
          const timer = setTimeout(resolve, forMs);
          signal.addEventListener('abort', () => [clearTimeout(timer), resolve()], { once: true });
        });
      } finally {
        for (const socket of sockets) socket?.close();
      }
    },
  };
}

/** Undefined where an interface cannot send: the others may. */
function send(
  to: { readonly host: string; readonly port: number },
  bytes: Uint8Array,
  own: string | undefined,
  heard: (bytes: Uint8Array, from: { host: string; port: number }) => void,
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    let isSettled = false;
    const settle = (failed: boolean): void => {
      if (isSettled) return;
      isSettled = true;
      if (failed) socket.close();
      resolve(failed ? undefined : socket);
    };
    socket.on('error', () => settle(true));
    socket.on('message', (message, from) => heard(message, { host: from.address, port: from.port }));
    socket.bind(0, own, () => {
      try {
        if (own !== undefined && isGroup(to.host)) socket.setMulticastInterface(own);
        socket.send(bytes, to.port, to.host, (error) => settle(error !== null));
      } catch {
        settle(true);
      }
    });
  });
}
