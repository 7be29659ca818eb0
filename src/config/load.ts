/**
 * A configuration folder becomes a site model, or a list of everything that is wrong with it.
 *
 * Files: weinao.yaml; types.yaml of the site over the shipped one; rules/*.yaml and rules/<pack>/rules.yaml as plain documents (src/rules gives them
 * meaning);
 * profiles/*.yaml of the site before those shipped with a driver. All problems are reported at once, each with file:line:column; with any
 * error there is no model. Bounds: document.ts and cross.ts. It never follows a path out of the folder it was given.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DriverFace } from '../base/driver.ts';
import type { DeviceModel, RuleDocument, SiteModel, ValueKind } from '../base/model.ts';
import type { FileReader } from '../base/ports.ts';
import type { LocatedProblem, Problem } from '../base/problem.ts';
import { buildChannels } from './channels.ts';
import { buildFeeds, buildPlaces, checkDeviceSecrets, checkStations } from './cross.ts';
import { buildDevice, type Profile } from './devices.ts';
import { locateIn, MAX_BYTES, parseSource, type Source } from './document.ts';
import { problemsOf } from './issues.ts';
import { buildAssets, buildPeople } from './people.ts';
import { createReport } from './report.ts';
import { type DeviceTypes, type SiteSections, siteSchema, typesSchema } from './schema.ts';
import type { ReadSecret } from './secrets.ts';
import { buildStats } from './stats.ts';
import { vocabularyOf } from './views.ts';

const MAIN = 'weinao.yaml';

export interface LoadDeps {
  readonly files: FileReader;
  readonly drivers: readonly DriverFace[];
  readonly readSecret: ReadSecret;
  /** folder with the types.yaml that comes with weinao */
  readonly shipped: string;
  /** folder of a driver's shipped profiles */
  readonly profiles: (driver: string) => string;
}

export type ConfigSources = ReadonlyMap<string, Source>;

export interface Loaded {
  readonly model: SiteModel | undefined;
  readonly problems: readonly LocatedProblem[];
  readonly sources: ConfigSources;
}

export async function loadConfig(folder: string, deps: LoadDeps): Promise<Loaded> {
  const reader = new FolderReader(folder, deps.files);
  const types = await loadTypes(reader, deps);
  const rules = await loadRules(reader);
  const main = await reader.read(MAIN, true);
  const sections = main === undefined ? undefined : checked(main, reader);
  if (main === undefined || sections === undefined)
    return { model: undefined, problems: reader.problems, sources: reader.sources };
  const model = await buildModel({ sections, main, types, rules, reader, deps });
  return {
    model: reader.problems.some((p) => p.severity === 'error') ? undefined : model,
    problems: reader.problems,
    sources: reader.sources,
  };
}

/** Finds the place of a problem in a rules file. */
export function locate(sources: ConfigSources, problem: Problem): LocatedProblem {
  const source = sources.get(problem.file ?? MAIN);
  return source === undefined
    ? { ...problem, file: problem.file ?? MAIN, line: 1, column: 1 }
    : locateIn(source, problem);
}

class FolderReader {
  readonly problems: LocatedProblem[] = [];
  readonly sources = new Map<string, Source>();
  readonly hash = createHash('sha256');
  readonly folder: string;
  readonly files: FileReader;

  constructor(folder: string, files: FileReader) {
    this.folder = folder;
    this.files = files;
  }

  async read(name: string, needed: boolean, folder = this.folder): Promise<Source | undefined> {
    let text: string | undefined;
    try {
      text = await this.files.read(join(folder, name), MAX_BYTES);
    } catch (error) {
      const tooBig = error instanceof RangeError;
      this.fail(name, tooBig ? 'config.too_big' : 'config.unreadable', {
        limit: MAX_BYTES,
        detail: error instanceof Error ? error.message : '',
      });
      return undefined;
    }
    if (text === undefined) {
      if (needed) this.fail(name, 'config.unreadable', { detail: join(folder, name) });
      return undefined;
    }
    this.hash.update(`${name}\u0000${text}\u0000`);
    const { source, problems } = parseSource(name, text);
    this.sources.set(name, source);
    this.problems.push(...problems);
    return source;
  }

  fail(file: string, code: Problem['code'], params: Problem['params']): void {
    this.problems.push({ code, params, file, path: [], severity: 'error', line: 1, column: 1 });
  }

  found(source: Source, problems: readonly Problem[]): void {
    this.problems.push(...problems.map((p) => locateIn(source, p)));
  }
}

/** Sections with the entries that have errors left out, so that everything else can still be judged. */
function checked(main: Source, reader: FolderReader): SiteSections | undefined {
  // No data in a document that stands there: its syntax was told already.
  if (main.documents.length > 0 && main.data[0] === undefined) return undefined;
  const data = filled(main.data[0] ?? {});
  const parsed = siteSchema.safeParse(data, { reportInput: true });
  if (parsed.success) return parsed.data;
  reader.found(main, problemsOf(parsed.error.issues, data, siteSchema));
  const rest = siteSchema.safeParse(without(data, parsed.error.issues));
  return rest.success ? rest.data : undefined;
}

/** A section with nothing in it is an empty one. */
function filled(data: unknown): unknown {
  if (!isMapping(data)) return data;
  return Object.fromEntries(
    Object.entries(data).filter(([key, section]) => section !== null || !(key in siteSchema.shape)),
  );
}

const PLACEHOLDER: Readonly<Record<string, unknown>> = { site: { id: 'unknown', name: '?' }, gateway: {} };

function without(data: unknown, issues: readonly { readonly path: readonly PropertyKey[] }[]): unknown {
  if (typeof data !== 'object' || data === null) return PLACEHOLDER;
  const sections: Record<string, unknown> = { ...PLACEHOLDER, ...data };
  for (const key of Object.keys(sections)) if (!(key in siteSchema.shape)) delete sections[key];
  for (const { path } of issues) {
    const section = String(path[0] ?? '');
    const entries = sections[section];
    if (section in PLACEHOLDER) sections[section] = PLACEHOLDER[section];
    else if (path.length < 2 || typeof entries !== 'object') delete sections[section];
    else sections[section] = Object.fromEntries(Object.entries(entries ?? {}).filter(([id]) => id !== String(path[1])));
  }
  return sections;
}

/** Nothing follows from it. */
const NO_TYPE: DeviceTypes[string] = { no_data: 'yellow', harmless: true, points: {} };

async function loadTypes(reader: FolderReader, deps: LoadDeps): Promise<DeviceTypes> {
  let types: DeviceTypes = {};
  for (const folder of [deps.shipped, reader.folder]) {
    const source = await reader.read('types.yaml', false, folder);
    if (source === undefined) continue;
    const parsed = typesSchema.safeParse(source.data[0] ?? {}, { reportInput: true });
    if (parsed.success) types = { ...types, ...parsed.data };
    else {
      reader.found(source, problemsOf(parsed.error.issues, source.data[0], typesSchema));
      // A device of such a type has no mistake of its own.
      const named = isMapping(source.data[0]) ? Object.keys(source.data[0]) : [];
      types = { ...Object.fromEntries(named.map((name) => [name, NO_TYPE])), ...types };
    }
  }
  return types;
}

async function loadRules(reader: FolderReader): Promise<RuleDocument[]> {
  const rules: RuleDocument[] = [];
  const packs = (await reader.files.list(join(reader.folder, 'rules'))).filter((name) => !name.includes('.'));
  const names = [...(await yamlFiles(reader, 'rules')), ...packs.map((pack) => `${pack}/rules.yaml`)];
  for (const name of names) {
    const file = `rules/${name}`;
    const source = await reader.read(file, !name.includes('/'));
    source?.data.forEach((body, doc) => {
      if (body === undefined || body === null) return;
      if (typeof body === 'object' && !Array.isArray(body))
        rules.push({ file, doc, body: body as RuleDocument['body'] });
      else
        reader.found(source, [
          {
            code: 'config.wrong_type',
            params: { expected: 'mapping', received: typeof body },
            path: [],
            doc,
            severity: 'error',
          },
        ]);
    });
  }
  return rules;
}

async function yamlFiles(reader: FolderReader, folder: string): Promise<string[]> {
  return (await reader.files.list(join(reader.folder, folder))).filter(
    (name) => name.endsWith('.yaml') && !name.startsWith('.'),
  );
}

interface Parts {
  readonly sections: SiteSections;
  readonly main: Source;
  readonly types: DeviceTypes;
  readonly rules: readonly RuleDocument[];
  readonly reader: FolderReader;
  readonly deps: LoadDeps;
}

async function buildModel({ sections, main, types, rules, reader, deps }: Parts): Promise<SiteModel> {
  const report = createReport();
  const names = namesIn(main);
  const where = (path: readonly (string | number)[]): string => {
    const at = locateIn(main, { code: 'config.invalid', params: {}, path, severity: 'error' });
    return `${at.file}:${at.line}:${at.column}`;
  };
  const drivers = new Map(deps.drivers.map((d) => [d.name, d]));
  report.id(['site', 'id'], sections.site.id);
  report.id(['gateway', 'id'], sections.gateway.id);
  const places = buildPlaces(sections, names, report);
  const channels = await buildChannels(sections, report, where, deps.readSecret);
  const profiles = await loadProfiles(sections, reader, deps);
  const devices = new Map<string, DeviceModel>();
  for (const id of Object.keys(sections.devices)) {
    const profile = (driver: string, name: string) => profiles.found.get(`${driver}/${name}`);
    const known = (driver: string) => profiles.known.get(driver) ?? [];
    const device = buildDevice(id, { report, drivers, types, channels, sections, names, profile, profiles: known });
    if (device !== undefined) devices.set(id, device);
  }
  checkStations(devices.values(), drivers, report, where);
  await checkDeviceSecrets(devices.values(), drivers, report, deps.readSecret);
  const vocabulary = vocabularyOf({ sections, names, types, devices, rules });
  const feeds = await buildFeeds(sections, vocabulary, report, deps.readSecret, hashOf, {
    names,
    devices,
    places,
    types,
  });
  const people = await buildPeople(sections, names, report, deps.readSecret);
  const assets = buildAssets(sections, types, names, report);
  const stats = buildStats(sections, names, types, report);
  reader.found(
    main,
    report.problems.filter((p) => !followsOn(p, main)),
  );
  return {
    site: definedSite(sections.site),
    gateway: gatewayOf(sections),
    places,
    channels,
    devices,
    feeds,
    people,
    assets,
    times: new Map(Object.entries(sections.times)),
    stats,
    types: new Map(Object.entries(types).map(([id, type]) => [id, standardPoints(type)])),
    rules,
    hash: reader.hash.digest('hex').slice(0, 16),
  };
}

const SECTION_OF: Readonly<Record<string, string>> = {
  ...{ place: 'places', channel: 'channels', device: 'devices', person: 'people' },
  ...{ feed: 'feeds', stat: 'stats', 'named time': 'times' },
};

/** What a section should have held is not missed where the section itself is no mapping: that was told. */
function followsOn({ code, params }: Problem, main: Source): boolean {
  const section = SECTION_OF[String(params.what_en)];
  const written = section === undefined ? undefined : (main.data[0] as Record<string, unknown> | undefined)?.[section];
  return code === 'config.unknown_ref' && written !== undefined && written !== null && !isMapping(written);
}

function gatewayOf({ gateway }: SiteSections): SiteModel['gateway'] {
  const { id, data, commit_window: commitWindowMs, budget, media } = gateway;
  const limits = { keepMs: media.keep, maxBytes: media.budget };
  return { id, data, commitWindowMs, media: limits, ...(budget === undefined ? {} : { budget }) };
}

function standardPoints(type: DeviceTypes[string]): { id: string; kind: ValueKind }[] {
  return Object.entries(type.points).map(([id, { kind }]) => ({ id, kind }));
}

/** What is named in the file, right or wrong: a reference to an entry with errors is no error of its own. */
function namesIn(main: Source): (section: string) => string[] {
  const data = main.data[0] as Record<string, unknown> | undefined;
  return (section) => {
    const written = data?.[section];
    return isMapping(written) ? Object.keys(written) : [];
  };
}

function definedSite(site: SiteSections['site']): SiteModel['site'] {
  const { lat, lon, ...rest } = site;
  return { ...rest, ...(lat === undefined ? {} : { lat }), ...(lon === undefined ? {} : { lon }) };
}

/** Profiles that devices name, by `driver/profile`; the site's own before the shipped. */
async function loadProfiles(
  sections: SiteSections,
  reader: FolderReader,
  deps: LoadDeps,
): Promise<{ found: Map<string, Profile>; known: Map<string, readonly string[]> }> {
  const profiles = new Map<string, Profile>();
  const names = new Map<string, readonly string[]>();
  for (const { driver, profile } of Object.values(sections.devices)) {
    const known = deps.drivers.some((d) => d.name === driver);
    if (profile === undefined || !known || profiles.has(`${driver}/${profile}`) || !isFileName(profile)) continue;
    const source =
      (await reader.read(`profiles/${profile}.yaml`, false)) ??
      (await reader.read(`${profile}.yaml`, false, deps.profiles(driver)));
    const { points, device, verified } = (source?.data[0] ?? {}) as Record<string, unknown>;
    if (isMapping(points))
      profiles.set(`${driver}/${profile}`, {
        points,
        device: isMapping(device) ? device : {},
        isVerified: typeof verified === 'string' && verified !== 'no',
        mark: hashOf([device, points]),
      });
    else if (!names.has(driver)) names.set(driver, await profileNames(driver, reader, deps));
  }
  return { found: profiles, known: names };
}

async function profileNames(driver: string, { folder, files }: FolderReader, deps: LoadDeps): Promise<string[]> {
  const all = [...(await files.list(join(folder, 'profiles'))), ...(await files.list(deps.profiles(driver)))];
  return [...new Set(all)].filter((name) => name.endsWith('.yaml') && !name.startsWith('.')).map((n) => n.slice(0, -5));
}

const isMapping = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);
const isFileName = (name: string): boolean => !name.includes('/') && !name.startsWith('.');

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
