/** Whether what a view names exists: a word with a slip would silently let nothing out, or less than was meant. */
import type { DeviceModel, RuleDocument } from '../base/model.ts';
import { glob } from '../base/places.ts';
import type { Path } from '../base/problem.ts';
import type { Names, Report } from './report.ts';
import type { DeviceTypes, FeedSection, SiteSections } from './schema.ts';
import type { SelectionSection } from './view-schema.ts';

/** Alarms of rules that every site has without writing them (no_data, flapping, flood) and of the gateway itself (sys.…). */
const BUILT_IN = ['no_data', 'flapping', 'flood'];
/** What every entry of a form has besides its fields. */
const FORM_OWN = ['by', 'place', 'spot'];

/** Words that may stand in a view. */
export interface Vocabulary {
  /** false: some device or asset has a mistake, and what it would have brought is not known */
  readonly isWhole: boolean;
  readonly devices: readonly string[];
  readonly types: readonly string[];
  readonly tags: readonly string[];
  readonly places: readonly string[];
  readonly points: readonly string[];
  readonly rules: readonly string[];
  readonly stats: readonly string[];
  /** fields, by form */
  readonly forms: ReadonlyMap<string, readonly string[]>;
}

interface Written {
  readonly sections: SiteSections;
  readonly names: Names;
  readonly types: DeviceTypes;
  /** those without a mistake */
  readonly devices: ReadonlyMap<string, DeviceModel>;
  readonly rules: readonly RuleDocument[];
}

export function vocabularyOf({ sections, names, types, devices, rules }: Written): Vocabulary {
  const { assets } = sections;
  const things = [...Object.values(sections.devices), ...Object.values(assets)];
  const isWhole = devices.size === names('devices').length && Object.keys(assets).length === names('assets').length;
  const points = [...devices.values()].flatMap((device) => device.points.map((p) => p.id));
  const named = (key: string): string[] =>
    rules.flatMap(({ body }) => (typeof body[key] === 'string' ? [String(body[key])] : []));
  const made = named('point').map((id) => id.split('.'));
  return {
    isWhole,
    devices: [...names('devices'), ...names('assets'), ...made.map(([owner = '']) => owner)],
    types: [...Object.keys(types), ...Object.values(assets).map((asset) => asset.type)],
    tags: things.flatMap((thing) => thing.tags),
    places: names('places'),
    points: [...points, ...Object.values(types).flatMap((t) => Object.keys(t.points)), ...made.map(([, p = '']) => p)],
    rules: [...named('rule'), ...BUILT_IN],
    stats: names('stats'),
    forms: new Map(rules.flatMap(({ body }) => (typeof body.form === 'string' ? [[body.form, fieldsOf(body)]] : []))),
  };
}

function fieldsOf({ fields }: RuleDocument['body']): string[] {
  if (!Array.isArray(fields)) return [];
  return fields.flatMap((field: unknown) => {
    const id = (field as { id?: unknown } | null)?.id;
    return typeof id === 'string' ? [id] : [];
  });
}

export function checkView(id: string, { view }: FeedSection, known: Vocabulary, report: Report): void {
  if (view === undefined) return report.add('config.no_view', ['feeds', id], {}, true);
  if (view === 'everything') return;
  for (const [i, selection] of view.entries()) {
    const path: Path = ['feeds', id, 'view', i];
    if (Object.keys(selection).length === 0) report.add('config.empty_selection', path);
    checkSelection(selection, path, known, report);
  }
}

function checkSelection(selection: SelectionSection, path: Path, known: Vocabulary, report: Report): void {
  const { alarms, telemetry, devices, stats, forms } = selection;
  const check = (at: Path, given: readonly string[] | undefined, words: Iterable<string>, zh: string, en: string) =>
    given?.forEach((word, i) => {
      const all = [...words];
      if (!word.includes('*') || !all.some((one) => glob(word, one)))
        report.known([...at, ...(given.length > 1 ? [i] : [])], word, all, { zh, en });
    });
  const things = (at: Path, of: NonNullable<typeof devices>): void => {
    if (known.isWhole) {
      check([...at, 'type'], of.type, known.types, '类型', 'type');
      check([...at, 'tag'], of.tag, known.tags, '标签', 'tag');
    }
    check([...at, 'zone'], of.zone, known.places, '位置', 'place');
    check([...at, 'device'], of.device, known.devices, '设备', 'device');
  };
  for (const [at, filter] of [
    [[...path, 'alarms'], alarms],
    [[...path, 'alarms', 'or'], alarms?.or],
  ] as const) {
    if (filter === undefined) continue;
    things(at, filter);
    const rules = filter.rule?.filter((rule) => !rule.startsWith('sys.'));
    check([...at, 'rule'], rules, known.rules, '规则', 'rule');
  }
  if (telemetry !== undefined) {
    things([...path, 'telemetry'], telemetry);
    if (known.isWhole) check([...path, 'telemetry', 'points'], telemetry.points, known.points, '测点', 'point');
  }
  if (devices !== undefined) things([...path, 'devices'], devices);
  const stat = { zh: '统计', en: 'stat' };
  for (const name of Object.keys(stats ?? {})) report.known([...path, 'stats', name], name, known.stats, stat, true);
  const form = { zh: '表单', en: 'form' };
  for (const [name, { drop }] of Object.entries(forms ?? {}))
    if (report.known([...path, 'forms', name], name, known.forms.keys(), form, true))
      check([...path, 'forms', name, 'drop'], drop, [...(known.forms.get(name) ?? []), ...FORM_OWN], '字段', 'field');
}
