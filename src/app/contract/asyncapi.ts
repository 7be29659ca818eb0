/**
 * The feed as an AsyncAPI 3 document (asyncapi.com/docs/reference/specification/v3.0.0), seen from the gateway: it sends on `up/…` and receives on
 * `dn/…`. Topics are those of feed.md section 3. Over HTTP there is one address and no way down.
 */
import type { JsonObject } from '../../base/json.ts';
import { streamOfKind, typeOf } from './schemas.ts';
import type { Told } from './told.ts';

interface Topic {
  readonly name: string;
  readonly topic: string;
  readonly action: readonly ('send' | 'receive')[];
  readonly retained: boolean;
  readonly summary: string;
  readonly messages: JsonObject;
}

const object = { payload: { type: 'object' }, contentType: 'application/json' };

export function topicsOf(told: Told, site: string): readonly Topic[] {
  const base = `wn/1/${told.feed}/${site}`;
  const stream = (of: 'a' | 't'): JsonObject =>
    Object.fromEntries(
      told.kinds
        .filter((kind) => streamOfKind(kind).includes(of))
        .map((kind) => [kind.replace('.', '_'), { $ref: `#/components/messages/${kind.replace('.', '_')}` }]),
    );
  const own = (name: string): JsonObject => ({ [name]: { $ref: `#/components/messages/${name}` } });
  const up = (name: string, path: string, retained: boolean, summary: string, messages: JsonObject): Topic => ({
    name,
    topic: `${base}/up/${path}`,
    action: name.startsWith('proof') ? ['send', 'receive'] : ['send'],
    retained,
    summary,
    messages,
  });
  const down = (name: string, summary: string): Topic => ({
    name,
    topic: `${base}/dn/${name}`,
    action: ['receive'],
    retained: false,
    summary,
    messages: own(name),
  });
  return [
    up('a', 'a', false, 'stream a, in order: what people act on', stream('a')),
    up('t', 't', false, 'stream t, in order: telemetry, statistics, devices', stream('t')),
    up('proof_a', 'proof/a', true, 'signed head of stream a; read back at each connect', own('proof')),
    up('proof_t', 'proof/t', true, 'signed head of stream t; read back at each connect', own('proof')),
    up(
      'state',
      'state',
      true,
      'online or offline; also the will. Under a narrowed view `backlog` counts members that are made, not rows that wait',
      own('state'),
    ),
    up('hello', 'hello', true, 'manifest: streams, view, key', own('hello')),
    ...(told.devices.length === 0
      ? []
      : [up('dev', 'dev/{device}', true, 'the entitled part of a device model', own('dev'))]),
    down('ack', 'cumulative acknowledgement by the platform'),
    down('replay', 'asks for members once more: same bytes, same ids'),
    down('cmd', 'commands; what is not allowed is refused'),
  ];
}

export function asyncApi(told: Told, site: string, view: string): JsonObject {
  const { model } = told;
  const url = new URL(model.to);
  const isPosted = url.protocol.startsWith('http');
  const protocol = url.protocol.slice(0, -1);
  const version = isPosted ? {} : { protocolVersion: model.mqtt === 5 ? '5' : '3.1.1' };
  const topics = topicsOf(told, site);
  const taker = model.ack === 'app' ? 'platform' : isPosted ? 'answer' : 'broker';
  return {
    asyncapi: '3.0.0',
    id: `${told.source}:${told.feed}`,
    info: {
      title: `weinao feed ${told.feed}`,
      version: view,
      description: `Members are CloudEvents 1.0 in JSON, chained by hash; encoding ${model.encoding}, acknowledged by the ${taker}.`,
    },
    defaultContentType: 'application/cloudevents+json',
    servers: { [isPosted ? 'platform' : 'broker']: { host: url.host, protocol, ...version } },
    ...(isPosted ? posted(told, `${url.pathname}${url.search}`) : published(topics, told)),
    components: { messages: { ...memberMessages(told), ...(isPosted ? POSTED : OWN_MESSAGES) } },
  };
}

function published(topics: readonly Topic[], told: Told): JsonObject {
  return {
    channels: Object.fromEntries(topics.map((t) => [t.name, channelOf(t, told)])),
    operations: Object.fromEntries(
      topics.flatMap((t) => t.action.map((action) => [`${action}_${t.name}`, operationOf(t, action)])),
    ),
  };
}

/** Members of both streams, and beside them what a broker would retain, as events without a sequence. */
function posted({ kinds, model }: Told, address: string): JsonObject {
  const names = [...kinds.map((kind) => kind.replace('.', '_')), ...Object.keys(POSTED)];
  const messages = Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }]));
  const batch = model.batch === undefined || model.batch === 1 ? '' : `; up to ${model.batch} members in a POST`;
  const bindings = { http: { method: 'POST' } };
  return {
    channels: { events: { address, summary: `streams a and t, each in order${batch}`, messages } },
    operations: { send_events: { action: 'send', channel: { $ref: '#/channels/events' }, bindings } },
  };
}

function channelOf({ topic, summary, messages, name }: Topic, told: Told): JsonObject {
  const parameters = name === 'dev' ? { parameters: { device: { enum: [...told.devices] } } } : {};
  return { address: topic, summary, ...parameters, messages };
}

function operationOf({ name, retained }: Topic, action: string): JsonObject {
  return {
    action,
    channel: { $ref: `#/channels/${name}` },
    bindings: { mqtt: { qos: 1, ...(action === 'send' ? { retain: retained } : {}) } },
  };
}

function memberMessages(told: Told): JsonObject {
  const messages = told.kinds.map((kind) => [
    kind.replace('.', '_'),
    { name: typeOf(kind), contentType: 'application/cloudevents+json', payload: { $ref: `./schemas/${kind}.json` } },
  ]);
  return Object.fromEntries(messages) as JsonObject;
}

const closed = (properties: JsonObject): JsonObject => ({
  contentType: 'application/json',
  payload: { type: 'object', properties, required: Object.keys(properties) },
});
const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };

const OWN_MESSAGES: JsonObject = {
  proof: closed({ stream: text, seq: count, hash: text, alg: { const: 'Ed25519' }, kid: text, sig: text }),
  state: closed({ online: { type: 'boolean' }, session: text }),
  hello: closed({ schema: count, source: text, view: text, kid: text, key: text, streams: { type: 'array' } }),
  dev: closed({ device: text, points: { type: 'object' } }),
  ack: closed({ stream: text, seq: count }),
  replay: closed({ stream: text, from: count, to: count }),
  cmd: object,
};

const POSTED: JsonObject = Object.fromEntries(
  ['hello', 'state', 'proof', 'device'].map((name) => [
    `feed_${name}`,
    { name: typeOf(`feed.${name}`), contentType: 'application/cloudevents+json', payload: { type: 'object' } },
  ]),
);
