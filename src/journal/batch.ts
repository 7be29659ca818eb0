/**
 * Members on their way from the store's thread: one column for each thing that is told of them, and all payloads in one piece of memory, which changes
 * hands. A copy of each member with a piece of memory of its own would cost both threads more than making it.
 */
import type { Stream } from '../base/event.ts';
import type { OutMessage } from '../base/feed.ts';

/** Members of one epoch's stream that follow each other. */
export interface Batch {
  readonly stream: Stream;
  readonly epoch: string;
  /** sequence of the first */
  readonly first: number;
  readonly hashes: string[];
  readonly positions: number[];
  readonly ids: string[];
  readonly types: string[];
  readonly subjects: (string | undefined)[];
  readonly reds: boolean[];
  readonly samples: number[];
  /** where in `payloads` each one ends */
  readonly ends: number[];
  readonly payloads: Uint8Array<ArrayBuffer>;
}

export function batchOf(stream: Stream, members: readonly OutMessage[]): Batch {
  const payloads = new Uint8Array(members.reduce((sum, { payload }) => sum + payload.length, 0));
  let end = 0;
  const ends = members.map(({ payload }) => {
    payloads.set(payload, end);
    end += payload.length;
    return end;
  });
  return {
    stream,
    epoch: members[0]?.epoch ?? '',
    first: members[0]?.seq ?? 0,
    hashes: members.map((m) => m.hash),
    positions: members.map((m) => m.position),
    ids: members.map((m) => m.id),
    types: members.map((m) => m.type),
    subjects: members.map((m) => m.subject),
    reds: members.map((m) => m.red),
    samples: members.map((m) => m.samples),
    ends,
    payloads,
  };
}

export function membersOf(batch: Batch): OutMessage[] {
  const { stream, epoch, first, hashes, positions, ids, types, subjects, reds, samples, ends, payloads } = batch;
  return ends.map((end, i) => {
    const subject = subjects[i];
    return {
      stream,
      epoch,
      seq: first + i,
      hash: hashes[i] ?? '',
      position: positions[i] ?? 0,
      id: ids[i] ?? '',
      type: types[i] ?? '',
      ...(subject === undefined ? {} : { subject }),
      red: reds[i] ?? false,
      samples: samples[i] ?? 0,
      payload: payloads.subarray(ends[i - 1] ?? 0, end),
    };
  });
}

/** What changes hands with an answer. */
export function movedWith(value: unknown): ArrayBuffer[] {
  return typeof value === 'object' && value !== null && 'payloads' in value ? [(value as Batch).payloads.buffer] : [];
}
