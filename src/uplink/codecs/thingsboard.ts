/**
 * ThingsBoard's gateway API (thingsboard.io/docs/reference/gateway-mqtt-api). The access token is the user name (`token:` of the feed). A device's name is its
 * identity for the whole tenant: it is led by the site's id unless `things` names it.
 *
 * - Telemetry: `v1/gateway/telemetry`, `ts` in ms, late or not: the platform sorts by it. Numbers carry a decimal point, so that a key is always a double.
 * - Each connect announces the devices on `v1/gateway/connect`; one that goes offline is taken back with `v1/gateway/disconnect`.
 * - An alarm is the attribute `alarm_<rule>` of its device (its level while active, else `none`) and telemetry of the same name with
 *   `aid rev level state text`; `alarm_<rule>_<instance>` where that is not its device; of the gateway itself when it has no device. The platform's own rules make its alarms of them.
 * - A packet is delivered with its PUBACK. RPC `write` with `{point: value}` writes what the feed's
 *   `commands` grant, answered when it is done; every other method is refused.
 */
import type { Codec, CodecContext, Packet, PlatformCommand } from '../codec.ts';
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

/** the platform's own limit of a message is 64 KB */
const BYTES = 48 * 1024;
const RPC = 'v1/gateway/rpc';

interface Told {
  readonly device: string;
  readonly time: number | undefined;
  readonly values: Readonly<Record<string, Tree>>;
  readonly size: number;
}

export function createThingsBoard(context: CodecContext): Codec {
  const { catalog, onUntold } = context;
  const names = thingNames(context);
  const reader = new MemberReader(onUntold);
  const offline = new Set<string>();

  const connect = ({ name, type }: ThingName): Packet => ({
    topic: 'v1/gateway/connect',
    payload: toJson({ device: name, type }),
  });

  const told = (sample: Sample): Told[] => {
    const { name, point } = names(sample.device);
    const named = point(sample.point);
    if (named === undefined) {
      onUntold('unnamed');
      return [];
    }
    const value = typed(sample.value, named.as, true);
    const size = name.length + named.name.length + value.text.length + 64;
    return [{ device: name, time: sample.time, values: { [named.name]: value }, size }];
  };

  const telemetry = (some: readonly Told[]): Packet[] =>
    pieces(some, withinLimits).map((piece) => ({
      topic: 'v1/gateway/telemetry',
      payload: toJson(
        Object.fromEntries([...Map.groupBy(piece, (t) => t.device)].map(([name, of]) => [name, of.map(timed)])),
      ),
    }));

  const alarm = ({ device, rule, instance, time, ...news }: AlarmNews): Packet[] => {
    const isThere = device !== undefined && catalog().has(device);
    const key = isThere && instance === device ? `alarm_${rule}` : `alarm_${rule}_${instance}`;
    const attribute = { [key]: news.state === 'active' ? news.level : 'none' };
    const values = { [key]: { ...news } };
    if (!isThere)
      return [
        { topic: 'v1/devices/me/attributes', payload: toJson(attribute) },
        { topic: 'v1/devices/me/telemetry', payload: toJson(timed({ time, values })) },
      ];
    const { name } = names(device);
    return [
      { topic: 'v1/gateway/attributes', payload: toJson({ [name]: attribute }) },
      { topic: 'v1/gateway/telemetry', payload: toJson({ [name]: [timed({ time, values })] }) },
    ];
  };

  const presence = (device: string, online: boolean): Packet => {
    if (online) offline.delete(device);
    else offline.add(device);
    const name = names(device);
    return online ? connect(name) : { topic: 'v1/gateway/disconnect', payload: toJson({ device: name.name }) };
  };

  return {
    isWhole: false,
    topics: [RPC],
    greeting: () => [...catalog().keys()].filter((id) => !offline.has(id)).map((id) => connect(names(id))),
    packets: (member, now) => {
      const content = reader.read(member, now);
      if (content.kind === 'samples') return telemetry(content.samples.flatMap(told));
      if (content.kind === 'alarm') return alarm(content.alarm);
      return content.kind === 'presence' ? [presence(content.device, content.online)] : [];
    },
    hears: (topic, payload) =>
      topic === RPC ? { kind: 'command', read: () => commandOf(payload, context) } : undefined,
  };
}

function withinLimits(): (one: Told) => boolean {
  let bytes = 0;
  return (one) => {
    bytes += one.size;
    return bytes <= BYTES;
  };
}

/** Without a time the platform's own is taken. */
function timed({ time, values }: Pick<Told, 'time' | 'values'>): Tree {
  return time === undefined ? values : { ts: time, values };
}

/** `{"device", "data": {"id", "method": "write", "params": {point: value}}}`: a write for each point named. Other methods are not known here. */
function commandOf(payload: Uint8Array, context: CodecContext): PlatformCommand | 'nothing' | undefined {
  const { device, data } = parseObject(payload) ?? {};
  if (typeof device !== 'string' || device.length > 128 || !isObject(data)) return undefined;
  const { id, method, params } = data;
  // Our own answer comes back on the same topic from a broker that knows no better: it asks for nothing.
  if (method === undefined) return 'nothing';
  if ((typeof id !== 'number' && typeof id !== 'string') || String(id).length > 32) return undefined;
  const given = method === 'write' && isObject(params) ? Object.entries(params) : [];
  const isMeant = (thing: ThingName): boolean => thing.name === device;
  return {
    id: String(id),
    asks: asksOf(context, isMeant, given),
    answer: (outcome, reason) => {
      const told = outcome === 'done' ? { success: true } : { error: reason === '' ? outcome : reason };
      return { topic: RPC, payload: JSON.stringify({ device, id, data: told }) };
    },
  };
}
