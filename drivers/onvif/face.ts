/** A camera as the configuration sees it. */
import type { DriverFace, PointDefaults } from '../../src/base/driver.ts';
import type { PointModel } from '../../src/base/model.ts';
import type { Problem } from '../../src/base/problem.ts';
import { pointModel } from '../../src/kit/points.ts';
import { pointsOf } from './points.ts';
import { type CameraDevice, type CameraPoint, deviceSchema, SKEW } from './schema.ts';
import { KINDS, type Kind, type KindName, TopicTable } from './topics.ts';

const HEALTH_EVERY = 30_000;
const TABLE = new TopicTable();

/** Undefined for a point that names a topic. */
const kindOf = ({ event }: CameraPoint): Kind | undefined =>
  event === undefined || event === SKEW ? undefined : KINDS[event as KindName];

function modelOf(id: string, point: CameraPoint, defaults: PointDefaults): PointModel {
  const kind = kindOf(point);
  const { event, unit = event === SKEW ? 's' : kind?.unit, name = kind?.says.zh, ...common } = point;
  const valueKind = event === SKEW || kind?.isNumber === true ? 'number' : kind === undefined ? point.as : 'bool';
  return pointModel(id, valueKind, { ...common, event: undefined, name, unit }, defaults);
}

function problemOf(id: string, point: CameraPoint, items: readonly string[]): Problem[] {
  const path = ['points', id];
  const problem = (code: Problem['code'], params: Problem['params'] = {}): Problem[] => [
    { code, params, path, severity: 'error' },
  ];
  if ((point.event === undefined) === (point.topic === undefined)) return problem('config.event_or_topic');
  if (point.topic !== undefined && point.item === undefined) return problem('config.item_missing');
  const { item } = point;
  if (item !== undefined && TABLE.isPersonal(point.topic ?? '', item) && !items.includes(item))
    return problem('config.personal_item', { item });
  return [];
}

export const face: DriverFace = {
  name: 'onvif',
  carries: [],
  trial: { host: '192.0.2.1' },
  pollMs: HEALTH_EVERY,
  schema: deviceSchema,
  station: () => undefined,
  points: (config, defaults) =>
    Object.entries(pointsOf(config as CameraDevice)).map(([id, point]) => modelOf(id, point, defaults)),
  problems: (config) => {
    const { points, items, user, password } = config as CameraDevice;
    const half: Problem[] =
      (user === undefined) === (password === undefined)
        ? []
        : [
            {
              code: 'config.user_and_password',
              params: {},
              path: [user === undefined ? 'password' : 'user'],
              severity: 'error',
            },
          ];
    return [...half, ...Object.entries(points ?? {}).flatMap(([id, point]) => problemOf(id, point, items))];
  },
  secrets: (config) => {
    const { password } = config as CameraDevice;
    return password === undefined ? {} : { password };
  },
};
