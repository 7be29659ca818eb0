/**
 * Entitlement views: what a feed may see (feed.md 10). A view is written as selections (ViewSpec), and resolved against the site into plain data
 * (ResolvedView) that stands in the feed's contract: every point with its class, so that the outward function needs nothing else.
 *
 * Default deny: what no selection names does not leave, and of what is selected the personal and sensitive parts leave only where `classes`
 * names them. Samples of a device that has a personal point carry its id, so that they need a named class even where their own is none. Two things need no selection: `clock.synced` and the feed's own `feed.*`, without which nobody could read the rest; and an alarm
 * that was escalated to the feed, which must not be lost (its personal parts follow the rule above).
 *
 * Not hidden: when the journal committed. What must be on the disk at once takes waiting telemetry along, so that who sees telemetry sees, in how it is
 * grouped and recorded, that something else was written in that second, and not what.
 */
import { createHash } from 'node:crypto';
import type { DataClass } from './data-class.ts';
import type { Level } from './event.ts';
import { canonical, type JsonObject } from './json.ts';

/** What a view has to name. */
export const NAMED_CLASSES = ['personal', 'sensitive'] as const satisfies readonly DataClass[];
export type NamedClass = (typeof NAMED_CLASSES)[number];

/** Which devices, assets or places; all that is given must fit. */
export interface ThingSelector {
  readonly type?: readonly string[] | undefined;
  /** all of them */
  readonly tag?: readonly string[] | undefined;
  /** in the place or in a place within it */
  readonly zone?: readonly string[] | undefined;
  /** ids; `*` stands for any letters */
  readonly device?: readonly string[] | undefined;
}

export interface RightsSpec {
  readonly classes?: readonly NamedClass[] | undefined;
  /** names of fields that are left out */
  readonly drop?: readonly string[] | undefined;
  /** take phone and id-card numbers out of texts although the class is named */
  readonly scrub?: boolean | undefined;
}

export interface AlarmFilter extends ThingSelector {
  /** of the highest level it ever had */
  readonly level?: readonly Level[] | undefined;
  readonly theme?: readonly string[] | undefined;
  readonly rule?: readonly string[] | undefined;
  /** only alarms that were escalated to this feed */
  readonly told?: true | undefined;
}

export interface SelectionSpec {
  readonly alarms?: (AlarmFilter & RightsSpec & { readonly or?: AlarmFilter | undefined }) | undefined;
  readonly telemetry?:
    | (ThingSelector & Pick<RightsSpec, 'classes'> & { readonly points?: readonly string[] | undefined })
    | undefined;
  readonly devices?: (ThingSelector & Pick<RightsSpec, 'classes'>) | undefined;
  /** by name of the stat; `at_least`: only windows that rest on so many */
  readonly stats?: Readonly<Record<string, RightsSpec & { readonly at_least?: number | undefined }>> | undefined;
  readonly forms?: Readonly<Record<string, RightsSpec>> | undefined;
  readonly commands?: RightsSpec | undefined;
  readonly config?: RightsSpec | undefined;
}

export type ViewSpec = 'everything' | readonly SelectionSpec[];

/** How the fields of a selected event leave. */
export interface Rights {
  readonly classes: readonly NamedClass[];
  readonly drop: readonly string[];
  readonly scrub: boolean;
}

export interface AlarmRights extends Rights {
  readonly level?: readonly Level[];
  readonly theme?: readonly string[];
  readonly rule?: readonly string[];
  readonly told?: true;
  /** ids of devices, assets and places it may be about */
  readonly about?: readonly string[];
}

/** class of each point, by device and point */
export type ClassedPoints = Readonly<Record<string, Readonly<Record<string, DataClass>>>>;

export type ResolvedView =
  /** `points`: those that are not of class none */
  | { readonly kind: 'everything'; readonly points: ClassedPoints }
  | {
      readonly kind: 'list';
      readonly alarms: readonly AlarmRights[];
      /** the only points whose samples leave */
      readonly points: ClassedPoints;
      /** devices whose coming, going and model are told */
      readonly devices: readonly string[];
      readonly stats: Readonly<Record<string, Rights & { readonly least: number }>>;
      readonly forms: Readonly<Record<string, Rights>>;
      readonly commands?: Rights;
      readonly config?: Rights;
    };

export const EVERYTHING: ResolvedView = { kind: 'everything', points: {} };

/** What a feed's contract says about what it may see. */
export interface Entitlement {
  /** `{view}.{version}` */
  readonly view: string;
  readonly selects: ResolvedView;
  /** which secret its pseudonyms are made with */
  readonly pseudonyms: string;
}

/**
 * `{view}.{version}`. The version is a hash of what was resolved, no counter: the same redaction has the same name in every journal, also after
 * the file was lost, and it can be told from the configuration alone.
 */
export function viewLabel(feed: string, view: ResolvedView): string {
  const hash = createHash('sha256')
    .update(canonical(view as unknown as JsonObject))
    .digest('hex');
  return `${view.kind === 'everything' ? 'everything' : feed}.${hash.slice(0, 8)}`;
}

/** Whether a view's rights name a class. */
export const isNamed = (rights: Pick<Rights, 'classes'>, of: DataClass): boolean =>
  of === 'none' || rights.classes.includes(of);
