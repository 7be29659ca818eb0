/** A feed as the streams hold it: its contract and epoch, where its platform stands, and what is to be written down. */
import { STREAMS, type Stream } from '../base/event.ts';
import type { ContractRow, FeedDemand, GapReason, StreamHead } from '../base/feed.ts';
import { derivedUlid, ulid } from '../base/ids.ts';
import type { Standing } from './contracts.ts';
import type { Mark } from './marks.ts';
import type { Measured } from './measure.ts';
import { type Walker, walkerAt } from './walker.ts';

export const ZEROS = '0'.repeat(64);

/** What a new epoch is made of. */
export interface Fresh {
  /** 18 bytes */
  readonly entropy: Uint8Array;
  readonly wall: number;
}

export interface Feed {
  contract: ContractRow;
  standing: Standing;
  acked: Record<Stream, StreamHead>;
  walkers: Record<Stream, Walker>;
  /** positions of the last gap rows */
  gaps: Record<Stream, number>;
  /** heads of this epoch to be written down */
  marks: Mark[];
  /** nothing of this epoch is written yet */
  begins: boolean;
  dirty: boolean;
  /** nothing of this epoch was given out yet */
  untold: boolean;
}

/** What one feed loses of one stream: the rows up to a position. */
export interface Losing {
  readonly id: string;
  readonly stream: Stream;
  readonly loss: Measured;
  readonly position: number;
}

/** What feeds lost, for those who must know. */
export interface Lost {
  readonly feeds: readonly string[];
  /** those among them that begin a new epoch */
  readonly renewed: readonly string[];
  readonly stream: Stream;
  readonly why: GapReason;
}

export interface StreamHooks {
  lost(lost: Lost): void;
  /** for what begins a new epoch without being asked to */
  fresh(): Fresh;
}

/** A feed that has not taken what stands up to a position. */
export interface Behind {
  readonly id: string;
  readonly keepMs: number;
  readonly priority: number;
  readonly acked: number;
}

/** Whether a feed's epoch goes on under this demand. */
export function isSame(contract: ContractRow, demand: FeedDemand, encoder: number): boolean {
  const { source, view, selects, pseudonyms, encoding } = contract;
  const same = source === demand.source && encoding === demand.encoding && contract.encoder === encoder;
  const sees = view === demand.view && pseudonyms === demand.pseudonyms;
  return same && sees && JSON.stringify(selects) === JSON.stringify(demand.selects);
}

export function contractFor(
  { feed, source, view, selects, pseudonyms, encoding }: Omit<FeedDemand, 'keepMs' | 'priority'>,
  { entropy, wall }: Fresh,
  reason: string,
  encoder: number,
  old: ContractRow['old'],
): ContractRow {
  return {
    feed,
    epoch: Buffer.from(entropy.subarray(0, 8)).toString('hex'),
    source,
    view,
    selects,
    pseudonyms,
    encoder,
    encoding,
    id: ulid(wall, entropy.subarray(8)),
    madeAt: Math.round(wall),
    reason,
    ...(old === undefined ? {} : { old }),
  };
}

/** The epoch before, as the platform knows it: one of which nothing was given out is unknown to it. */
export const oldOf = ({ contract, acked, untold }: Feed): ContractRow['old'] =>
  untold && contract.old !== undefined ? contract.old : { epoch: contract.epoch, a: acked.a, t: acked.t };

export const gapId = ({ contract }: Feed, stream: Stream, position: number, wall: number): string =>
  derivedUlid(wall, contract.id, 'gap', stream, String(position));

export function newFeed(contract: ContractRow, acked: Record<Stream, StreamHead>, standing: Standing): Feed {
  const walkers = { a: walkerAt(acked.a), t: walkerAt(acked.t) };
  return {
    contract,
    standing,
    acked,
    walkers,
    gaps: { a: 0, t: 0 },
    marks: [],
    begins: false,
    dirty: false,
    untold: false,
  };
}

/** A feed whose epoch begins behind these positions: its first heads are its first marks. */
export function beginningOf(contract: ContractRow, from: Record<Stream, number>, standing: Standing): Feed {
  const start = (position: number): StreamHead => ({ position, seq: 0, hash: ZEROS });
  const acked = { a: start(from.a), t: start(from.t) };
  const marks = STREAMS.map((stream) => ({ feed: contract.feed, stream, ...acked[stream] }));
  return { ...newFeed(contract, acked, standing), marks, begins: true, dirty: true, untold: true };
}

/** The cursor passed so many. */
export function count<T extends { delivered: number; withheld: number }>(standing: Standing, passed: T): T {
  standing.delivered = (standing.delivered ?? 0) + passed.delivered;
  standing.withheld = (standing.withheld ?? 0) + passed.withheld;
  return passed;
}
