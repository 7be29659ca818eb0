/** Which points a statistic is about, in which groups; and what only the whole estate can tell is wrong with it. */
import { createHash } from 'node:crypto';
import type { DataClass } from '../../base/data-class.ts';
import type { PointModel, SiteModel, StatModel } from '../../base/model.ts';
import { glob, placesAround } from '../../base/places.ts';
import type { Problem } from '../../base/problem.ts';
import { hints, nearest } from '../../base/suggest.ts';
import type { SourceFacts } from './source.ts';

/** k of the reference; a smaller one hides nobody */
const AT_LEAST = 5;
const LEAST = 3;
const SHOWN = 5;
/** the rule that every device has */
const NO_DATA = 'no_data';

export interface Group {
  /** subject of its events; undefined: sources that are in no group */
  readonly id: string | undefined;
  readonly around: readonly string[];
  /** indexes of its sources */
  readonly sources: readonly number[];
}

export interface CompiledStat {
  readonly model: StatModel;
  readonly sources: readonly (SourceFacts & { readonly device: string })[];
  readonly groups: readonly Group[];
  readonly isPersonal: boolean;
  readonly isEvent: boolean;
  /** fewest sources of a group */
  readonly atLeast: number;
  /** UCUM */
  readonly unit?: string;
  /** changes when its numbers mean something else */
  readonly meaning: string;
}

interface Found {
  readonly id: string;
  readonly zone: string | undefined;
  readonly point: PointModel;
}

export function compileStats(
  site: SiteModel,
  made: ReadonlyMap<string, readonly PointModel[]>,
): { stats: readonly CompiledStat[]; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const stats = [...site.stats.values()].map((model) => {
    const report = reporter(model, problems);
    const found = model.of.kind === 'points' ? sourcesOf(model.of, site, made, report) : [];
    if (model.of.kind === 'alarms') checkRules(model.of.rule ?? [], site, report);
    judge(model, found, report);
    return compiled(model, found, site, report);
  });
  checkDifferences(stats, problems);
  return { stats, problems };
}

/**
 * Of two statistics over the same homes but for a few, the difference tells of those few. What one statistic tells of a group and of all around it is
 * kept apart at work (suppress.ts); between two the configuration decides.
 */
function checkDifferences(stats: readonly CompiledStat[], problems: Problem[]): void {
  const personal = stats.filter((stat) => stat.isPersonal);
  for (const stat of personal) {
    const other = personal.find(
      (one) => one !== stat && stat.groups.some((g) => isLittleMore(keysOf(stat, [g]), stat, one)),
    );
    if (other === undefined) continue;
    const params = { stat: stat.model.id, other: other.model.id, k: Math.max(stat.atLeast, other.atLeast) };
    const path = ['stats', stat.model.id];
    problems.push({ code: 'config.stat_difference', params, path, atKey: true, severity: 'error' });
  }
}

/** Than a group of the other's, and not the total that the other reckons with. */
function isLittleMore(keys: ReadonlySet<string>, { atLeast }: CompiledStat, other: CompiledStat): boolean {
  const k = Math.max(atLeast, other.atLeast);
  const around = new Set(other.groups.flatMap((g) => g.around));
  const totals = [other.groups, ...[...around].map((place) => other.groups.filter((g) => g.around.includes(place)))];
  if (totals.some((groups) => isSame(keys, keysOf(other, groups)))) return false;
  return other.groups.some((group) => {
    const fewer = keysOf(other, [group]);
    // What is below its own limit is never told.
    return fewer.size >= other.atLeast && fewer.size < keys.size && keys.size - fewer.size < k && isWithin(fewer, keys);
  });
}

const keysOf = ({ sources }: CompiledStat, groups: readonly Group[]): Set<string> =>
  new Set(groups.flatMap((g) => g.sources).map((i) => sources[i]?.key ?? ''));
const isSame = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => a.size === b.size && isWithin(a, b);
const isWithin = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => [...a].every((key) => b.has(key));

function checkRules(rules: readonly string[], site: SiteModel, report: Report): void {
  const known = [...site.rules.flatMap(({ body }) => (typeof body.rule === 'string' ? body.rule : [])), NO_DATA];
  for (const given of rules)
    if (!known.includes(given)) {
      const params = { what_zh: '规则', what_en: 'rule', given, known: known.join(' ') };
      report('config.unknown_ref', 'of.alarms.rule', { ...params, ...hints(nearest(given, known)) });
    }
}

type Report = (code: Problem['code'], key: string, params?: Problem['params'], severity?: Problem['severity']) => void;

const reporter =
  (model: StatModel, problems: Problem[]): Report =>
  (code, key, params = {}, severity = 'error') =>
    void problems.push({ code, params, path: ['stats', model.id, ...key.split('.')], severity });

function sourcesOf(
  of: Extract<StatModel['of'], { kind: 'points' }>,
  site: SiteModel,
  made: ReadonlyMap<string, readonly PointModel[]>,
  report: Report,
): Found[] {
  const { type, tag, in: within, device, point } = of;
  const things = thingsOf(site, made)
    .filter((t) => device === undefined || device.some((g) => glob(g, t.id)))
    .filter((t) => type === undefined || (t.type !== undefined && type.includes(t.type)))
    .filter((t) => tag === undefined || tag.every((word) => t.tags.includes(word)))
    .filter((t) => within === undefined || placesAround(t.zone, site).some((p) => within.some((g) => glob(g, p))));
  const found = things.flatMap(({ id, zone, points }) => {
    const model = points.find((p) => p.id === point);
    return model === undefined ? [] : [{ id, zone, point: model }];
  });
  if (things.length === 0) report('config.stat_nothing', 'of', {}, 'warning');
  else if (found.length === 0) {
    const known = [...new Set(things.flatMap((t) => t.points.map((p) => p.id)))];
    const params = { what_zh: '测点', what_en: 'point', given: point, known: known.join(' ') };
    report('config.unknown_ref', 'of.point', { ...params, ...hints(nearest(point, known)) });
  }
  return found;
}

interface Thing {
  readonly id: string;
  readonly type: string | undefined;
  readonly tags: readonly string[];
  readonly zone: string | undefined;
  readonly points: readonly PointModel[];
}

/** Devices and assets, each with what rules make of it; and what only rules know. */
function thingsOf(site: SiteModel, made: ReadonlyMap<string, readonly PointModel[]>): Thing[] {
  const ids = new Set([...site.devices.keys(), ...site.assets.keys(), ...made.keys()]);
  return [...ids].map((id) => {
    const device = site.devices.get(id);
    const { type, tags = [], zone } = device ?? site.assets.get(id) ?? { type: undefined, zone: undefined };
    return { id, type, tags, zone, points: [...(device?.points ?? []), ...(made.get(id) ?? [])] };
  });
}

const NUMERIC: readonly string[] = ['mean', 'sum', 'min', 'max', 'delta'];

function judge(model: StatModel, found: readonly Found[], report: Report): void {
  const [first] = found;
  if (first === undefined) return;
  const { id: point } = first.point;
  for (const make of model.make) {
    const wanted = NUMERIC.includes(make) ? 'number' : 'bool';
    const wrong = found.find((f) => f.point.kind !== wanted);
    if (wrong !== undefined) report('config.stat_kind', make, { point, kind: wrong.point.kind, make });
  }
  const units = new Set(found.map((f) => f.point.unit ?? '1'));
  if (units.size > 1) report('config.stat_units', 'of.point', { point, units: [...units].join(' ') });
  if (classOf(found) === 'none') return;
  for (const make of model.make)
    if (make === 'min' || make === 'max') report('config.stat_single', make, { point, what: make });
  if (model.by === 'device') report('config.stat_single', 'by', { point, what: 'by: device' });
  if (model.atLeast !== undefined && model.atLeast < LEAST)
    report('config.too_small', 'at_least', { given: model.atLeast, limit: LEAST });
}

const classOf = (found: readonly Found[]): DataClass =>
  found.find((f) => f.point.class !== 'none')?.point.class ?? 'none';

function compiled(model: StatModel, found: readonly Found[], site: SiteModel, report: Report): CompiledStat {
  const isPersonal = classOf(found) !== 'none';
  const unit = found[0]?.point.unit;
  const groups = groupsOf(model, found, site);
  const outside = groups.find((g) => g.id === undefined)?.sources.map((i) => found[i]?.id ?? '') ?? [];
  if (outside.length > 0) {
    const some = outside.length > SHOWN ? `${outside.slice(0, SHOWN).join(' ')} …` : outside.join(' ');
    report('config.stat_placeless', 'by', { count: outside.length, by: model.by, some }, 'warning');
  }
  return {
    model,
    sources: found.map(({ id, point }) => ({
      key: `${id}.${point.id}`,
      device: id,
      staleMs: point.staleAfterMs,
      isEvent: point.event === true,
      ...(point.rollover === undefined ? {} : { rollover: point.rollover }),
    })),
    groups,
    isPersonal,
    isEvent: found[0]?.point.event === true,
    atLeast: model.atLeast ?? (isPersonal ? AT_LEAST : 1),
    ...(unit === undefined || model.make.every((m) => m === 'count' || m === 'share') ? {} : { unit }),
    meaning: createHash('sha256')
      .update(JSON.stringify([model.of, model.make, model.by, model.everyMs, site.site.timezone]))
      .digest('hex')
      .slice(0, 16),
  };
}

function groupsOf({ by, of }: StatModel, found: readonly Found[], site: SiteModel): Group[] {
  const estate = site.site.id;
  if (of.kind === 'alarms' || by === 'estate') return [{ id: estate, around: [], sources: found.map((_, i) => i) }];
  const groups = new Map<string | undefined, number[]>();
  found.forEach((f, i) => {
    const id = groupOf(by, f, site);
    groups.set(id, [...(groups.get(id) ?? []), i]);
  });
  return [...groups].map(([id, sources]) => ({
    id,
    around: by === 'device' || id === undefined ? [] : placesAround(site.places.get(id)?.in, site),
    sources,
  }));
}

function groupOf(by: string, { id, zone }: Found, site: SiteModel): string | undefined {
  if (by === 'device') return id;
  if (by === 'place') return zone;
  return placesAround(zone, site).find((place) => site.places.get(place)?.kind === by);
}
