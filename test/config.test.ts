/**
 * Every folder under fixtures/config/bad is a configuration with errors and the exact lines a technician gets, zh then en. A bug report becomes
 * a folder. `WEINAO_WRITE_EXPECTED=1` writes the lines of new folders; read them before committing them.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { driverFaces } from '../drivers/index.ts';
import { checkConfig } from '../src/app/check.ts';
import type { FileReader } from '../src/base/ports.ts';
import { diffModels, loadConfig, showProblem, siteJsonSchema } from '../src/config/index.ts';
import { rulesJsonSchema } from '../src/rules/index.ts';
import { tempSite } from './kit/site.ts';

const drivers = await driverFaces();
const BAD = join(import.meta.dirname, 'fixtures/config/bad');
const ROOT = join(import.meta.dirname, '..');

describe('a configuration with errors says exactly what is wrong', () => {
  const names = readdirSync(BAD);
  it('has at least 30 of them', () => expect(names.length).toBeGreaterThanOrEqual(30));
  it.each(names)('%s', async (name) => {
    const folder = join(BAD, name);
    const { problems, site } = await checkConfig(folder, {});
    const lines = problems.flatMap((p) => [showProblem(p, 'zh'), showProblem(p, 'en')]);
    const text = `${lines.join('\n')}\n`.replaceAll(folder, '<folder>');
    const expected = join(folder, 'expected.txt');
    if (process.env.WEINAO_WRITE_EXPECTED === '1' && !existsSync(expected)) writeFileSync(expected, text);
    expect(text).toBe(readFileSync(expected, 'utf8'));
    expect(problems.length).toBeGreaterThan(0);
    expect(site).toBeUndefined();
  });
});

const memory = (files: Readonly<Record<string, string>>): FileReader => ({
  list: (folder) =>
    Promise.resolve(
      Object.keys(files)
        .filter((f) => f.startsWith(`${folder}/`) && !f.slice(folder.length + 1).includes('/'))
        .map((f) => f.slice(folder.length + 1)),
    ),
  read: (path, maxBytes) =>
    (files[path]?.length ?? 0) > maxBytes ? Promise.reject(new RangeError('too big')) : Promise.resolve(files[path]),
});
const load = (files: Record<string, string>) =>
  loadConfig('/c', {
    files: memory(files),
    drivers,
    readSecret: () => Promise.resolve({ value: 'x' }),
    shipped: '/shipped',
    profiles: (driver) => `/drivers/${driver}`,
  });

const GOOD = `site: {id: s1, name: 测试}
channels: {l1: {serial: /dev/ttyS9}, l2: {serial: /dev/ttyS8}}
devices:
  a: {driver: modbus, channel: l1, address: 1, type: tank, points: {level: {register: holding 0, as: int16, unit: cm, deadband: 5}, other: {register: holding 1, as: int16}}}
  b: {driver: modbus, channel: l1, address: 2, points: {x: {register: holding 0, as: int16}}}
assets: {flat_1: {type: home, meter: b}}
feeds: {f: {to: "mqtts://h:1", view: everything}}
`;
const TYPES = 'tank: {no_data: orange, points: {level: {unit: m, kind: number}}}\n';

describe('a good configuration', () => {
  it('converts a standard point to the unit of its type, and its deadband with it', async () => {
    const { model, problems } = await load({ '/c/weinao.yaml': GOOD, '/shipped/types.yaml': TYPES });
    expect(problems).toEqual([]);
    const [level, other] = model?.devices.get('a')?.points ?? [];
    expect(level).toMatchObject({ unit: 'm', deadband: 0.05, convert: { scale: 0.01, offset: 0 }, class: 'none' });
    expect(other).toMatchObject({ class: 'personal' });
    expect(model?.devices.get('a')?.noData).toBe('orange');
  });

  it('treats what hangs in a flat as personal', async () => {
    const flat = GOOD.replace('meter: b', 'meter: a');
    const { model } = await load({ '/c/weinao.yaml': flat, '/shipped/types.yaml': TYPES });
    expect(model?.devices.get('a')?.points.map((p) => p.class)).toEqual(['personal', 'personal']);
  });

  it('tells what changed', async () => {
    const before = (await load({ '/c/weinao.yaml': GOOD, '/shipped/types.yaml': TYPES })).model;
    const text = GOOD.replace('address: 2', 'address: 3').replace(
      '  b:',
      '  c: {driver: modbus, channel: l2, address: 1, points: {x: {register: holding 0, as: int16}}}\n  b:',
    );
    const after = (await load({ '/c/weinao.yaml': text, '/shipped/types.yaml': TYPES })).model;
    if (before === undefined || after === undefined) throw new Error('no model');
    expect(diffModels(before, after).devices).toEqual({ added: ['c'], removed: [], changed: ['b'] });
    expect(before.hash).not.toBe(after.hash);
  });

  it('refuses a file over its bound', async () => {
    const { problems } = await load({ '/c/weinao.yaml': `${GOOD}#${'x'.repeat(1024 * 1024)}` });
    expect(problems.map((p) => p.code)).toEqual(['config.too_big']);
  });

  it('ships an example without a problem', async () => {
    const files: Record<string, string> = {
      '/c/weinao.yaml': readFileSync(join(ROOT, 'config/weinao.example.yaml'), 'utf8'),
      '/shipped/types.yaml': readFileSync(join(ROOT, 'config/types.yaml'), 'utf8'),
      '/c/rules/example.yaml': readFileSync(join(ROOT, 'config/rules/example.yaml'), 'utf8'),
      '/drivers/modbus/xy_md02.yaml': readFileSync(join(ROOT, 'drivers/modbus/profiles/xy_md02.yaml'), 'utf8'),
    };
    const { model, problems } = await load(files);
    expect(problems).toEqual([]);
    expect(model?.rules.length).toBe(2);
  });
});

describe('what is worth a word, and no mistake', () => {
  const warned = async (text: string) => {
    const site = tempSite({ 'weinao.yaml': text });
    const { problems, site: checked } = await checkConfig(site.config, {});
    expect(checked).toBeDefined();
    return problems.flatMap((p) => [showProblem(p, 'zh'), showProblem(p, 'en')]);
  };
  const HEAD =
    'site: {id: s1, name: 测试}\ngateway:\npeople:\nassets:\ntimes:\nchannels: {plc: {modbus_tcp: "10.0.0.1:502"}}\n';

  it('is clear text on the way out, where people are told of', async () => {
    const feed = (to: string, view: string, more = '') => `  x: {to: "${to}", view: ${view}${more}}\n`;
    const all = (feeds: string) => warned(`${HEAD}devices:\nfeeds:\n${feeds}`);
    const said = (scheme: string) => [
      `weinao.yaml:9:11 feeds.x.to: ${scheme} 不加密，而 view 给出个人信息，途中任何人都能读到；改用 ${scheme}s，或收窄 view`,
      `weinao.yaml:9:11 feeds.x.to: ${scheme} is clear text, and the view lets personal data out: whoever is on the way reads it; use ${scheme}s, or narrow the view`,
    ];
    expect(await all(feed('mqtt://h:1', 'everything'))).toEqual(said('mqtt'));
    expect(await all(feed('http://h:1', 'everything', ', insecure: true'))).toEqual(said('http'));
    for (const view of [
      '{alarms: {classes: personal}}',
      '{commands: {classes: [personal]}}',
      '{telemetry: {classes: personal}}',
    ])
      expect(await all(feed('mqtt://h:1', `[{config: {}}, ${view}]`))).toEqual(said('mqtt'));
    expect(await all(feed('mqtt://h:1', '[{alarms: {}, config: {}}]'))).toEqual([]);
    for (const to of ['mqtts://h:1', 'https://h', 'mqtt://127.0.0.1:1883', 'mqtt://localhost'])
      expect(await all(feed(to, 'everything'))).toEqual([]);
  });

  it('is a point without class that keeps its device from a view', async () => {
    const device = (id: string, n: number, points: string, more = '') =>
      `  ${id}: {driver: modbus, channel: plc, address: ${n}, type: tank${more}, points: {${points}}}\n`;
    const level = 'level: {register: holding 0, as: uint16, unit: m}';
    const flow = 'flow: {register: holding 1, as: uint16';
    const devices =
      device('tank', 1, `${level}, ${flow}}, speed: {register: holding 2, as: uint16}`) +
      device('classed', 2, `${level}, ${flow}, class: none}`) +
      device('people', 3, `${level}, ${flow}, class: personal}`) +
      device('lonely', 4, `${flow}}`) +
      device('yard', 5, `${level}, ${flow}}`, ', tags: [far]');
    const of = (view: string) =>
      warned(`${HEAD.replace('assets:\n', '')}devices:\n${devices}feeds:\n  x: {to: "mqtts://h:1", view: ${view}}\n`);
    const [zh = '', en = '', ...more] = await of('[{telemetry: {device: [tank, classed, people, lonely]}}]');
    expect(zh).toMatch(
      /^weinao.yaml:7:124 devices.tank.points.flow: tank 的测点 flow speed 没写 class，按个人信息处理，x 因此收不到 tank 的任何遥测；只说明设备的写 class: none/,
    );
    expect(en).toContain(
      'has no class and counts as personal, so x gets no telemetry of tank at all; write class: none',
    );
    expect(more).toEqual([]);
    expect(await of('[{telemetry: {classes: personal}}]')).toEqual([]);
    expect(await of('everything')).toEqual([]);
  });
});

describe('whatever the bytes', () => {
  it('there are problems or a model, never an exception', async () => {
    const yamlish = fc.string({ unit: fc.constantFrom(...'{}[]:,-&*!|>\'"#%@` \n\tabc01~'), maxLength: 200 });
    const mutated = fc
      .tuple(fc.nat(GOOD.length), fc.nat(20), yamlish)
      .map(([at, cut, put]) => GOOD.slice(0, at) + put + GOOD.slice(at + cut));
    await fc.assert(
      fc.asyncProperty(fc.oneof(yamlish, mutated), async (text) => {
        const { model, problems } = await load({ '/c/weinao.yaml': text, '/shipped/types.yaml': TYPES });
        expect(model !== undefined || problems.length > 0).toBe(true);
        for (const p of problems) expect(showProblem(p, 'zh').length).toBeGreaterThan(10);
      }),
      { numRuns: 300 },
    );
  });
});

it('the JSON schemas in config/ are the ones the code makes (node scripts/schemas.ts)', () => {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, 'config', name), 'utf8'));
  expect(read('weinao.schema.json')).toEqual(siteJsonSchema(drivers));
  expect(read('rules.schema.json')).toEqual(rulesJsonSchema());
});
