/**
 * Alink JSON, as Alibaba Cloud IoT and its many look-alikes speak it (help.aliyun.com 89301, 73742): one gateway device with sub-devices, which stand in the
 * platform's topology beforehand.
 *
 * - Telemetry goes by `thing/event/property/pack/post`, at most 20 devices and 200 properties at once; what is late, or was overtaken within its
 *   message, by `thing/event/property/history/post`. `time` is in ms.
 * - An alarm is the event `alarm` (or as `alink.event` names it) with `rule instance aid rev level state text`, all text but `rev`; of its device, or of the gateway when
 *   it has none there. However late, it goes as an event.
 * - Float and double carry a decimal point; bool is 0 or 1.
 * - `id` is made of stream, epoch and sequence: the same at each re-send, one of 2^32. The journal's position would tell how much the view withholds.
 * - With `ack: app` (the default) a packet is delivered when its `*_reply` says 200. 429, 5xx and 100000 ask for patience; every other code refuses.
 * - A device without product key in `things` is not told. `thing/service/property/set` writes what
 *   the feed's `commands` grant, answered when it is done; every other service is refused.
 */
import { createHmac } from 'node:crypto';
import type { OutMessage } from '../../base/feed.ts';
import type { AlinkOptions } from '../../base/model.ts';
import type { Codec, CodecContext, Heard, Packet, PlatformCommand } from '../codec.ts';
import {
  type AlarmNews,
  asksOf,
  isObject,
  MemberReader,
  parseObject,
  pieces,
  type Sample,
  type ThingName,
  type Tree,
  thingNames,
  toJson,
  typed,
} from './thing.ts';

const DEVICES = 20;
const PROPERTIES = 200;
const PACKETS_OF_ONE = 128;
const IDS = 2 ** 32;
const PACK = 'thing/event/property/pack/post';
const HISTORY = 'thing/event/property/history/post';
const SET = 'thing/service/property/set';

interface Property {
  readonly product: string;
  readonly name: string;
  readonly point: string;
  readonly value: { readonly value: Tree; readonly time: number | undefined };
}

export function createAlink(context: CodecContext): Codec {
  const { feed, catalog, onUntold } = context;
  const { product, device, version, event } = feed.alink ?? { product: '', device: '', version: '1.0', event: 'alarm' };
  const base = `/sys/${product}/${device}`;
  const names = thingNames(context);
  const reader = new MemberReader(onUntold);

  const packet = (member: OutMessage, part: number, topic: string, params: Tree): Packet => {
    const epoch = Number.parseInt(member.epoch.slice(0, 8), 16);
    const own = 2 * member.seq + (member.stream === 'a' ? 0 : 1);
    const id = String((epoch + own * PACKETS_OF_ONE + part) % IDS);
    const ack = feed.ack === 'app' ? 1 : 0;
    const payload = toJson({ id, version, sys: { ack }, params, method: topic.replaceAll('/', '.') });
    return { topic: `${base}/${topic}`, payload, ...(ack === 1 ? { reply: id } : {}) };
  };

  const property = (sample: Sample): Property[] => {
    const { product: key, name, point } = names(sample.device);
    const named = point(sample.point);
    if (key !== undefined && named !== undefined) {
      const value = { value: typed(sample.value, named.as, false), time: sample.time };
      return [{ product: key, name, point: named.name, value }];
    }
    onUntold('unnamed');
    return [];
  };

  const telemetry = (member: OutMessage, samples: readonly Sample[]): Packet[] => {
    const newest = new Map(samples.filter((s) => !s.isLate).map((s) => [`${s.device}.${s.point}`, s]));
    const isLive = (s: Sample): boolean => newest.get(`${s.device}.${s.point}`) === s;
    const history = pieces(samples.filter((s) => !isLive(s)).flatMap(property), withinLimits);
    const live = pieces(samples.filter(isLive).flatMap(property), withinLimits);
    return [
      ...history.map((some, i) => packet(member, i, HISTORY, historyOf(some))),
      ...live.map((some, i) => packet(member, history.length + i, PACK, packOf(some))),
    ];
  };

  const alarm = (member: OutMessage, news: AlarmNews): Packet[] => {
    const { device: of, time, ...value } = news;
    const thing = of === undefined ? undefined : names(of);
    const told = { value: { ...value }, time };
    if (thing?.product === undefined) return [packet(member, 0, `thing/event/${event}/post`, told)];
    const identity = { productKey: thing.product, deviceName: thing.name };
    return [
      packet(member, 0, PACK, {
        properties: {},
        events: {},
        subDevices: [{ identity, properties: {}, events: { [event]: told } }],
      }),
    ];
  };

  return {
    isWhole: false,
    topics: [
      ...[PACK, HISTORY, `thing/event/${event}/post`].map((topic) => `${base}/${topic}_reply`),
      `${base}/thing/service/+`,
      ...[...catalog().keys()].flatMap((id) => {
        const { product: key, name } = names(id);
        return key === undefined ? [] : [`/sys/${key}/${name}/thing/service/property/set`];
      }),
      `${base}/thing/service/property/set`,
    ],
    greeting: () => [],
    packets: (member, now) => {
      const content = reader.read(member, now);
      if (content.kind === 'samples') return telemetry(member, content.samples);
      return content.kind === 'alarm' ? alarm(member, content.alarm) : [];
    },
    hears: (topic, payload) => {
      if (topic.endsWith('post_reply')) return replyOf(payload);
      // What we answer ourselves comes back from a broker that knows no better.
      if (!topic.includes('/thing/service/') || topic.endsWith('_reply')) return undefined;
      return { kind: 'command', read: () => commandOf(topic, payload, context) };
    },
  };
}

const keyOf = ({ product, name }: Property): string => `${product}\n${name}`;

function withinLimits(): (one: Property) => boolean {
  const devices = new Set<string>();
  let properties = 0;
  return (one) => {
    devices.add(keyOf(one));
    return ++properties <= PROPERTIES && devices.size <= DEVICES;
  };
}

function byDevice(some: readonly Property[]): { identity: Tree; of: Property[] }[] {
  const groups = Map.groupBy(some, keyOf);
  return [...groups.values()].map((of) => ({
    identity: { productKey: of[0]?.product, deviceName: of[0]?.name },
    of,
  }));
}

function packOf(some: readonly Property[]): Tree {
  const subDevices = byDevice(some).map(({ identity, of }) => ({
    identity,
    properties: Object.fromEntries(of.map((p) => [p.point, p.value])),
    events: {},
  }));
  return { properties: {}, events: {}, subDevices };
}

function historyOf(some: readonly Property[]): Tree {
  return byDevice(some).map(({ identity, of }) => ({
    identity,
    properties: of.map((p) => ({ [p.point]: p.value })),
    events: [],
  }));
}

function replyOf(payload: Uint8Array): Heard {
  const { id, code, message } = parseObject(payload) ?? {};
  if ((typeof id !== 'string' && typeof id !== 'number') || typeof code !== 'number') return { kind: 'bad' };
  const later = code === 429 || (code >= 500 && code <= 599) || code === 100_000;
  const outcome = code === 200 ? 'taken' : later ? 'later' : 'refused';
  const says = typeof message === 'string' ? `code ${code}: ${message.slice(0, 200)}` : `code ${code}`;
  return { kind: 'reply', id: String(id), outcome, says };
}

const CODES: Readonly<Record<string, number>> = { done: 200, denied: 403, expired: 408 };

/** `property/set`: a write for each property named. Other services are not known here. */
function commandOf(topic: string, payload: Uint8Array, context: CodecContext): PlatformCommand | undefined {
  const { id, params } = parseObject(payload) ?? {};
  if ((typeof id !== 'string' && typeof id !== 'number') || String(id).length > 32) return undefined;
  const [, , product, name, ...service] = topic.split('/');
  const isMeant = (thing: ThingName): boolean => thing.product === product && thing.name === name;
  const given = service.join('/') === SET && isObject(params) ? Object.entries(params) : [];
  return {
    id: String(id),
    asks: asksOf(context, isMeant, given),
    answer: (outcome, reason) => {
      const message = outcome === 'done' ? 'success' : reason === '' ? outcome : reason;
      const body = { id: String(id), code: CODES[outcome] ?? 500, message, data: {} };
      return { topic: `${topic}_reply`, payload: JSON.stringify(body) };
    },
  };
}

export interface SignIn {
  readonly clientId: string;
  readonly user: string;
  readonly password: string;
}

/** The names and the signature a device of Alibaba's platform signs in with: HMAC-SHA256 over its own names, keyed by the device's secret. */
export function alinkSignIn({ product, device }: AlinkOptions, secret: string, isTls: boolean): SignIn {
  const client = `${product}.${device}`;
  return {
    clientId: `${client}|securemode=${isTls ? 2 : 3},signmethod=hmacsha256|`,
    user: `${device}&${product}`,
    password: createHmac('sha256', secret)
      .update(alinkSigned(client, product, device))
      .digest('hex'),
  };
}

export function alinkSigned(client: string, product: string, device: string): string {
  return `clientId${client}deviceName${device}productKey${product}`;
}
