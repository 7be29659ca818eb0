/**
 * The outward function: a feed's members out of the journal's rows. CloudEvents 1.0, JSON structured, canonical (RFC 8785), chained.
 *
 * It is pure: the same contract, head and row give the same bytes, in every process and after every crash. Nothing random, no wall clock, no
 * signature. A change of the bytes is a change of ENCODER (a golden test guards it), and so a new epoch.
 * wndata = SHA-256 of canonical `data`; wnhash = SHA-256 of the canonical envelope without `data` and `wnhash`; wnprev = the one before.
 */
import { createHash } from 'node:crypto';
import { renderTemplate } from '../base/alarm-text.ts';
import type { Level, StoredEvent, Stream } from '../base/event.ts';
import { streamOf } from '../base/event.ts';
import type { ContractRow, Gap, JournalRow, OutMessage, Outward, StreamHead } from '../base/feed.ts';
import { derivedUlid } from '../base/ids.ts';
import { canonical, type JsonObject } from '../base/json.ts';
import { pack } from '../base/pack.ts';
import { isoTime } from '../base/time.ts';

export const ENCODER = 1;
const SEQUENCE_DIGITS = 16;
/** OpenTelemetry's numbers for the four warning levels */
const SEVERITY: Readonly<Record<Level, readonly [number, string]>> = {
  blue: [9, 'INFO'],
  yellow: [13, 'WARN'],
  orange: [17, 'ERROR'],
  red: [21, 'FATAL'],
};

export function createOutward(): Outward {
  return {
    encoder: ENCODER,
    open: (contract, stream, position) => {
      const epoch = epochMember(contract, stream, position);
      return contract.gap?.stream === stream ? [epoch, gapMember(contract, contract.gap, epoch)] : [epoch];
    },
    encode: (contract, stream, head, row) => {
      if (row.kind === 'group') return stream === 't' ? groupMember(contract, head, row) : undefined;
      return streamOf(row.event.kind) === stream ? eventMember(contract, stream, head, row.event) : undefined;
    },
  };
}

interface Draft {
  readonly id: string;
  readonly type: string;
  readonly position: number;
  readonly attributes: JsonObject;
  /** canonical JSON of `data` */
  readonly data: string;
  readonly red: boolean;
  readonly samples: number;
}

function epochMember(contract: ContractRow, stream: Stream, position: number): OutMessage {
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
    red: false,
    samples: 0,
  });
}

function gapMember(contract: ContractRow, { stream, reason, lost, from, to }: Gap, head: StreamHead): OutMessage {
  return seal(contract, stream, head, {
    id: derivedUlid(contract.madeAt, contract.id, `gap.${stream}`),
    type: 'feed.gap',
    position: head.position,
    attributes: { time: isoTime(contract.madeAt), recordedtime: isoTime(contract.madeAt) },
    data: canonical({ reason, lost, from: isoTime(from), to: isoTime(to) }),
    red: false,
    samples: 0,
  });
}

function groupMember(contract: ContractRow, head: StreamHead, row: Extract<JournalRow, { kind: 'group' }>): OutMessage {
  const samples = new TextDecoder().decode(row.samples);
  const unsynced = row.synced ? {} : { wnclock: 'unsynced', wnboot: row.boot, wnmono: String(Math.round(row.mono)) };
  return seal(contract, 't', head, {
    id: row.id,
    type: 'telemetry.sampled',
    position: row.position,
    attributes: { time: isoTime(row.newest), recordedtime: isoTime(row.recorded), ...unsynced },
    data: samples.startsWith('[') ? `{"samples":${samples}}` : samples,
    red: false,
    samples: row.count,
  });
}

function eventMember(contract: ContractRow, stream: Stream, head: StreamHead, event: StoredEvent): OutMessage {
  const { subject, correlation, causation, level, late, test, at } = event;
  const [number, text] = level === undefined ? [] : SEVERITY[level];
  return seal(contract, stream, head, {
    id: event.id,
    type: event.kind,
    position: event.position,
    attributes: {
      time: isoTime(at.wall),
      recordedtime: isoTime(event.recorded),
      ...(subject === undefined ? {} : { subject }),
      ...(correlation === undefined ? {} : { correlationid: correlation }),
      ...(causation === undefined ? {} : { causationid: causation }),
      ...(number === undefined || text === undefined ? {} : { severitynumber: number, severitytext: text }),
      ...(late === true ? { wnlate: 'device' } : {}),
      ...(test === true ? { wntest: true } : {}),
      ...(at.synced ? {} : { wnclock: 'unsynced', wnboot: event.boot, wnmono: String(Math.round(at.mono)) }),
    },
    data: canonical(rendered(event)),
    red: level === 'red',
    samples: 0,
  });
}

/** An alarm's text is a template until it leaves. */
function rendered(event: StoredEvent): JsonObject {
  const { text, values } = event.data;
  if (
    !event.kind.startsWith('alarm.') ||
    typeof text !== 'string' ||
    typeof values !== 'object' ||
    Array.isArray(values)
  )
    return event.data;
  return { ...event.data, text: renderTemplate(text, values as JsonObject) };
}

function seal(contract: ContractRow, stream: Stream, head: StreamHead, draft: Draft): OutMessage {
  const seq = head.seq + 1;
  const envelope: JsonObject = {
    specversion: '1.0',
    id: draft.id,
    source: contract.source,
    type: `weinao.${draft.type}.v1`,
    datacontenttype: 'application/json',
    sequence: String(seq).padStart(SEQUENCE_DIGITS, '0'),
    wnstream: `${contract.feed}.${stream}.${contract.epoch}`,
    wnview: contract.view,
    wnprev: head.hash,
    wndata: sha256(draft.data),
    ...draft.attributes,
  };
  const hash = sha256(canonical(envelope));
  const members = Object.keys(envelope).map((key) => [key, canonical(envelope[key] ?? '')]);
  members.push(['data', draft.data], ['wnhash', `"${hash}"`]);
  members.sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  const text = `{${members.map(([key, value]) => `"${key}":${value}`).join(',')}}`;
  const bytes = new TextEncoder().encode(text);
  const subject = envelope.subject;
  return {
    stream,
    seq,
    hash,
    position: draft.position,
    id: draft.id,
    type: String(envelope.type),
    ...(typeof subject === 'string' ? { subject } : {}),
    red: draft.red,
    samples: draft.samples,
    payload: contract.encoding === 'json+zstd' ? pack(bytes) : bytes,
  };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
