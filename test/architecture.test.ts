/**
 * The floors of the house. Imports are read from the syntax tree, so a comment or a string cannot fool this test.
 * Where code proves a floor wrong, change FLOORS here together with the picture in README.md, with the reason; don't work around it.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type ParserOptions, parse } from '@babel/parser';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** Which folders of the house a folder may import, besides itself. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  'src/base': [],
  'src/io': ['src/base'],
  'src/link': ['src/base', 'src/io'],
  'src/kit': ['src/base', 'src/io', 'src/link'],
  drivers: ['src/base', 'src/kit'],
  'src/config': ['src/base', 'src/io', 'src/link', 'src/kit'],
  'src/journal': ['src/base', 'src/io', 'src/link', 'src/kit'],
  'src/rules': ['src/base'],
  'src/engine': ['src/base', 'src/io', 'src/link', 'src/kit'],
  'src/uplink': ['src/base', 'src/io', 'src/link', 'src/kit'],
  'src/app': [
    'src/base',
    'src/io',
    'src/link',
    'src/kit',
    'src/config',
    'src/journal',
    'src/rules',
    'src/engine',
    'src/uplink',
    'drivers',
  ],
  'src/cli': ['src/base', 'src/config', 'src/app'],
  'src/main.ts': ['src/base', 'src/config', 'src/app', 'src/cli'],
};

/** Packages and node modules that touch the world; only src/io names them. */
const WORLD = new Set([
  'fs',
  'fs/promises',
  'net',
  'tls',
  'http',
  'https',
  'dgram',
  'dns',
  'child_process',
  'worker_threads',
  'os',
  'process',
  'timers',
  'timers/promises',
  'perf_hooks',
  'serialport',
  'mqtt',
  'mqtt-packet',
  'better-sqlite3',
  'pino',
  'aedes',
]);
/** Packages a folder may name besides node's pure modules. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'src/base': ['zod'],
  'src/kit': ['zod', 'yaml', 'sax'],
  'src/config': ['zod', 'yaml'],
  'src/rules': ['@marcbachmann/cel-js', 'suncalc'],
  'src/cli': ['commander', 'string-width'],
  'src/main.ts': [],
};
const PURE_NODE = new Set([
  'crypto',
  'zlib',
  'path',
  'util',
  'buffer',
  'url',
  'events',
  'stream',
  'string_decoder',
  'assert',
]);

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}
interface Call {
  readonly file: string;
  readonly what: string;
}

type Node = { readonly type: string; readonly [key: string]: unknown };
const isNode = (x: unknown): x is Node => typeof x === 'object' && x !== null && typeof (x as Node).type === 'string';

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) for (const child of value) isNode(child) && walk(child, visit);
    else if (isNode(value)) walk(value, visit);
  }
}

const name = (x: unknown): string => (isNode(x) && x.type === 'Identifier' ? String(x.name) : '');

/** `Date.now()`, `new Date()` without arguments, timers, performance.now, Math.random: the world through a global. */
function worldly(node: Node): string | undefined {
  const args = (node.arguments as unknown[] | undefined)?.length ?? 0;
  if (node.type === 'NewExpression' && name(node.callee) === 'Date' && args === 0) return 'new Date()';
  if (node.type === 'Identifier' && ['setTimeout', 'setInterval', 'setImmediate', 'fetch'].includes(String(node.name)))
    return String(node.name);
  if (node.type !== 'MemberExpression') return undefined;
  const member = `${name(node.object)}.${name(node.property)}`;
  return ['Date.now', 'Math.random', 'performance.now', 'process.hrtime'].includes(member) ? member : undefined;
}

function read(file: string): { imports: Import[]; calls: Call[] } {
  const options: ParserOptions = {
    sourceType: 'module',
    plugins: ['typescript', 'importAttributes'],
    errorRecovery: false,
  };
  const tree = parse(readFileSync(join(ROOT, file), 'utf8'), options) as unknown as Node;
  const imports: Import[] = [];
  const calls: Call[] = [];
  walk(tree, (node) => {
    const source = isNode(node.source) ? String(node.source.value) : undefined;
    const typeOnly = node.importKind === 'type' || node.exportKind === 'type';
    if (source !== undefined && (node.type.endsWith('Declaration') || node.type === 'ImportExpression'))
      imports.push({ from: file, to: source, typeOnly });
    const callee = isNode(node.callee) ? node.callee : undefined;
    const first = (node.arguments as unknown[] | undefined)?.[0];
    if (callee?.type === 'Import' && isNode(first))
      imports.push({ from: file, to: String(first.value), typeOnly: false });
    const what = worldly(node);
    if (what !== undefined) calls.push({ file, what });
  });
  return { imports, calls };
}

function driverFolders(): string[] {
  return readdirSync(join(ROOT, 'drivers')).filter((d) => statSync(join(ROOT, 'drivers', d)).isDirectory());
}

function files(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).flatMap((entry) => {
    const path = `${folder}/${entry}`;
    if (statSync(join(ROOT, path)).isDirectory()) return files(path);
    return path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('.d.ts') ? [path] : [];
  });
}

const floorOf = (file: string): string =>
  file.startsWith('drivers/') ? 'drivers' : file.split('/').slice(0, 2).join('/');
const sources = [...files('src'), ...files('drivers')];
const parsed = sources.map(read);
const imports = parsed.flatMap((p) => p.imports);

describe('the floors', () => {
  it('every folder under src has its floor', () => {
    expect([...new Set(sources.map(floorOf))].filter((floor) => FLOORS[floor] === undefined)).toEqual([]);
  });

  it('nothing is imported from above or from beside', () => {
    const wrong = imports
      .filter((i) => i.to.startsWith('.'))
      .map((i) => ({ ...i, target: relative(ROOT, resolve(ROOT, dirname(i.from), i.to)) }))
      .filter(
        (i) => floorOf(i.from) !== floorOf(i.target) && !(FLOORS[floorOf(i.from)] ?? []).includes(floorOf(i.target)),
      );
    expect(wrong.map((i) => `${i.from} -> ${i.target}`)).toEqual([]);
  });

  it('no files need each other in a circle', () => {
    const needs = new Map<string, string[]>();
    for (const { from, to } of imports.filter((i) => i.to.startsWith('.')))
      needs.set(from, [...(needs.get(from) ?? []), relative(ROOT, resolve(ROOT, dirname(from), to))]);
    const done = new Set<string>();
    const circles: string[] = [];
    const follow = (file: string, way: readonly string[]): void => {
      const met = way.indexOf(file);
      if (met >= 0) circles.push([...way.slice(met), file].join(' -> '));
      if (met >= 0 || done.has(file)) return;
      for (const next of needs.get(file) ?? []) follow(next, [...way, file]);
      done.add(file);
    };
    for (const file of sources) follow(file, []);
    expect(circles).toEqual([]);
  });

  it('a driver imports no other driver, and at most one package', () => {
    const of = (file: string) => (file.split('/').length > 2 ? file.split('/')[1] : undefined);
    const crossing = imports
      .filter((i) => i.from.startsWith('drivers/') && i.to.startsWith('.') && of(i.from) !== undefined)
      .map((i) => ({ ...i, target: relative(ROOT, resolve(ROOT, dirname(i.from), i.to)) }))
      .filter((i) => i.target.startsWith('drivers/') && of(i.target) !== of(i.from));
    expect(crossing.map((i) => `${i.from} -> ${i.target}`)).toEqual([]);
    for (const driver of driverFolders()) {
      const packages = imports.filter(
        (i) => i.from.startsWith(`drivers/${driver}/`) && !i.to.startsWith('.') && !i.to.startsWith('node:'),
      );
      expect(new Set(packages.map((i) => i.to)).size, driver).toBeLessThanOrEqual(1);
    }
  });

  it('only src/io touches the world', () => {
    const outside = (file: string) => !file.startsWith('src/io/');
    const named = imports.filter(
      (i) => outside(i.from) && !i.typeOnly && WORLD.has(i.to.startsWith('node:') ? i.to.slice(5) : i.to),
    );
    expect(named.map((i) => `${i.from} -> ${i.to}`)).toEqual([]);
    expect(
      parsed
        .flatMap((p) => p.calls)
        .filter((c) => outside(c.file))
        .map((c) => `${c.file}: ${c.what}`),
    ).toEqual([]);
  });

  it('packages are named only where they belong', () => {
    const wrong = imports.filter((i) => {
      const floor = floorOf(i.from);
      if (i.to.startsWith('.') || floor === 'src/io' || floor === 'drivers') return false;
      if (i.to.startsWith('node:')) return !PURE_NODE.has(i.to.slice(5));
      return !(PACKAGES[floor] ?? []).includes(i.to);
    });
    expect(wrong.map((i) => `${i.from} -> ${i.to}`)).toEqual([]);
  });
});

describe('the rooms', () => {
  it('each driver folder is complete', () => {
    for (const driver of driverFolders()) {
      for (const part of [
        'README.md',
        'index.ts',
        'driver.ts',
        'codec.ts',
        'simulator.ts',
        'profiles',
        'cases',
        `${driver}.test.ts`,
      ]) {
        expect(existsSync(join(ROOT, 'drivers', driver, part)), `drivers/${driver}/${part}`).toBe(true);
      }
    }
  });

  it('files are small: median <= 120 lines, p90 <= 350, none over 450', () => {
    const lines = sources.map((file) => ({ file, n: readFileSync(join(ROOT, file), 'utf8').split('\n').length }));
    const sizes = lines.map((l) => l.n).sort((a, b) => a - b);
    expect(lines.filter((l) => l.n > 450).map((l) => `${l.file}: ${l.n}`)).toEqual([]);
    expect(sizes[Math.floor(sizes.length * 0.9)]).toBeLessThanOrEqual(350);
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(120);
  });
});
