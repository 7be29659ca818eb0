/** Which device hears a topic, and which of its points. */
import type { DeviceModel } from '../../src/base/model.ts';
import type { MqttDevice, MqttPoint } from './schema.ts';
import { covers, filled, isPattern } from './topics.ts';

export interface Route {
  readonly device: DeviceModel;
  readonly config: MqttDevice;
  /** whether the device is there, and not what it measures */
  readonly isPresence: boolean;
  readonly payload: 'json' | 'text';
  readonly points: readonly (readonly [string, MqttPoint])[];
}

export interface Routes {
  readonly exact: ReadonlyMap<string, readonly Route[]>;
  readonly patterns: readonly (readonly [readonly string[], Route])[];
}

export const wordsOf = (device: MqttDevice): Readonly<Record<string, string>> => ({
  ...device.with,
  ...(device.address === undefined ? {} : { address: device.address }),
});

/** The topic a template of a checked configuration means. */
export function topicOf(template: string, device: MqttDevice): string {
  const made = filled(template, wordsOf(device));
  return 'topic' in made ? made.topic : template;
}

/** A device's routes by their topics. */
export function routesOf(device: DeviceModel): ReadonlyMap<string, readonly Route[]> {
  const config = device.config as MqttDevice;
  const routes = new Map<string, Route[]>();
  const add = (topic: string, route: Route): void => void routes.set(topic, [...(routes.get(topic) ?? []), route]);
  if (config.online !== undefined)
    add(topicOf(config.online, config), { device, config, isPresence: true, payload: 'text', points: [] });
  const grouped = new Map<string, [string, MqttPoint][]>();
  for (const [id, point] of Object.entries(config.points)) {
    const topic = topicOf(point.topic ?? config.topic ?? '', config);
    const key = `${point.payload ?? config.payload} ${topic}`;
    grouped.set(key, [...(grouped.get(key) ?? []), [id, point]]);
  }
  for (const [key, points] of grouped) {
    const payload = key.startsWith('json ') ? 'json' : 'text';
    add(key.slice(payload.length + 1), { device, config, isPresence: false, payload, points });
  }
  return routes;
}

export function allRoutes(devices: readonly DeviceModel[]): Routes {
  const exact = new Map<string, Route[]>();
  const patterns: [readonly string[], Route][] = [];
  for (const device of devices)
    for (const [topic, routes] of routesOf(device)) {
      if (isPattern(topic)) patterns.push(...routes.map((route) => [topic.split('/'), route] as [string[], Route]));
      else exact.set(topic, [...(exact.get(topic) ?? []), ...routes]);
    }
  return { exact, patterns };
}

export function find({ exact, patterns }: Routes, topic: string): readonly Route[] {
  const found = exact.get(topic) ?? [];
  if (patterns.length === 0) return found;
  const levels = topic.split('/');
  return [...found, ...patterns.flatMap(([filter, route]) => (covers(filter, levels) ? [route] : []))];
}
