/**
 * The contract of a feed, out of the configuration as it is and the view as it resolves: an AsyncAPI 3 document, a JSON Schema for each type of event
 * it is entitled to, and a page for people in Chinese and English. Whoever changes what leaves changes it here, too: tests hold it against what
 * was really sent.
 */
import type { JsonObject } from '../../base/json.ts';
import type { FeedModel, PointModel, SiteModel } from '../../base/model.ts';
import type { Text } from '../../base/text.ts';
import { type ResolvedView, viewLabel } from '../../base/view.ts';
import { asyncApi } from './asyncapi.ts';
import { page } from './page.ts';
import { type Schema, schemaOf } from './schemas.ts';
import { toldTo } from './told.ts';

export interface FeedContract {
  /** absent, as are schemas, where a codec says everything in a platform's own words */
  readonly asyncapi?: JsonObject;
  /** by type of event without `weinao.` and version: `alarm.raised` */
  readonly schemas: Readonly<Record<string, Schema>>;
  readonly page: Text;
}

export function contractOf(
  feed: FeedModel,
  view: ResolvedView,
  site: SiteModel,
  made: ReadonlyMap<string, readonly PointModel[]>,
): FeedContract {
  const told = toldTo(feed, view, site, made);
  const label = viewLabel(feed.id, view);
  const isStream = feed.codec === undefined || feed.codec === 'cloudevents';
  const schemas = isStream ? told.kinds.map((kind) => [kind, schemaOf(kind, told)]) : [];
  return {
    ...(isStream ? { asyncapi: asyncApi(told, site.site.id, label) } : {}),
    schemas: Object.fromEntries(schemas) as Record<string, Schema>,
    page: { zh: page(told, site, label, 'zh'), en: page(told, site, label, 'en') },
  };
}
