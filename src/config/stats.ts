/** Statistics out of their sections; what the whole estate must answer for is judged where its points are known (src/engine/stats). */
import { LEVELS } from '../base/event.ts';
import { isId } from '../base/ids.ts';
import { STAT_FUNCTIONS, type StatModel, type StatSources } from '../base/model.ts';
import { formatDuration } from '../base/time.ts';
import type { Names, Report } from './report.ts';
import type { DeviceTypes, SiteSections } from './schema.ts';
import { definedOnly } from './secrets.ts';
import type { StatSection } from './stat-schema.ts';

const MOST = 64;
const MINUTE = 60_000;
const DAY = 86_400_000;
const MOST_DAYS = 31;
const ALARMS_BY = ['rule', 'theme', 'level', 'estate'];
const POINTS_BY = ['estate', 'place', 'device'];

export function buildStats(
  sections: SiteSections,
  names: Names,
  types: DeviceTypes,
  report: Report,
): Map<string, StatModel> {
  const stats = new Map<string, StatModel>();
  for (const [id, section] of Object.entries(sections.stats)) {
    const path = ['stats', id];
    report.id(path, id);
    const of = sourcesOf(id, section, sections, names, types, report);
    const make = STAT_FUNCTIONS.filter((key) => section[key] !== undefined);
    if (make.length === 0) report.add('config.stat_make', path, { choices: STAT_FUNCTIONS.join(' ') }, true);
    if (of?.kind === 'alarms' && (make.some((key) => key !== 'count') || section.at_least !== undefined))
      report.add('config.stat_alarms', path, {}, true);
    const isPart = section.every >= MINUTE && section.every < DAY && DAY % section.every === 0;
    const isDays = section.every % DAY === 0 && section.every <= MOST_DAYS * DAY;
    if (!isPart && !isDays)
      report.add('config.stat_every', [...path, 'every'], { given: formatDuration(section.every) });
    if (of === undefined) continue;
    const by = section.by ?? (of.kind === 'alarms' ? 'rule' : 'estate');
    checkBy([...path, 'by'], by, of, sections, report);
    stats.set(id, {
      id,
      of,
      make,
      by,
      everyMs: section.every,
      ...(section.name === undefined ? {} : { name: section.name }),
      ...(section.at_least === undefined ? {} : { atLeast: section.at_least }),
      ...wordsOf(section),
    });
  }
  if (stats.size > MOST) report.add('config.too_many', ['stats'], { what: 'stats', limit: MOST }, true);
  return stats;
}

function sourcesOf(
  id: string,
  { of }: StatSection,
  sections: SiteSections,
  names: Names,
  types: DeviceTypes,
  report: Report,
): StatSources | undefined {
  const { point, alarms, ...selector } = of;
  const path = ['stats', id, 'of'];
  const isMixed = alarms !== undefined && Object.values(selector).some((words) => words !== undefined);
  if ((point === undefined) === (alarms === undefined) || isMixed) {
    report.add('config.stat_of', path, {}, true);
    return undefined;
  }
  const check = (key: string, words: readonly string[] | undefined, known: Iterable<string>, what: Kind): void => {
    for (const word of words ?? [])
      if (!word.includes('*')) report.known([...path, ...key.split('.')], word, known, what);
  };
  if (alarms !== undefined) {
    check('alarms.level', alarms.level, LEVELS, { zh: '级别', en: 'level' });
    return { kind: 'alarms', ...(definedOnly(alarms) as Omit<Extract<StatSources, { kind: 'alarms' }>, 'kind'>) };
  }
  const assetTypes = Object.values(sections.assets).map((asset) => asset.type);
  check('type', selector.type, new Set([...Object.keys(types), ...assetTypes]), { zh: '类型', en: 'type' });
  check('in', selector.in, names('places'), { zh: '位置', en: 'place' });
  check('device', selector.device, [...names('devices'), ...names('assets')], { zh: '设备', en: 'device' });
  return { kind: 'points', point: point ?? '', ...(definedOnly(selector) as object) };
}

interface Kind {
  readonly zh: string;
  readonly en: string;
}

function checkBy(path: readonly string[], by: string, of: StatSources, sections: SiteSections, report: Report): void {
  const kinds = Object.values(sections.places).flatMap((place) => place.kind ?? []);
  const known = of.kind === 'alarms' ? ALARMS_BY : [...POINTS_BY, ...new Set(kinds)];
  report.known(path, by, known, { zh: '分组', en: 'grouping' });
}

/** `count: true` calls them as the point is called. */
function wordsOf({ count, of }: StatSection): Pick<StatModel, 'words'> {
  if (count === undefined) return {};
  if (count !== true) return { words: count };
  const { point } = of;
  return point !== undefined && isId(point) ? { words: [point, `not_${point}`] } : {};
}
