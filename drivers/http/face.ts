/** A system that sends requests, as the configuration sees it. */
import type { DriverFace, PointDefaults } from '../../src/base/driver.ts';
import type { PointModel } from '../../src/base/model.ts';
import type { Problem } from '../../src/base/problem.ts';
import { pickedModel, pickedProblems } from '../../src/kit/picked.ts';
import { deviceSchema, type HttpDevice } from './schema.ts';

export const face: DriverFace = {
  name: 'http',
  carries: ['http'],
  schema: deviceSchema,
  station: () => undefined,
  points: (config, defaults: PointDefaults): readonly PointModel[] =>
    Object.entries((config as HttpDevice).points).map(([id, point]) => pickedModel(id, point, defaults)),
  problems: (config): readonly Problem[] => {
    const { points, forms } = config as HttpDevice;
    const found = Object.entries(points).flatMap(([id, point]) => pickedProblems(id, point));
    if (Object.keys(points).length > 0 || forms.length > 0) return found;
    return [{ code: 'config.nothing_taken', params: {}, path: [], severity: 'error', atKey: true }];
  },
  secrets: (config) => ({ token: (config as HttpDevice).token }),
  trial: { token: { env: 'TRIAL' } },
};
