/** A telemetry group as a feed may see it: only samples of points its view names, and no hint of the others. Pure. */
import type { JournalRow } from '../base/feed.ts';
import { canonical, type JsonObject } from '../base/json.ts';
import { scrub } from '../base/scrub.ts';
import type { NamedClass, ResolvedView } from '../base/view.ts';

export type Group = Extract<JournalRow, { kind: 'group' }>;

export interface Shown {
  /** canonical JSON of `data` */
  readonly data: string;
  readonly count: number;
  /** event times of what is shown, UTC ms */
  readonly oldest: number;
  readonly newest: number;
  readonly disclosed: Readonly<Partial<Record<NamedClass, number>>>;
  /** whose values of those classes they are */
  readonly about: Readonly<Partial<Record<NamedClass, readonly string[]>>>;
}

interface Sample {
  readonly d: string;
  readonly p: string;
  readonly t: string;
  readonly v?: boolean | number | string;
}

/** Undefined when the view lets none of it out. */
export function showGroup(view: ResolvedView, group: Group): Shown | undefined {
  const text = new TextDecoder().decode(group.samples);
  // Nothing is withheld from it and nothing in it is anybody's: what it holds is of no interest.
  if (view.kind === 'everything' && isEmpty(view.points) && group.count > 0)
    return { ...seen(group), data: dataOf(text) };
  const parsed = JSON.parse(text) as Sample[] | { salt: string; samples: Sample[] };
  const samples = Array.isArray(parsed) ? parsed : parsed.samples;
  const disclosed: Partial<Record<NamedClass, number>> = {};
  const about: Partial<Record<NamedClass, string[]>> = {};
  const kept = samples.filter(({ d, p }) => {
    const of = classOf(view, d, p);
    if (of !== undefined && of !== 'none') {
      disclosed[of] = (disclosed[of] ?? 0) + 1;
      about[of] ??= [];
      if (!about[of].includes(d)) about[of].push(d);
    }
    return of !== undefined;
  });
  if (kept.length === 0) return undefined;
  const whole = { ...seen(group), disclosed, about };
  const isClean = view.kind === 'everything' || kept.every((s) => typeof s.v !== 'string');
  if (kept.length === samples.length && isClean) return { ...whole, data: dataOf(text) };
  const told = kept.map((s) => canonical(scrubbed(view, s) as unknown as JsonObject)).join(',');
  const salt = Array.isArray(parsed) ? '' : `"salt":${canonical(parsed.salt)},`;
  const times = kept.map((s) => Date.parse(s.t)).filter((t) => Number.isFinite(t));
  return {
    data: `{${salt}"samples":[${told}]}`,
    count: kept.length,
    oldest: Math.min(...times, group.newest),
    newest: times.length === 0 ? group.newest : Math.max(...times),
    disclosed,
    about,
  };
}

function isEmpty(points: object): boolean {
  for (const _ in points) return false;
  return true;
}

const seen = ({ oldest, newest, count }: Group) => ({ oldest, newest, count, disclosed: {}, about: {} });
const dataOf = (samples: string): string => (samples.startsWith('[') ? `{"samples":${samples}}` : samples);

/** Undefined = not for this feed. */
function classOf(view: ResolvedView, device: string, point: string) {
  const points = Object.hasOwn(view.points, device) ? view.points[device] : undefined;
  const of = points !== undefined && Object.hasOwn(points, point) ? points[point] : undefined;
  return of ?? (view.kind === 'everything' ? 'none' : undefined);
}

function scrubbed(view: ResolvedView, sample: Sample): Sample {
  if (view.kind === 'everything' || typeof sample.v !== 'string') return sample;
  return classOf(view, sample.d, sample.p) === 'none' ? { ...sample, v: scrub(sample.v) } : sample;
}
