/**
 * What the site knows of an event at its commit, written beside it because the site may be another one when it leaves: the class of the thing it is
 * about, where that is (as coarse as anybody may know, and exactly), and the feeds an alarm was escalated to.
 *
 * A thing the site does not know (any more: the last revisions of an alarm come when its device was taken out of the configuration; or a platform
 * named it) is taken for personal.
 */

import type { DataClass } from '../base/data-class.ts';
import type { EventDraft } from '../base/event.ts';
import { isUlid } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import type { SiteModel } from '../base/model.ts';
import { type Privacy, placeData, positionData, privacyOf } from '../base/privacy.ts';

export type Describe = (draft: EventDraft) => EventDraft;

/** @param made ids of things that rules made */
export function describer(model: SiteModel, made: Iterable<string>): Describe {
  const privacy = privacyOf(model);
  const own = new Set(['', SITE, ...made]);
  const isKnown = (id: string): boolean => [model.devices, model.assets, model.places, own].some((all) => all.has(id));
  const forms = new Set(model.rules.flatMap(({ body }) => (typeof body.form === 'string' ? [body.form] : [])));
  /** Of a command: what it wrote is of its point's class, and what no point or form is called is anybody's text. */
  const withOwn = (draft: EventDraft): EventDraft => {
    if (draft.kind !== 'command.result') return draft;
    const { device, point, form, aid } = draft.data;
    const known = model.devices.get(String(device))?.points.find((p) => p.id === point);
    const written = known?.class ?? 'personal';
    const found: Record<string, DataClass> = {
      ...(point === undefined ? {} : { value: written, read_back: written }),
      ...(point === undefined || known !== undefined ? {} : { point: 'personal' }),
      ...(form === undefined || forms.has(String(form)) ? {} : { form: 'personal' }),
      ...(aid === undefined || isUlid(String(aid)) ? {} : { aid: 'personal' }),
    };
    const classes = {
      ...draft.classes,
      ...Object.fromEntries(Object.entries(found).filter(([, of]) => of !== 'none')),
    };
    return Object.keys(classes).length === 0 ? draft : { ...draft, classes };
  };
  return (draft) => {
    const { kind, data, told } = draft;
    const thing = String(data.device ?? draft.subject ?? '');
    const feeds = kind.startsWith('alarm.') ? feedsOf(told ?? [], model) : told;
    const { told: _, ...rest } = draft;
    return {
      ...rest,
      ...placed(withOwn(draft), isOfThing(draft) && !isKnown(thing) ? 'personal' : privacy.of(thing), model, privacy),
      ...(feeds === undefined || feeds.length === 0 ? {} : { told: feeds }),
    };
  };
}

/** What is about things of the site; the rest is about the gateway, a form, a statistic. */
const ABOUT_THINGS = ['alarm', 'command', 'device'];
/** where a rule without `each` stands */
const SITE = 'site';

const isOfThing = ({ kind, data }: EventDraft): boolean =>
  ABOUT_THINGS.includes(kind.slice(0, kind.indexOf('.'))) && !String(data.rule ?? '').startsWith('sys.');

function feedsOf(people: readonly string[], model: SiteModel): readonly string[] {
  return [...new Set(people.flatMap((name) => model.people.get(name)?.feed ?? []))];
}

/** Data with its place, and the classes that go with both. */
function placed(
  { data, classes, subject }: EventDraft,
  ofThing: DataClass,
  model: SiteModel,
  privacy: Privacy,
): Pick<EventDraft, 'data' | 'classes'> {
  const thing = String(data.device ?? subject ?? '');
  const { path } = (data.place ?? {}) as { path?: unknown };
  const { at } = model.devices.get(thing) ?? model.assets.get(thing) ?? {};
  const zone = typeof path === 'string' ? path : undefined;
  const place = zone === undefined ? undefined : model.places.get(zone);
  const coarse = privacy.coarse(zone);
  const isFlat = place !== undefined && coarse !== place;
  const spot: JsonObject = {
    ...(isFlat ? placeData(place) : {}),
    ...(at === undefined ? {} : positionData(at)),
  };
  const ofSpot = isFlat ? privacy.of(place.id) : ofThing;
  const { place: _, ...others } = data;
  const hasSpot = Object.keys(spot).length > 0 && zone !== undefined;
  const known = {
    ...(ofThing === 'none' ? {} : { device: ofThing }),
    ...(hasSpot ? { spot: ofSpot } : {}),
  };
  const isKnown = classes !== undefined || Object.keys(known).length > 0;
  return {
    data: {
      ...others,
      ...(zone === undefined ? {} : { place: coarse === undefined ? { path: model.site.id } : placeData(coarse) }),
      ...(hasSpot ? { spot } : {}),
    },
    ...(isKnown ? { classes: { ...classes, ...known } } : {}),
  };
}
