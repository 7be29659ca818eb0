/** What a feed is told, out of the configuration and its resolved view: the one source of schemas, AsyncAPI document and page. */
import { EVENT_KINDS } from '../../base/event.ts';
import type { FeedModel, PointModel, SiteModel } from '../../base/model.ts';
import type { ResolvedView } from '../../base/view.ts';
import { type CompiledStat, compileStats } from '../../engine/stats/index.ts';
import { type FormSpec, formsOf } from '../../rules/index.ts';
import { allPoints } from '../made.ts';

export interface ToldPoint {
  readonly device: string;
  readonly type: string | undefined;
  readonly point: PointModel;
  /** the shorter of its own and its device's */
  readonly keepDays: number | undefined;
  readonly isTold: boolean;
}

export interface Told {
  readonly feed: string;
  readonly source: string;
  readonly model: FeedModel;
  /** `alarm.raised`, `telemetry.sampled`, …, with what the feed says of itself */
  readonly kinds: readonly string[];
  readonly points: readonly ToldPoint[];
  readonly stats: readonly CompiledStat[];
  readonly forms: readonly FormSpec[];
  /** forms and statistics that are made, and not told to this feed */
  readonly withheld: { readonly stats: readonly CompiledStat[]; readonly forms: readonly FormSpec[] };
  readonly devices: readonly string[];
  readonly view: ResolvedView;
  /** fields of a kind that may be missing because the view drops or withholds them */
  dropped(kind: string): readonly string[];
}

const OWN = ['feed.epoch', 'feed.gap', 'feed.anchor', 'feed.key', 'feed.erased'];
const ALWAYS = ['clock.synced', ...OWN];
/** free text: personal unless its source says otherwise */
const TEXTS = ['by', 'mute_reason', 'values', 'fields', 'text', 'name'];

export function toldTo(
  feed: FeedModel,
  view: ResolvedView,
  site: SiteModel,
  made: ReadonlyMap<string, readonly PointModel[]>,
): Told {
  const isAll = view.kind === 'everything';
  const points = [...allPoints(site, made)].map(([id, point]): ToldPoint => {
    const device = id.slice(0, id.indexOf('.'));
    const { type, keepDays } = site.devices.get(device) ?? site.assets.get(device) ?? {};
    const isTold = isAll || view.points[device]?.[point.id] !== undefined;
    const days = [keepDays, point.keepDays].filter((n) => n !== undefined);
    return { device, type, point, keepDays: days.length === 0 ? undefined : Math.min(...days), isTold };
  });
  const { stats } = compileStats(site, made);
  const forms = formsOf(site);
  const isStat = ({ model }: CompiledStat): boolean => isAll || Object.hasOwn(view.stats, model.id);
  const isForm = ({ id }: FormSpec): boolean => isAll || Object.hasOwn(view.forms, id);
  return {
    feed: feed.id,
    source: `urn:weinao:${site.site.id}:${site.gateway.id}`,
    model: feed,
    kinds: kindsOf(view, feed, site),
    points,
    stats: stats.filter(isStat),
    forms: forms.filter(isForm),
    withheld: { stats: stats.filter((s) => !isStat(s)), forms: forms.filter((f) => !isForm(f)) },
    devices: isAll ? [...new Set([...site.devices.keys(), ...made.keys()])] : view.devices,
    view,
    dropped: (kind) => (isAll ? [] : [...TEXTS, ...dropsOf(view, kind)]),
  };
}

type Listed = Extract<ResolvedView, { kind: 'list' }>;

function kindsOf(view: ResolvedView, feed: FeedModel, site: SiteModel): string[] {
  if (view.kind === 'everything') return [...new Set([...EVENT_KINDS, ...OWN])];
  const isCalled = [...site.people.values()].some((person) => person.feed === feed.id);
  const families = [
    ...(view.alarms.length > 0 || isCalled ? ['alarm.'] : []),
    ...(Object.keys(view.points).length > 0 ? ['telemetry.'] : []),
    ...(view.devices.length > 0 ? ['device.'] : []),
    ...(Object.keys(view.stats).length > 0 ? ['stat.'] : []),
    ...(Object.keys(view.forms).length > 0 ? ['report.'] : []),
    // Whoever may ask is answered.
    ...(view.commands === undefined && feed.commands === undefined ? [] : ['command.']),
    ...(view.config === undefined ? [] : ['config.']),
  ];
  const kinds = EVENT_KINDS.filter((kind) => families.some((family) => kind.startsWith(family)));
  return [...new Set([...kinds, ...ALWAYS])];
}

function dropsOf(view: Listed, kind: string): readonly string[] {
  if (kind.startsWith('alarm.')) return view.alarms.flatMap((rights) => rights.drop);
  if (kind === 'stat.computed') return Object.values(view.stats).flatMap((rights) => rights.drop);
  if (kind === 'report.created') return Object.values(view.forms).flatMap((rights) => rights.drop);
  return [];
}
