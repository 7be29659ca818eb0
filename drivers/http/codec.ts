/**
 * The bodies of requests: CloudEvents 1.0 in the structured and the batched mode of its HTTP binding, or plain JSON. A batch is taken whole or not at all.
 */
import { readJson } from '../../src/kit/pick.ts';

export const MOST_EVENTS = 100;
const MOST_ATTRIBUTE = 256;

export interface Event {
  /** what paths begin at: the whole event, its `data` under that name */
  readonly root: unknown;
  /** source and id of a CloudEvent */
  readonly key?: string;
}

export type Bodied<T> = T | { readonly status: 400 | 413 | 415; readonly error: string };

export function eventsIn(
  contentType: string | undefined,
  body: Uint8Array,
): Bodied<{ readonly events: readonly Event[] }> {
  const type = mediaType(contentType);
  const kind = KINDS.get(type);
  if (kind === undefined)
    return { status: 415, error: `content type ${type.slice(0, 64)}: ${[...KINDS.keys()].join(' ')}` };
  const read = readJson(body);
  if ('refused' in read) return { status: read.refused === 'too_big' ? 413 : 400, error: read.refused };
  if (kind === 'batch' && !Array.isArray(read.value)) return { status: 400, error: 'a batch is an array' };
  const roots: readonly unknown[] = Array.isArray(read.value) && kind !== 'event' ? read.value : [read.value];
  if (roots.length > MOST_EVENTS) return { status: 413, error: `more than ${MOST_EVENTS} events` };
  const events: Event[] = [];
  for (const root of roots) {
    if (typeof root !== 'object' || root === null || Array.isArray(root))
      return { status: 400, error: 'an event is an object' };
    const wrong = kind === 'plain' ? undefined : wrongOf(root as Attributes);
    if (wrong !== undefined) return { status: 400, error: wrong };
    const { source, id } = root as Attributes;
    events.push(kind === 'plain' ? { root } : { root, key: `${String(source)}\n${String(id)}` });
  }
  return { events };
}

const KINDS: ReadonlyMap<string, 'plain' | 'event' | 'batch'> = new Map([
  ['application/json', 'plain'],
  ['application/cloudevents+json', 'event'],
  ['application/cloudevents-batch+json', 'batch'],
]);

type Attributes = Readonly<Record<'specversion' | 'id' | 'source' | 'type', unknown>>;

/** What is missing of what every CloudEvent must have. */
function wrongOf(event: Attributes): string | undefined {
  if (event.specversion !== '1.0') return 'specversion: 1.0';
  const isText = (x: unknown): boolean => typeof x === 'string' && x !== '' && x.length <= MOST_ATTRIBUTE;
  return (['id', 'source', 'type'] as const).find((name) => !isText(event[name]));
}

/** Without its parameters, of which only the character set could matter; JSON is UTF-8. */
const mediaType = (given = ''): string => (given.split(';', 1)[0] ?? '').trim().toLowerCase();

export interface Entry {
  readonly form: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly id?: string;
}

export function entryIn(contentType: string | undefined, body: Uint8Array): Bodied<Entry> {
  if (mediaType(contentType) !== 'application/json') return { status: 415, error: 'content type application/json' };
  const read = readJson(body);
  if ('refused' in read) return { status: read.refused === 'too_big' ? 413 : 400, error: read.refused };
  const { form, fields, id } = (typeof read.value === 'object' ? (read.value ?? {}) : {}) as Readonly<
    Record<string, unknown>
  >;
  if (typeof form !== 'string' || form === '' || form.length > 64) return { status: 400, error: 'form' };
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return { status: 400, error: 'fields' };
  if (id !== undefined && (typeof id !== 'string' || id === '' || id.length > MOST_ATTRIBUTE))
    return { status: 400, error: 'id' };
  return { form, fields: fields as Entry['fields'], ...(id === undefined ? {} : { id }) };
}
