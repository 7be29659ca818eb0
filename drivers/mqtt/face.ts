/** A device behind a broker as the configuration sees it. */
import type { DriverFace, PointDefaults } from '../../src/base/driver.ts';
import type { PointModel } from '../../src/base/model.ts';
import type { Problem } from '../../src/base/problem.ts';
import { pickedModel, pickedProblems } from '../../src/kit/picked.ts';
import { wordsOf } from './routes.ts';
import { deviceSchema, type MqttDevice } from './schema.ts';
import { filled, isFilter, isTopic } from './topics.ts';

export const face: DriverFace = {
  name: 'mqtt',
  carries: ['mqtt'],
  schema: deviceSchema,
  // Several devices may be told of in one topic.
  station: () => undefined,
  points: (config, defaults: PointDefaults): readonly PointModel[] =>
    Object.entries((config as MqttDevice).points).map(([id, point]) => pickedModel(id, point, defaults)),
  problems: (config) => problems(config as MqttDevice),
  trial: { address: 'x' },
};

function problems(device: MqttDevice): Problem[] {
  const found: Problem[] = [];
  const words = wordsOf(device);
  const report = (code: Problem['code'], path: Problem['path'], params: Problem['params'] = {}): void => {
    found.push({ code, params, path, severity: 'error' });
  };
  const check = (template: string | undefined, path: Problem['path'], is: (topic: string) => boolean): void => {
    if (template === undefined) return;
    const made = filled(template, words);
    if ('missing' in made) report('config.no_placeholder', path, { name: `{${made.missing}}` });
    else if (!is(made.topic)) report('config.bad_topic', path, { given: made.topic });
  };
  check(device.topic, ['topic'], isFilter);
  check(device.online, ['online'], isTopic);
  for (const [id, point] of Object.entries(device.points)) {
    const path = ['points', id];
    if (point.topic === undefined && device.topic === undefined) report('config.no_topic', path);
    check(point.topic, [...path, 'topic'], isFilter);
    check(point.write?.topic, [...path, 'write', 'topic'], isTopic);
    found.push(...pickedProblems(id, point));
  }
  return found;
}
