/** What life.ts says in its file `marks`, and what both sides of the power-cut test must agree on. */
import type { Stream } from '../../src/base/event.ts';
import type { EraseCounts } from '../../src/base/feed.ts';

/** small, so that segments are dropped all the time */
export const BUDGET = 256 * 1024;
/** bytes free on the disk: enough, and no ballast is laid for each of thousands of images */
export const FREE = 40 * 1024 * 1024;
/** in the file of the oldest version, which no feed of today was to see */
export const OLD_EVENTS = 40;
export const PERSON = '王小明金丝雀';
export const STREET = {
  feed: 'street',
  source: 'urn:weinao:s:g',
  encoding: 'json',
  keepMs: 300 * 86_400_000,
  priority: 5,
} as const;

/** A member as the platform was sent it. */
export interface Told {
  readonly stream: Stream;
  readonly epoch: string;
  readonly seq: number;
  readonly id: string;
  readonly hash: string;
  /** SHA-256 */
  readonly payload: string;
}

export interface Mark {
  /** what comes now, or (`dropped`) that it has happened in this phase */
  readonly phase?: string;
  readonly ids?: readonly string[];
  readonly state?: readonly [string, number];
  /** samples committed so far */
  readonly samples?: number;
  readonly members?: readonly Told[];
  readonly erased?: EraseCounts;
}

/** What the process was told to be durable before a record of its trace. */
export class Promises {
  readonly ids = new Set<string>();
  readonly states = new Map<string, number>();
  readonly members = new Map<string, Told>();
  samples = 0;
  phase = '';
  erased = false;

  take(mark: Mark): void {
    for (const id of mark.ids ?? []) this.ids.add(id);
    if (mark.state !== undefined) this.states.set(...mark.state);
    for (const told of mark.members ?? []) this.members.set(placeOf(told), told);
    this.samples = mark.samples ?? this.samples;
    if (mark.phase !== undefined && mark.phase !== 'dropped') this.phase = mark.phase;
    if (mark.erased !== undefined) this.erased = true;
  }
}

export const placeOf = ({ stream, epoch, seq }: Pick<Told, 'stream' | 'epoch' | 'seq'>): string =>
  `${stream}.${epoch} ${seq}`;
