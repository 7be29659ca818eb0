/**
 * The outward function: a feed's members out of the journal's rows. CloudEvents 1.0, JSON structured, canonical (RFC 8785), chained.
 *
 * It is pure: the same contract, head and row give the same bytes, in every process and after every crash. Nothing random, no wall clock, no
 * signature. A change of the bytes is a change of ENCODER (a golden test guards it), and so a new epoch.
 * What a feed may see of a row is decided here and nowhere else (select.ts, redact.ts, samples.ts), before sequence and hash are made: the
 * stream neither contains nor hints at anything else. Pseudonyms need the gateway's secret, which is handed in once (`keyed`).
 * wndata = SHA-256 of canonical `data`; wnhash = SHA-256 of the canonical envelope without `data` and `wnhash`; wnprev = the one before.
 */
import { hash as digest } from 'node:crypto';
import type { Level, StoredEvent, Stream } from '../base/event.ts';
import { streamOf } from '../base/event.ts';
import type { ContractRow, Gap, JournalRow, MadeMessage, Outward, StreamHead } from '../base/feed.ts';
import { derivedUlid } from '../base/ids.ts';
import { canonical, type JsonObject } from '../base/json.ts';
import { pack } from '../base/pack.ts';
import { isoTime } from '../base/time.ts';
import { NAMED_CLASSES, type NamedClass } from '../base/view.ts';
import { type Pseudonyms, pseudonymsOf } from './pseudonym.ts';
import { redact } from './redact.ts';
import { type Group, showGroup } from './samples.ts';
import { rightsTo } from './select.ts';

export const ENCODER = 5;
const SEQUENCE_DIGITS = 16;
/** OpenTelemetry's numbers for the four warning levels */
const SEVERITY: Readonly<Record<Level, readonly [number, string]>> = {
  blue: [9, 'INFO'],
  yellow: [13, 'WARN'],
  orange: [17, 'ERROR'],
  red: [21, 'FATAL'],
};

/** @param secret of the gateway, for pseudonyms; never empty where anything leaves */
export function createOutward(secret: Uint8Array = new Uint8Array()): Outward {
  const pseudonyms = pseudonymsOf(secret);
  return {
    encoder: ENCODER,
    keyed: createOutward,
    open: epochMember,
    encode: (contract, stream, head, row) => {
      if (row.kind === 'gap') return gapMember(contract, stream, head, row.position, row.gap);
      if (row.erased !== undefined && isGone(contract, row)) return erasedMember(contract, stream, head, row);
      if (row.kind === 'group') return stream === 't' ? groupMember(contract, head, row) : undefined;
      return streamOf(row.event.kind) === stream
        ? eventMember(contract, stream, head, row.event, pseudonyms)
        : undefined;
    },
    entitled: (contract, stream, row) => {
      if (row.kind === 'gap' || (row.erased !== undefined && isGone(contract, row))) return undefined;
      if (row.kind === 'group') {
        const shown = stream === 't' ? showGroup(contract.selects, row) : undefined;
        return shown === undefined ? undefined : { units: shown.count, from: shown.oldest, to: shown.newest };
      }
      const { kind, at } = row.event;
      if (streamOf(kind) !== stream || !isSelected(contract, row.event)) return undefined;
      return { units: 1, from: at.wall, to: at.wall };
    },
  };
}

function isSelected({ selects, feed }: ContractRow, event: StoredEvent): boolean {
  return selects.kind === 'everything' || rightsTo(selects, feed, event) !== undefined;
}

/** Everything of an envelope that neither contract nor head decide. */
interface Attributes {
  readonly causation?: string | undefined;
  readonly correlation?: string | undefined;
  readonly recordedtime: string;
  readonly level?: Level | undefined;
  readonly subject?: string | undefined;
  readonly time: string;
  readonly late?: boolean | undefined;
  readonly test?: boolean | undefined;
  readonly unsynced?: { readonly boot: string; readonly mono: number } | undefined;
}

interface Draft {
  readonly id: string;
  readonly type: string;
  readonly position: number;
  readonly attributes: Attributes;
  /** canonical JSON of `data` */
  readonly data: string;
  /** its hash, when it is another one's than `data`'s */
  readonly wndata?: string;
  readonly red: boolean;
  readonly samples: number;
  readonly units: number;
  readonly disclosed: MadeMessage['disclosed'];
  readonly about: MadeMessage['about'];
}

type Content = Exclude<JournalRow, { kind: 'gap' }>;

const ERASED = '{"erased":true}';
/** what the feed says of itself */
const OWN = { red: false, samples: 0, units: 0, disclosed: {}, about: {} } as const;

function epochMember(contract: ContractRow, stream: Stream, position: number): MadeMessage {
  const old =
    contract.old === undefined
      ? {}
      : { old: contract.old.epoch, seq: contract.old[stream].seq, hash: contract.old[stream].hash };
  const id = stream === 'a' ? contract.id : derivedUlid(contract.madeAt, contract.id, stream);
  const head = { position, seq: 0, hash: '0'.repeat(64) };
  return seal(contract, stream, head, {
    id,
    type: 'feed.epoch',
    position,
    attributes: { time: isoTime(contract.madeAt), recordedtime: isoTime(contract.madeAt) },
    data: canonical({ reason: contract.reason, ...old }),
    ...OWN,
  });
}

function gapMember(contract: ContractRow, stream: Stream, head: StreamHead, position: number, gap: Gap): MadeMessage {
  const { id, reason, madeAt, loss, asked, erased } = gap;
  const lost = loss === undefined ? {} : { lost: loss.lost, from: isoTime(loss.from), to: isoTime(loss.to) };
  return seal(contract, stream, head, {
    id,
    type: erased === undefined ? 'feed.gap' : 'feed.erased',
    position,
    attributes: { time: isoTime(madeAt), recordedtime: isoTime(madeAt) },
    data: canonical(erased === undefined ? { reason, ...lost, ...asked } : { ids: erased }),
    ...OWN,
  });
}

/** Content that this feed gets no more: all of it was erased, or some of a member that may have been sent as it was. */
function isGone({ feed, epoch }: ContractRow, row: Content): boolean {
  return row.kind === 'event' || row.count === 0 || row.erased?.[feed]?.epoch === epoch;
}

/** An envelope without its content. Where it may have been sent it keeps its hashes, so that a replay fits the chain. */
function erasedMember(contract: ContractRow, stream: Stream, head: StreamHead, row: Content): MadeMessage | undefined {
  const mark = row.erased?.[contract.feed];
  const kind = row.kind === 'event' ? row.event.kind : 'telemetry.sampled';
  if (mark === undefined || streamOf(kind) !== stream) return undefined;
  const { time, subject } = mark;
  const own =
    row.kind === 'event'
      ? { id: row.event.id, attributes: { ...attributesOf(row.event, subject), time } }
      : { id: row.id, attributes: { time, recordedtime: isoTime(row.recorded), unsynced: unsyncedGroup(row) } };
  return seal(contract, stream, head, {
    ...own,
    type: kind,
    position: row.position,
    data: ERASED,
    ...(mark.epoch === contract.epoch ? { wndata: mark.wndata } : {}),
    ...OWN,
  });
}

const unsyncedGroup = ({ synced, boot, mono }: Group): Attributes['unsynced'] => (synced ? undefined : { boot, mono });

function groupMember(contract: ContractRow, head: StreamHead, row: Group): MadeMessage | undefined {
  const shown = showGroup(contract.selects, row);
  if (shown === undefined) return undefined;
  return seal(contract, 't', head, {
    id: row.id,
    type: 'telemetry.sampled',
    position: row.position,
    attributes: { time: isoTime(shown.newest), recordedtime: isoTime(row.recorded), unsynced: unsyncedGroup(row) },
    data: shown.data,
    red: false,
    samples: shown.count,
    units: shown.count,
    disclosed: shown.disclosed,
    about: shown.about,
  });
}

function eventMember(
  contract: ContractRow,
  stream: Stream,
  head: StreamHead,
  event: StoredEvent,
  pseudonyms: Pseudonyms,
): MadeMessage | undefined {
  const { selects, feed } = contract;
  const rights = selects.kind === 'everything' ? undefined : rightsTo(selects, feed, event);
  if (selects.kind !== 'everything' && rights === undefined) return undefined;
  const { data, subject, disclosed } = event.kind.startsWith('feed.')
    ? { data: ownOf(event, feed), subject: undefined, disclosed: {} }
    : redact(event, rights, (id) => pseudonyms(feed, contract.pseudonyms)(id));
  return seal(contract, stream, head, {
    id: event.id,
    type: event.kind,
    position: event.position,
    attributes: attributesOf(event, subject),
    data: canonical(data),
    red: event.level === 'red',
    samples: 0,
    units: 1,
    disclosed,
    about: aboutOf(event, disclosed),
  });
}

/** Whose values of a class an event discloses. */
function aboutOf({ data, subject }: StoredEvent, disclosed: MadeMessage['disclosed']): MadeMessage['about'] {
  const about: Partial<Record<NamedClass, readonly string[]>> = {};
  for (const of of NAMED_CLASSES) if (disclosed[of] !== undefined) about[of] = [String(data.device ?? subject ?? '')];
  return about;
}

/** What is said of the feeds themselves holds nothing of anybody; of an anchor each feed gets its own heads, and the hash over all. */
function ownOf({ kind, data }: StoredEvent, feed: string): JsonObject {
  if (kind !== 'feed.anchor') return data;
  return { ...data, heads: (data.heads as JsonObject | undefined)?.[feed] ?? [] };
}

/** Everything of an envelope that the event decides, but how its subject is told. */
function attributesOf(event: StoredEvent, subject: string | undefined): Attributes {
  const { correlation, causation, level, late, test, at, recorded, boot } = event;
  const time = isoTime(at.wall);
  return {
    causation,
    correlation,
    recordedtime: recorded === at.wall ? time : isoTime(recorded),
    level,
    subject,
    time,
    late,
    test,
    unsynced: at.synced ? undefined : { boot, mono: at.mono },
  };
}

function seal(contract: ContractRow, stream: Stream, head: StreamHead, draft: Draft): MadeMessage {
  const { id, position, data, red, samples, units, disclosed, about, attributes } = draft;
  const { epoch, encoding } = contract;
  const [first, second, third] = envelopeOf(contract, stream, head, draft);
  const hash = sha256(`{${first}${second}${third}`);
  const bytes = Buffer.from(`{${first}"data":${data},${second}${own('wnhash', hash)}${third}`);
  return {
    ...{ stream, epoch, seq: head.seq + 1, hash, position, id, type: typeOf(draft) },
    ...(attributes.subject === undefined ? {} : { subject: attributes.subject }),
    ...{ red, samples, units, disclosed, about },
    payload: encoding === 'json+zstd' ? pack(bytes) : bytes,
  };
}

/** Sorted as canonical JSON has it, in three parts: `data` stands between the first two, `wnhash` between the last. */
function envelopeOf(
  { source, feed, epoch, view }: ContractRow,
  stream: Stream,
  head: StreamHead,
  draft: Draft,
): readonly [string, string, string] {
  const { subject, level, late, test, time, recordedtime, unsynced, causation, correlation } = draft.attributes;
  const [severity, severityText] = level === undefined ? [] : SEVERITY[level];
  const first = told('causationid', causation) + told('correlationid', correlation);
  const second = [
    own('datacontenttype', 'application/json'),
    own('id', draft.id),
    own('recordedtime', recordedtime),
    own('sequence', String(head.seq + 1).padStart(SEQUENCE_DIGITS, '0')),
    told('severitynumber', severity),
    told('severitytext', severityText),
    told('source', source),
    own('specversion', '1.0'),
    told('subject', subject),
    own('time', time),
    told('type', typeOf(draft)),
    told('wnboot', unsynced?.boot),
    told('wnclock', unsynced && 'unsynced'),
    own('wndata', draft.wndata ?? sha256(draft.data)),
  ];
  const third = [
    told('wnlate', late === true ? 'device' : undefined),
    told('wnmono', unsynced && String(Math.round(unsynced.mono))),
    own('wnprev', head.hash),
    told('wnstream', `${feed}.${stream}.${epoch}`),
    told('wntest', test === true ? true : undefined),
    `"wnview":${canonical(view)}}`,
  ];
  return [first, second.join(''), third.join('')];
}

const typeOf = ({ type }: Draft): string => `weinao.${type}.v1`;
/** Text of our own making, in which nothing is to be escaped. */
const own = (key: string, value: string): string => `"${key}":"${value}",`;
const told = (key: string, value: boolean | number | string | undefined): string =>
  value === undefined ? '' : `"${key}":${canonical(value)},`;
const sha256 = (text: string): string => digest('sha256', text);
