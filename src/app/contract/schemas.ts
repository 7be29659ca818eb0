/**
 * JSON Schemas (draft 2020-12) of what a feed carries: one for each type of event, envelope and data, self-contained. They are closed: what they do not
 * name does not leave. Only keywords of mini validators are used: type const enum properties required additionalProperties items pattern minimum
 * maximum minLength maxLength maxItems.
 */
import { LEVELS, type Stream, streamOf } from '../../base/event.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Told } from './told.ts';

export const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

export type Schema = JsonObject;

const text: Schema = { type: 'string' };
const number: Schema = { type: 'number' };
const count: Schema = { type: 'integer', minimum: 0 };
const yes: Schema = { const: true };
const value: Schema = { type: ['boolean', 'number', 'string'] };
const id: Schema = { type: 'string', pattern: '^[0-9A-HJKMNP-TV-Z]{26}$' };
const hash: Schema = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const time: Schema = { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$' };
const share: Schema = { type: 'number', minimum: 0, maximum: 1 };
const oneOf = (words: readonly string[]): Schema => ({ type: 'string', enum: words });
const listOf = (items: Schema): Schema => ({ type: 'array', items });
const mapOf = (of: Schema): Schema => ({ type: 'object', additionalProperties: of });

/** A closed object; keys that end with `?` may be missing. */
export function object(shape: Readonly<Record<string, Schema>>): Schema {
  const required = Object.keys(shape).filter((key) => !key.endsWith('?'));
  const properties = Object.fromEntries(Object.entries(shape).map(([key, of]) => [key.replace('?', ''), of]));
  return { type: 'object', properties, required, additionalProperties: false };
}

const CORE: Readonly<Record<string, Schema>> = {
  aid: id,
  rev: { type: 'integer', minimum: 1 },
  key: text,
  rule: text,
  ruleset: text,
  level: oneOf(LEVELS),
  condition: oneOf(['active', 'cleared']),
  ack: oneOf(['none', 'unacked', 'acked']),
  mute: oneOf(['none', 'shelved', 'suppressed', 'maintenance']),
  count: { type: 'integer', minimum: 1 },
  quality: oneOf(['good', 'uncertain']),
  observed: share,
  name: text,
  text,
  values: { type: 'object' },
  raised: time,
};
const position: Readonly<Record<string, Schema>> = { 'lat?': number, 'lon?': number };
const alarm = (): Schema =>
  object({
    ...CORE,
    'cleared?': time,
    'act?': text,
    'theme?': text,
    'device?': text,
    'place?': object({ path: text, 'name?': text, ...position }),
    'spot?': object({ 'path?': text, 'name?': text, ...position }),
    'reason?': text,
    'firedlate?': yes,
    'flapping?': yes,
    'latched?': yes,
    'by?': text,
    'mute_reason?': text,
    'mute_until?': time,
    'media?': listOf({ type: 'object' }),
    'escalation?': { type: 'object' },
  });

const sample = (): Schema =>
  object({ d: text, p: text, t: time, 'v?': value, 'q?': oneOf(['uncertain', 'bad']), 'why?': text });

function stat({ stats }: Told): Schema {
  return object({
    stat: oneOf(stats.map((s) => s.model.id)),
    from: time,
    to: time,
    'value?': mapOf(number),
    'n?': count,
    'k?': count,
    'coverage?': share,
    'unit?': text,
    'suppressed?': yes,
    rev: { type: 'integer', minimum: 1 },
  });
}

function report({ forms }: Told): Schema {
  const fields = new Map(forms.flatMap((form) => form.fields.map((f) => [f.id, value] as const)));
  return object({
    form: oneOf(forms.map((f) => f.id)),
    name: text,
    report: id,
    fields: { type: 'object', properties: Object.fromEntries(fields), additionalProperties: false },
    'place?': object({ path: text, 'name?': text, ...position }),
    'spot?': { type: 'object' },
    'by?': text,
  });
}

/** Data of a type of event; an open object where its owner says what it holds (commands, keys). */
function dataOf(kind: string, told: Told): Schema {
  if (kind.startsWith('alarm.')) return alarm();
  switch (kind) {
    case 'telemetry.sampled':
      return object({ samples: { ...listOf(sample()), maxItems: 1000 }, 'salt?': text });
    case 'stat.computed':
      return stat(told);
    case 'report.created':
      return report(told);
    case 'device.online':
    case 'device.offline':
      return object({ device: text, 'why?': text });
    case 'clock.synced':
      return object({ boot: text, offset: { type: 'integer' } });
    case 'audit.erased':
      return object({ 'by?': text, 'reason?': text, events: count, samples: count, 'pictures?': count });
    case 'config.changed':
      return object({ hash: text, how: text, 'by?': text, 'old?': text, 'sections?': text });
    case 'audit.disclosed':
      return object({
        feed: text,
        class: oneOf(['personal', 'sensitive']),
        from: time,
        to: time,
        members: count,
        values: count,
        subjects: count,
      });
    case 'feed.epoch':
      return object({ reason: text, 'old?': text, 'seq?': count, 'hash?': hash });
    case 'feed.gap':
      return object({
        reason: text,
        'lost?': count,
        'from?': time,
        'to?': time,
        'stream?': text,
        'first?': count,
        'last?': count,
      });
    default:
      return { type: 'object' };
  }
}

/** What a view drops or withholds is not there; nothing else is required less. */
function relaxed(schema: Schema, may: readonly string[]): Schema {
  const { required } = schema;
  if (!Array.isArray(required)) return schema;
  return { ...schema, required: (required as readonly string[]).filter((key) => !may.includes(key)) };
}

export function schemaOf(kind: string, told: Told): Schema {
  const stream = streamOfKind(kind);
  const envelope = object({
    specversion: { const: '1.0' },
    id,
    source: { const: told.source },
    type: { const: typeOf(kind) },
    'subject?': text,
    time,
    recordedtime: time,
    datacontenttype: { const: 'application/json' },
    sequence: { type: 'string', pattern: '^[0-9]{16}$' },
    wnstream: { type: 'string', pattern: `^${told.feed}\\.${stream}\\.[0-9a-f]{16}$` },
    wnview: text,
    wnprev: hash,
    wndata: hash,
    wnhash: hash,
    'wnlate?': { const: 'device' },
    'wnclock?': { const: 'unsynced' },
    'wnboot?': text,
    'wnmono?': text,
    'wntest?': yes,
    'correlationid?': text,
    'causationid?': text,
    'severitynumber?': { enum: [9, 13, 17, 21] },
    'severitytext?': oneOf(['INFO', 'WARN', 'ERROR', 'FATAL']),
    data: relaxed(dataOf(kind, told), told.dropped(kind)),
  });
  return { $schema: DRAFT, $id: `urn:weinao:schema:${told.feed}:${kind}:v1`, title: typeOf(kind), ...envelope };
}

export const typeOf = (kind: string): string => `weinao.${kind}.v1`;
/** `feed.epoch` and `feed.gap` may stand in both. */
export function streamOfKind(kind: string): Stream | '[at]' {
  return kind === 'feed.epoch' || kind === 'feed.gap' ? '[at]' : streamOf(kind as Parameters<typeof streamOf>[0]);
}
