/**
 * One connection to a broker through mqtt.js, and nothing more: no queue, no reconnect. What is in flight when it ends is forgotten here and
 * sent again from the journal's cursor. MQTT 3.1.1 and 5, mqtt:// and mqtts:// with CA and client certificate.
 * Bounds: MAX_INCOMING bytes of one message; the broker's receive maximum and largest packet are respected by the caller through `limits`.
 */
import type { Socket } from 'node:net';
import type { IClientOptions, IClientPublishOptions, MqttClient } from 'mqtt';
import { gather } from './gather.ts';

const CONNECT_MS = 10_000;
export const MAX_INCOMING = 64 * 1024;
const SESSION_S = 7 * 86_400;

export interface BrokerOptions {
  readonly url: string;
  readonly protocol: 3 | 5;
  readonly clientId: string;
  readonly user?: string;
  readonly password?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly clean?: boolean;
  /** how long the broker keeps the session of a client that is away; MQTT 5 only */
  readonly sessionSeconds?: number;
  readonly will?: { readonly topic: string; readonly payload: string; readonly delaySeconds: number };
}

export interface PublishOptions {
  readonly retain?: boolean;
  readonly contentType?: string;
  readonly properties?: Readonly<Record<string, string>>;
  /** MQTT 5: which request this answers */
  readonly correlation?: Uint8Array;
}

/** What stands beside a message. */
export interface Beside {
  /** the broker kept it; in MQTT 3.1.1 known only of what came before we subscribed */
  readonly retain: boolean;
  /** MQTT 5: where the sender waits for an answer, and how he will know it */
  readonly responseTopic?: string;
  readonly correlation?: Uint8Array;
}

export interface BrokerConnection {
  /** what was published retained once is known to the far end for good */
  readonly remembers?: boolean;
  readonly limits: { readonly receiveMaximum: number; readonly packetBytes: number };
  /** resolves with the broker's PUBACK; rejects when it refuses, with its reason code, or when the connection ends */
  publish(topic: string, payload: Uint8Array | string, options?: PublishOptions): Promise<void>;
  subscribe(topics: readonly string[]): Promise<void>;
  onMessage(listener: (topic: string, payload: Uint8Array, beside: Beside) => void): void;
  /** called once */
  onClose(listener: (why: string) => void): void;
  close(): Promise<void>;
}

/** The far end answered and said no to this one message: an MQTT reason code of 128 and more, or what `says` says. */
export class Refused extends Error {
  readonly reason: number;

  constructor(reason: number, says = `reason code 0x${reason.toString(16)}`) {
    super(`refused with ${says}`);
    this.reason = reason;
  }
}

/** Resolves when the broker accepted the connection; rejects with its or the system's reason. */
export async function connectBroker(options: BrokerOptions): Promise<BrokerConnection> {
  const { client, properties, why } = await openClient(options);
  return connection(client, properties, why);
}

export interface OpenClient {
  readonly client: MqttClient;
  /** what the broker said of itself at connect */
  readonly properties: { receiveMaximum?: number; maximumPacketSize?: number };
  /** why the connection ended */
  why(): string;
}

/**
 * An mqtt.js client that is connected, and that does nothing by itself once it is not.
 * @param prepare called before anything was received
 */
export async function openClient(
  options: BrokerOptions,
  prepare: (client: MqttClient) => void = () => {},
): Promise<OpenClient> {
  // The default export, because a bundle has no other of this package.
  const { default: mqtt } = await import('mqtt');
  const { default: packets } = await import('mqtt-packet');
  // It would keep a buffer for every number below 65536: eight megabytes to save microseconds.
  packets.writeToStream.cacheNumbers = false;
  const client = mqtt.connect(clientOptions(options));
  prepare(client);
  let why = 'closed';
  return new Promise((resolve, reject) => {
    let settled = false;
    client.on('error', (error) => {
      why = error.message;
      if (!settled) client.end(true);
    });
    client.once('close', () => {
      if (settled) return;
      settled = true;
      reject(new Error(why));
      client.end(true);
    });
    client.once('connect', (packet) => {
      settled = true;
      // Nagle's wait for an acknowledgement, and the far end's wait before it sends one, make 40 ms of silence between two small bursts.
      (client.stream as Partial<Socket>).setNoDelay?.(true);
      resolve({ client, properties: packet.properties ?? {}, why: () => why });
    });
  });
}

function clientOptions(options: BrokerOptions): IClientOptions {
  const { user, password, ca, cert, key, will } = options;
  const { protocol, hostname, port } = new URL(options.url);
  const secure = protocol === 'mqtts:';
  return {
    protocol: secure ? 'mqtts' : 'mqtt',
    // An IPv6 address stands in brackets in a URL, and without them everywhere else.
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: port === '' ? (secure ? 8883 : 1883) : Number(port),
    protocolVersion: options.protocol === 5 ? 5 : 4,
    clientId: options.clientId,
    clean: options.clean ?? false,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_MS,
    keepalive: 30,
    queueQoSZero: false,
    resubscribe: false,
    ...(options.protocol === 5
      ? {
          properties: {
            sessionExpiryInterval: options.sessionSeconds ?? SESSION_S,
            maximumPacketSize: MAX_INCOMING + 1024,
          },
        }
      : {}),
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(will === undefined
      ? {}
      : {
          will: {
            topic: will.topic,
            payload: Buffer.from(will.payload),
            qos: 1 as const,
            retain: true,
            ...(options.protocol === 5 ? { properties: { willDelayInterval: will.delaySeconds } } : {}),
          },
        }),
  };
}

function connection(
  client: MqttClient,
  broker: { receiveMaximum?: number; maximumPacketSize?: number },
  why: () => string,
): BrokerConnection {
  gather(client.stream);
  const dropAll = new Set<(error: Error) => void>();
  client.once('close', () => {
    client.end(true);
    for (const drop of dropAll) drop(new Error(why()));
  });
  return {
    limits: {
      receiveMaximum: broker.receiveMaximum ?? 65_535,
      packetBytes: broker.maximumPacketSize ?? Number.MAX_SAFE_INTEGER,
    },
    publish: (topic, payload, options = {}) =>
      new Promise((resolve, reject) => {
        if (!client.connected) return reject(new Error(why()));
        dropAll.add(reject);
        const body =
          typeof payload === 'string' ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.length);
        client.publish(topic, body, publishOptions(client, options), (error, packet) => {
          dropAll.delete(reject);
          const reason =
            (packet as { reasonCode?: number } | undefined)?.reasonCode ??
            (error as { code?: number } | null)?.code ??
            0;
          if (typeof reason === 'number' && reason >= 128) reject(new Refused(reason));
          else if (error != null) reject(error);
          else resolve();
        });
      }),
    subscribe: async (topics) => {
      // MQTT 5 tells, when asked, that a message is kept also while it comes.
      const kept = client.options.protocolVersion === 5 ? { rap: true } : {};
      await client.subscribeAsync([...topics], { qos: 1, ...kept });
    },
    onMessage: (listener) =>
      void client.on('message', (topic, payload, { retain, properties }) => {
        if (payload.length > MAX_INCOMING) return;
        const { responseTopic, correlationData } = properties ?? {};
        listener(topic, payload, {
          retain,
          ...(responseTopic === undefined ? {} : { responseTopic }),
          ...(correlationData === undefined ? {} : { correlation: correlationData }),
        });
      }),
    onClose: (listener) => void client.once('close', () => listener(why())),
    close: () =>
      new Promise((resolve) => {
        client.end(false, {}, () => resolve());
      }),
  };
}

function publishOptions(client: MqttClient, options: PublishOptions): IClientPublishOptions {
  const five = client.options.protocolVersion === 5;
  const { contentType, properties, correlation } = options;
  const beside = {
    ...(contentType === undefined ? {} : { contentType }),
    ...(properties === undefined ? {} : { userProperties: properties as Record<string, string> }),
    ...(correlation === undefined ? {} : { correlationData: Buffer.from(correlation) }),
  };
  return {
    qos: 1,
    retain: options.retain === true,
    ...(five && Object.keys(beside).length > 0 ? { properties: beside } : {}),
  };
}
