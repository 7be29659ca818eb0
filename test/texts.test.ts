/**
 * Where text comes into the gateway: every place of the configuration, every driver, every thing people and platforms may ask, every type of event.
 * Each is decided here or in fixtures/texts.txt. Something new fails until it is, and where people write as they like it needs its canary
 * (kit/canary.ts), so that test/flow/canary.test.ts sees whether it leaves.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { driverFaces } from '../drivers/index.ts';
import { VERBS } from '../src/base/command.ts';
import { EVENT_KINDS } from '../src/base/event.ts';
import { OPERATIONS } from '../src/base/rules.ts';
import { siteJsonSchema } from '../src/config/index.ts';
import { rulesJsonSchema } from '../src/rules/index.ts';
import { CANARIES, OUTSIDE, OUTSIDE_RULES, RULES, SITE, TOLD } from './kit/canary.ts';

interface Node {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: unknown;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly allOf?: readonly Node[];
}

const DEEP = 16;

/** Paths at which a text may stand that is none of a few words; `*` for any key, `[]` for any item. */
function textsIn(root: Node, begin: string): string[] {
  const found = new Set<string>();
  const walk = (node: Node, path: string, depth: number): void => {
    if (depth > DEEP) throw new Error(`deeper than ${DEEP}: ${path}`);
    const { $ref, type, properties = {}, additionalProperties: more, items } = node;
    if ($ref !== undefined) return walk(targetOf(root, $ref), path, depth + 1);
    for (const one of [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])]) walk(one, path, depth + 1);
    const isFew = node.enum !== undefined || node.const !== undefined;
    const isAnything = Object.keys(node).every((key) => ['description', 'default'].includes(key));
    if (isAnything || ([type].flat().includes('string') && !isFew)) found.add(path);
    for (const [key, one] of Object.entries(properties)) walk(one, `${path}.${key}`, depth + 1);
    if (typeof more === 'object') walk(more, `${path}.*`, depth + 1);
    if (items !== undefined) walk(items, `${path}[]`, depth + 1);
  };
  walk(root, begin, 0);
  return [...found].sort();
}

const targetOf = (root: Node, ref: string): Node =>
  ref
    .slice(2)
    .split('/')
    .reduce((at, key) => (at as Readonly<Record<string, unknown>>)[key] as Node, root);

/** Every text of a document by the paths above: also by `*` for each key on the way. */
function standing(value: unknown, path: string, out: Map<string, string[]>): void {
  if (typeof value === 'string') out.set(path, [...(out.get(path) ?? []), value]);
  if (Array.isArray(value)) for (const one of value) standing(one, `${path}[]`, out);
  else if (typeof value === 'object' && value !== null)
    for (const [key, one] of Object.entries(value))
      for (const step of [key, '*']) standing(one, `${path}.${step}`, out);
}

/**
 * `planted`: people write as they like, and it may come before a platform: it has its canary. `own`: meant for its own platform as it stands.
 * `local`: never leaves the box but to those it is for. `word`: an id, a reference, an address, a duration, an expression.
 */
const DECIDED = new Map(
  readFileSync(join(import.meta.dirname, 'fixtures/texts.txt'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]),
);

it('every text of the configuration is decided', async () => {
  const drivers = await driverFaces();
  const found = [...textsIn(siteJsonSchema(drivers) as Node, 'weinao'), ...textsIn(rulesJsonSchema() as Node, 'rules')];
  expect(found.length).toBeGreaterThan(300);
  expect(found.filter((path) => !DECIDED.has(path))).toEqual([]);
  expect([...DECIDED.keys()].filter((path) => !found.includes(path))).toEqual([]);
  const known = ['planted', 'own', 'local', 'word'];
  expect([...new Set(DECIDED.values())].filter((what) => !known.includes(what))).toEqual([]);
});

it('where people write as they like there is a canary', () => {
  const texts = new Map<string, string[]>();
  for (const site of [SITE, OUTSIDE]) standing(parse(site), 'weinao', texts);
  for (const rules of [RULES, OUTSIDE_RULES])
    for (const document of parseAllDocuments(rules)) standing(document.toJS(), 'rules', texts);
  const has = (path: string): boolean =>
    (texts.get(path) ?? []).some((text) => Object.values(CANARIES).some((canary) => text.includes(canary)));
  const planted = [...DECIDED].filter(([, what]) => what === 'planted').map(([path]) => path);
  expect(planted.length).toBeGreaterThan(12);
  expect(planted.filter((path) => !has(path))).toEqual([]);
});

/** How the texts of each driver's devices come before the canary test. */
const DRIVERS: Readonly<Record<string, string>> = {
  modbus: 'text registers, with and without class',
  mqtt: 'messages of every form, with and without class',
  http: 'events and forms of every form, with and without class',
  onvif: 'topics, sources and data, with and without class',
  // A text of these is a point's value, as a text register is, and of the point's class.
  serial: 'value',
  dlt645: 'value',
  cjt188: 'value',
  mbus: 'value',
  // Numbers and states only.
  gb26875: 'none',
};

it('every driver is decided', async () => {
  const faces = await driverFaces();
  expect(faces.map((face) => face.name).sort()).toEqual(Object.keys(DRIVERS).sort());
});

/** What nothing in the canaries' estate is, and why that is enough. */
const UNTOLD: Readonly<Partial<Record<(typeof EVENT_KINDS)[number], string>>> = {
  'alarm.updated': 'holds what raised does',
  'alarm.cleared': 'holds what raised does',
  'alarm.closed': 'holds what raised does',
  'device.online': 'holds what offline does',
  'device.changed': 'is not made',
  'stat.computed': 'numbers, and ids: flow/stats.test.ts, engine/stats',
  'audit.disclosed': 'to feeds that see everything',
  'audit.erased': 'to feeds that see everything',
  'feed.key': 'keys',
  'feed.anchor': 'hashes',
  'clock.synced': 'numbers',
};

it('every type of event is decided', () => {
  expect([...TOLD, ...Object.keys(UNTOLD)].sort()).toEqual([...EVENT_KINDS].sort());
});

it('everything that can be asked is decided', () => {
  // flow/canary.test.ts asks the first, flow/leaks.test.ts the second; what is left out has no text but an alarm's id and a name, as ack has.
  const people = ['ack', 'form', 'maintain', 'maintained', 'shelve', 'unshelve'];
  expect([...people, 'reset', 'confirm'].sort()).toEqual([...OPERATIONS].sort());
  const platforms = ['ack', 'form', 'maint', 'snapshot', 'write'];
  expect([...platforms, 'shelve', 'unshelve'].sort()).toEqual([...VERBS].sort());
});
