/** The page people read: what is collected, what of it goes to whom, of which class, why, and for how long it is kept. Markdown, zh or en. */
import type { DataClass } from '../../base/data-class.ts';
import { LEVELS } from '../../base/event.ts';
import type { RuleDocument, SiteModel } from '../../base/model.ts';
import { gravest } from '../../base/privacy.ts';
import { scrub } from '../../base/scrub.ts';
import { type Lang, say, type Text } from '../../base/text.ts';
import { formatDuration } from '../../base/time.ts';
import type { Told } from './told.ts';

/** how long stream a is kept for a feed that does not take it (design: the store) */
const DAY = 86_400_000;
const ALARMS_KEPT = 180 * DAY;

interface Row {
  readonly what: string;
  /** device types, rules, fields */
  readonly of: string;
  readonly class: DataClass;
  readonly isTold: boolean;
  readonly kept: string;
}

const CLASS: Readonly<Record<DataClass, Text>> = {
  none: { zh: '非个人', en: 'not personal' },
  personal: { zh: '个人信息', en: 'personal' },
  sensitive: { zh: '敏感个人信息', en: 'sensitive personal' },
};
const HEAD: readonly Text[] = [
  { zh: '采集什么', en: 'What' },
  { zh: '来自', en: 'Of' },
  { zh: '类别', en: 'Class' },
  { zh: '提供给本平台', en: 'Shared with this platform' },
  { zh: '网关保存', en: 'Kept on the gateway' },
];
const WORDS = {
  title: { zh: '{site} 提供给“{feed}”的数据', en: 'Data of {site} shared with "{feed}"' },
  to: { zh: '接收方：{to}', en: 'Recipient: {to}' },
  view: { zh: '授权版本：{view}', en: 'View: {view}' },
  purpose: { zh: '目的：{purpose}', en: 'Purpose: {purpose}' },
  basis: { zh: '合法依据或同意记录：{basis}', en: 'Legal basis or record of consent: {basis}' },
  codec: {
    zh: '按平台自己的物模型送出（{codec}），主题和格式以平台文档为准',
    en: "said in the platform's own thing model ({codec}); its documents say how",
  },
  missing: { zh: '未登记（feeds.{feed}.{key}）', en: 'not recorded (feeds.{feed}.{key})' },
  needless: { zh: '不含敏感个人信息，无需登记', en: 'nothing sensitive, none needed' },
  yes: { zh: '是', en: 'yes' },
  no: { zh: '否', en: 'no' },
  alarms: { zh: '报警', en: 'alarms' },
  rules: { zh: '{count} 条规则：{some}', en: 'rules ({count}): {some}' },
  field: { zh: '表单“{form}”：{field}', en: 'form "{form}": {field}' },
  stat: { zh: '统计“{name}”，每 {every}', en: 'statistic "{name}", every {every}' },
  by: { zh: '按 {by}', en: 'by {by}' },
  comma: { zh: '，', en: ', ' },
  least: { zh: '不足 {k} 户不给出', en: 'of {k} and more only' },
  devices: { zh: '设备在线情况', en: 'which devices answer' },
  note: {
    zh: '本页由配置生成；本网关只约束送出的内容，平台如何保存和使用由平台负责。',
    en: 'Made from the configuration. The gateway governs what leaves it; how the platform keeps and uses it is the platform’s to answer for.',
  },
} as const satisfies Record<string, Text>;

export function page(told: Told, site: SiteModel, view: string, lang: Lang): string {
  const t = (key: keyof typeof WORDS, params = {}): string => say(WORDS[key], lang, params);
  const { feed, model } = told;
  const rows = rowsOf(told, site, lang);
  const isSensitive = rows.some((row) => row.isTold && row.class === 'sensitive');
  const purpose = model.purpose?.[lang] ?? t('missing', { feed, key: 'purpose' });
  const isStream = model.codec === undefined || model.codec === 'cloudevents';
  const basis = model.basis ?? (isSensitive ? t('missing', { feed, key: 'basis' }) : t('needless'));
  const table = rows
    .sort((a, b) => Number(b.isTold) - Number(a.isTold))
    .map((r) => [r.what, r.of, say(CLASS[r.class], lang), t(r.isTold ? 'yes' : 'no'), r.kept]);
  return [
    `# ${cell(t('title', { site: labelIn(told.view)(site.site.name), feed }))}`,
    '',
    `- ${t('to', { to: cell(model.to) })}`,
    `- ${t('view', { view })}`,
    `- ${t('purpose', { purpose: cell(purpose) })}`,
    `- ${t('basis', { basis: cell(basis) })}`,
    ...(isStream ? [] : [`- ${t('codec', { codec: model.codec })}`]),
    '',
    line(HEAD.map((h) => h[lang])),
    line(HEAD.map(() => '---')),
    ...table.map(line),
    '',
    t('note'),
    '',
  ].join('\n');
}

/** Names come from the configuration: none may end a cell, or begin markup. */
const cell = (text: string): string => text.replaceAll('|', '／').replaceAll('\n', ' ').replaceAll('<', '＜');
const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;

function rowsOf(told: Told, site: SiteModel, lang: Lang): Row[] {
  return [
    ...alarmRow(told, site, lang),
    ...pointRows(told),
    ...statRows(told, lang),
    ...formRows(told, lang),
    ...deviceRow(told, site, lang),
  ];
}

/** Rules whose alarms the view may let out, and those of which it lets none out, are two rows. */
function alarmRow(told: Told, site: SiteModel, lang: Lang): Row[] {
  const { view } = told;
  const named = view.kind === 'everything' ? ['personal' as const] : view.alarms.flatMap((rights) => rights.classes);
  const rules = site.rules.map(({ body }) => body).filter((body) => typeof body.rule === 'string');
  const groups = Map.groupBy(rules, (body) => mayTell(body, told, site));
  return (rules.length === 0 ? [told.kinds.includes('alarm.raised')] : [...groups.keys()]).map((isTold) => {
    const names = (groups.get(isTold) ?? []).map((body) => String(body.name ?? body.rule));
    return {
      what: WORDS.alarms[lang],
      of: say(WORDS.rules, lang, { count: names.length, some: labelIn(view)(short(names)) }),
      class: isTold ? gravest(named) : 'personal',
      isTold,
      kept: keptOf(ALARMS_KEPT, site),
    };
  });
}

/** Whether some alarm of a rule may leave: by its level, theme or name, or because it calls the feed. What only its alarms can tell is taken for yes. */
function mayTell(body: RuleDocument['body'], { view, feed }: Told, site: SiteModel): boolean {
  if (view.kind === 'everything') return true;
  const callers = [...site.people].flatMap(([name, person]) => (person.feed === feed ? [name] : []));
  const called = Object.values((body.escalate ?? {}) as Readonly<Record<string, unknown>>).flat();
  const isCalled = called.some((name) => callers.includes(String(name)));
  // An expression gives any level.
  const level = LEVELS.find((l) => l === (body.level ?? 'yellow'));
  return (
    isCalled ||
    view.alarms.some(
      (rights) =>
        rights.told === undefined &&
        (level === undefined || rights.level === undefined || rights.level.includes(level)) &&
        (rights.theme === undefined || rights.theme.includes(String(body.theme))) &&
        (rights.rule === undefined || rights.rule.includes(String(body.rule))),
    )
  );
}

/** As the feed itself says names of equipment. */
const labelIn =
  (view: Told['view']) =>
  (text: string): string =>
    view.kind === 'everything' ? text : scrub(text);

/** Points of one kind of device are one row; those told and those not are two. */
function pointRows({ points, model, view }: Told): Row[] {
  const label = labelIn(view);
  const rows = new Map<string, Row & { devices: Set<string> }>();
  for (const { device, type = device, point, keepDays, isTold } of points) {
    const key = [type, point.id, point.class, keepDays, isTold].join(' ');
    const unit = point.unit === undefined ? '' : ` (${point.unit})`;
    // The platform reads this page, too: what somebody's things are called is told to who may see them.
    const isOpen = point.class === 'none' || isTold;
    const row = rows.get(key) ?? {
      what: `${isOpen ? label(point.name ?? point.id) : point.id}${unit}`,
      of: type === device && !isOpen ? '—' : type,
      class: point.class,
      isTold,
      kept: keptFor(model.keepMs, keepDays),
      devices: new Set<string>(),
    };
    row.devices.add(device);
    rows.set(key, row);
  }
  return [...rows.values()].map(({ devices, ...row }) => ({
    ...row,
    of: devices.size === 1 && (devices.has(row.of) || row.of === '—') ? row.of : `${row.of} × ${devices.size}`,
  }));
}

function statRows({ stats, withheld, model, view }: Told, lang: Lang): Row[] {
  return [...stats, ...withheld.stats].map((stat) => {
    const { id, name = id, everyMs, of, by } = stat.model;
    const about = of.kind === 'alarms' ? WORDS.alarms[lang] : `${of.type?.join(' ') ?? ''} ${of.point}`.trim();
    const least = stat.atLeast <= 1 ? [] : [say(WORDS.least, lang, { k: stat.atLeast })];
    return {
      what: say(WORDS.stat, lang, { name: labelIn(view)(name), every: formatDuration(everyMs) }),
      of: [about, say(WORDS.by, lang, { by }), ...least].join(WORDS.comma[lang]),
      class: 'none',
      isTold: stats.includes(stat),
      kept: formatDuration(model.keepMs),
    };
  });
}

function formRows({ forms, withheld, view }: Told, lang: Lang): Row[] {
  return [...forms, ...withheld.forms].flatMap((form) =>
    form.fields.map((field) => {
      const rights = view.kind === 'everything' ? undefined : view.forms[form.id];
      const isNamed =
        view.kind === 'everything' || field.person === 'none' || rights?.classes.includes(field.person) === true;
      return {
        what: say(WORDS.field, lang, { form: labelIn(view)(form.name), field: labelIn(view)(field.label) }),
        of: form.id,
        class: field.person,
        isTold: forms.includes(form) && isNamed && rights?.drop.includes(field.id) !== true,
        kept: keptFor(ALARMS_KEPT, form.keepDays),
      };
    }),
  );
}

function deviceRow({ kinds, devices, model }: Told, site: SiteModel, lang: Lang): Row[] {
  const isTold = kinds.includes('device.offline');
  return [{ what: WORDS.devices[lang], of: short(devices), class: 'none', isTold, kept: keptOf(model.keepMs, site) }];
}

/** `keep_days` wins over any longer retention. */
const keptFor = (ms: number, days = Number.POSITIVE_INFINITY): string => formatDuration(Math.min(ms, days * DAY));

/** The shortest and the longest, where some devices have a `keep_days`. */
function keptOf(ms: number, site: SiteModel): string {
  const days = [...site.devices.values(), ...site.assets.values()].flatMap(({ keepDays }) => keepDays ?? []);
  const least = keptFor(ms, Math.min(...days));
  return least === keptFor(ms) ? least : `${least} – ${keptFor(ms)}`;
}

const MOST = 6;
const short = (names: readonly string[]): string =>
  names.length > MOST ? `${names.slice(0, MOST).join('、')} … (${names.length})` : names.join('、') || '—';
