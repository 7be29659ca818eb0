/** The house's doors to the world: channels opened, brokers connected with the feed's secrets. */

import type { JsonObject } from '../base/json.ts';
import type {
  BrokerChannel,
  FeedModel,
  HttpChannel,
  LineChannel,
  ListenChannel,
  Person,
  SecretRef,
  SiteModel,
} from '../base/model.ts';
import type { Acceptor, BytePort, Clock, HttpDoor, MediaFiles, UdpDoor } from '../base/ports.ts';
import { readSecret } from '../io/files.ts';
import { openPoster, postJson } from '../io/http.ts';
import { createHttpDoor } from '../io/http-client.ts';
import { type HttpAnswer, type HttpAsk, serveHttp } from '../io/http-server.ts';
import { mediaFiles } from '../io/media-files.ts';
import { type BrokerConnection, connectBroker } from '../io/mqtt.ts';
import { openSerial } from '../io/serial.ts';
import { listenSocket, openSocket } from '../io/socket.ts';
import { connectSubscriber, type Received, type Subscriber } from '../io/subscriber.ts';
import { createUdpDoor } from '../io/udp.ts';
import { startWorker, type WorkerPort } from '../io/worker.ts';
import { SESSION_S } from '../link/broker.ts';
import { alinkSignIn, connectPost, type Will } from '../uplink/index.ts';
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
  will: Will | undefined,
  configFolder: string,
  env: Env,
  site: SiteModel,
  clock: Clock,
): Promise<BrokerConnection> {
  const { token, ...secrets } = await secretsOf(feed, ['password', 'token', 'ca', 'cert', 'key'], configFolder, env);
  const user = feed.user === undefined ? {} : { user: feed.user };
  if (new URL(feed.to).protocol.startsWith('http')) {
    const bearer = token === undefined ? {} : { bearer: token };
    const poster = await openPoster({ url: feed.to, ...user, ...secrets, ...bearer });
    const source = `urn:weinao:${site.site.id}:${site.gateway.id}`;
    return connectPost({ source, poster, clock, batch: feed.batch ?? 1 });
  }
  const { secret: own } = await secretsOf(feed.alink ?? {}, ['secret'], configFolder, env);
  const signed =
    feed.alink === undefined || own === undefined ? {} : alinkSignIn(feed.alink, own, feed.to.startsWith('mqtts:'));
  return connectBroker({
    url: feed.to,
    protocol: feed.mqtt,
    clientId: feed.client ?? `weinao-${site.site.id}-${site.gateway.id}-${feed.id}`,
    ...(token === undefined ? user : { user: token }),
    ...secrets,
    ...signed,
    ...(will === undefined ? {} : { will }),
    // A thing-model platform's commands carry no time: what a broker kept while we were away must not be taken for a wish of now.
    clean: feed.codec !== undefined && feed.codec !== 'cloudevents',
  });
}

type SecretKey = 'password' | 'token' | 'secret' | 'ca' | 'cert' | 'key';

/** Throws when one that is named cannot be read; `key` of what, never any of it. */
async function secretsOf<K extends SecretKey>(
  named: { readonly [key in SecretKey]?: SecretRef },
  keys: readonly K[],
  configFolder: string,
  env: Env,
): Promise<{ readonly [key in K]?: string }> {
  const read: { [key in SecretKey]?: string } = {};
  for (const key of keys) {
    const ref = named[key];
    if (ref === undefined) continue;
    const { value } = await readSecret(ref, { folder: configFolder, env });
    if (value === undefined) throw new Error(`secret of ${key} cannot be read`);
    read[key] = value;
  }
  return read;
}

/** A broker of the estate, listened to. */
export async function connectIntake(
  channel: BrokerChannel,
  take: (message: Received) => Promise<void>,
  configFolder: string,
  env: Env,
  site: SiteModel,
): Promise<Subscriber> {
  const secrets = await secretsOf(channel, ['password', 'ca', 'cert', 'key'], configFolder, env);
  const options = {
    url: channel.to,
    protocol: channel.version,
    clientId: channel.client ?? `weinao-${site.site.id}-${site.gateway.id}-in-${channel.id}`,
    // Without an end to it, 3.1.1 would bring last week's messages as news.
    clean: channel.version === 3,
    sessionSeconds: SESSION_S,
    ...(channel.user === undefined ? {} : { user: channel.user }),
    ...secrets,
  };
  return connectSubscriber(options, take);
}

/** Certificates are read when the port is opened. */
export async function serveIntake(
  channel: HttpChannel,
  handler: (ask: HttpAsk) => Promise<HttpAnswer>,
  configFolder: string,
  env: Env,
): Promise<Acceptor> {
  const { cert, key } = await secretsOf(channel, ['cert', 'key'], configFolder, env);
  const { host, port } = channel;
  return serveHttp({ host, port, ...(cert === undefined || key === undefined ? {} : { tls: { cert, key } }) }, handler);
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
  readonly media: (folder: string) => MediaFiles;
  readonly openPort: typeof openChannel;
  readonly listen: typeof listenOn;
  readonly connectIntake: (
    channel: BrokerChannel,
    take: (message: Received) => Promise<void>,
    site: SiteModel,
  ) => Promise<Subscriber>;
  readonly serveIntake: (channel: HttpChannel, handler: (ask: HttpAsk) => Promise<HttpAnswer>) => Promise<Acceptor>;
  /** undefined when it cannot be read */
  readonly secret: (ref: SecretRef) => Promise<string | undefined>;
  readonly http: HttpDoor;
  readonly udp: UdpDoor;
  readonly startStore: () => WorkerPort;
  readonly connectFeed: (
    feed: FeedModel,
    will: Will | undefined,
    site: SiteModel,
    clock: Clock,
  ) => Promise<BrokerConnection>;
  readonly post: (person: Person, body: JsonObject) => Promise<unknown>;
  readonly publish: (person: Person, body: JsonObject) => Promise<void>;
}

export function systemDoors(configFolder: string, env: Env): Doors {
  return {
    media: mediaFiles,
    openPort: openChannel,
    listen: listenOn,
    connectIntake: (channel, take, site) => connectIntake(channel, take, configFolder, env, site),
    serveIntake: (channel, handler) => serveIntake(channel, handler, configFolder, env),
    secret: async (ref) => (await readSecret(ref, { folder: configFolder, env })).value,
    http: createHttpDoor(),
    udp: createUdpDoor(),
    startStore: () => startWorker(entryOf('store-worker'), undefined),
    connectFeed: (feed, will, site, clock) => connectFeed(feed, will, configFolder, env, site, clock),
    post: (person, body) => postTo(person, body, configFolder, env),
    publish: (person, body) => publishTo(person, body, configFolder, env),
  };
}
