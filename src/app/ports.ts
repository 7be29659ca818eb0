/** The house's doors to the world: channels opened, brokers connected with the feed's secrets. */
import type { FeedModel, LineChannel, ListenChannel, SecretRef, SiteModel } from '../base/model.ts';
import type { Acceptor, BytePort } from '../base/ports.ts';
import { readSecret } from '../io/files.ts';
import { type BrokerConnection, connectBroker } from '../io/mqtt.ts';
import { openSerial } from '../io/serial.ts';
import { listenSocket, openSocket } from '../io/socket.ts';
import type { Env } from './check.ts';

export function openChannel(channel: LineChannel): Promise<BytePort> {
  return channel.carries === 'serial' ? openSerial(channel.path, channel.line) : openSocket(channel.host, channel.port);
}

export const listenOn = (channel: ListenChannel, onConnection: (port: BytePort) => void): Promise<Acceptor> =>
  listenSocket(channel.host, channel.port, onConnection);

/** Secrets are read at each connect, so that a renewed certificate needs no restart; they are kept nowhere. */
export async function connectFeed(
  feed: FeedModel,
  will: { topic: string; payload: string; delaySeconds: number },
  configFolder: string,
  env: Env,
  site: SiteModel,
): Promise<BrokerConnection> {
  const secret = async (key: 'password' | 'ca' | 'cert' | 'key'): Promise<Record<string, string>> => {
    const ref: SecretRef | undefined = feed[key];
    if (ref === undefined) return {};
    const { value } = await readSecret(ref, { folder: configFolder, env });
    if (value === undefined) throw new Error(`secret of ${key} cannot be read`);
    return { [key]: value };
  };
  const secrets = Object.assign(
    {},
    await secret('password'),
    await secret('ca'),
    await secret('cert'),
    await secret('key'),
  );
  return connectBroker({
    url: feed.to,
    protocol: feed.mqtt,
    clientId: feed.client ?? `weinao-${site.site.id}-${site.gateway.id}-${feed.id}`,
    ...(feed.user === undefined ? {} : { user: feed.user }),
    ...secrets,
    will,
  });
}
