/** The house's doors to the world: channels opened, brokers connected with the feed's secrets. */
import type { JsonObject } from '../base/json.ts';
import type { FeedModel, LineChannel, ListenChannel, Person, SecretRef, SiteModel } from '../base/model.ts';
import type { Acceptor, BytePort } from '../base/ports.ts';
import { readSecret } from '../io/files.ts';
import { postJson } from '../io/http.ts';
import { type BrokerConnection, connectBroker } from '../io/mqtt.ts';
import { openSerial } from '../io/serial.ts';
import { listenSocket, openSocket } from '../io/socket.ts';
import { startWorker, type WorkerPort } from '../io/worker.ts';
import type { Env } from './check.ts';
import { entryOf } from './shipped.ts';

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

const CALL_MS = 10_000;

/** Calls a person's webhook; its address is a secret, read at each call. */
export async function postTo(person: Person, body: JsonObject, configFolder: string, env: Env): Promise<unknown> {
  const { value } = await readSecret(person.webhook ?? {}, { folder: configFolder, env });
  if (value === undefined) throw new Error('the address cannot be read');
  if (!URL.canParse(value)) throw new Error('the secret is no URL');
  const { status, json } = await postJson(value, body, CALL_MS);
  if (status < 200 || status > 299) throw new Error(`HTTP ${status}`);
  return json;
}

/** One message to another system on a broker of the site; the connection lasts as long as that takes. */
export async function publishTo(person: Person, body: JsonObject, configFolder: string, env: Env): Promise<void> {
  const { mqtt } = person;
  if (mqtt === undefined) throw new Error('no way to reach this name');
  const secret =
    mqtt.password === undefined ? undefined : await readSecret(mqtt.password, { folder: configFolder, env });
  if (secret !== undefined && secret.value === undefined) throw new Error('the password cannot be read');
  const connection = await connectBroker({
    url: mqtt.to,
    protocol: 3,
    clientId: `weinao-${person.id}`,
    ...(mqtt.user === undefined ? {} : { user: mqtt.user }),
    ...(secret?.value === undefined ? {} : { password: secret.value }),
  });
  try {
    await connection.publish(mqtt.topic, JSON.stringify(body));
  } finally {
    await connection.close();
  }
}

/** Every way out of the house, so that a test can build the same house on other ground. */
export interface Doors {
  readonly openPort: typeof openChannel;
  readonly listen: typeof listenOn;
  readonly startStore: () => WorkerPort;
  readonly connectFeed: (
    feed: FeedModel,
    will: { topic: string; payload: string; delaySeconds: number },
    site: SiteModel,
  ) => Promise<BrokerConnection>;
  readonly post: (person: Person, body: JsonObject) => Promise<unknown>;
  readonly publish: (person: Person, body: JsonObject) => Promise<void>;
}

export function systemDoors(configFolder: string, env: Env): Doors {
  return {
    openPort: openChannel,
    listen: listenOn,
    startStore: () => startWorker(entryOf('store-worker'), undefined),
    connectFeed: (feed, will, site) => connectFeed(feed, will, configFolder, env, site),
    post: (person, body) => postTo(person, body, configFolder, env),
    publish: (person, body) => publishTo(person, body, configFolder, env),
  };
}
