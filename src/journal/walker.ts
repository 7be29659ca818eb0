/** A walk over the rows that makes members: the same rows, contract and head give the same bytes. */
import type { Stream } from '../base/event.ts';
import {
  type ContractRow,
  type JournalRow,
  type MadeMessage,
  type OutMessage,
  type Outward,
  type StreamHead,
  unitsOf,
} from '../base/feed.ts';

const WINDOW_BYTES = 1024 * 1024;

/** A member in the window. Its payload goes to whoever asks for it first. */
interface Kept extends Omit<MadeMessage, 'payload'> {
  payload: Uint8Array | undefined;
  /** bytes of the payload */
  readonly size: number;
  /** events and samples the view withheld between the member before and this one */
  readonly withheld: number;
}

export interface Walker {
  /** head of the last member in the window, or the row behind it that gave none */
  head: StreamHead;
  window: Kept[];
  bytes: number;
  /** the last member that was given out */
  given: number;
  /** events and samples the view withheld behind the last member of the window */
  withheld: number;
}

/** One feed's stream, and where its rows come from. */
export interface Course {
  readonly outward: Outward;
  readonly contract: ContractRow;
  readonly stream: Stream;
  /** some rows behind a position, oldest first */
  rows(position: number): readonly JournalRow[];
}

export const walkerAt = (head: StreamHead): Walker => ({
  head,
  window: [],
  bytes: 0,
  given: head.seq,
  withheld: 0,
});

export const headOf = ({ position, seq, hash }: StreamHead): StreamHead => ({ position, seq, hash });

export function restart(walker: Walker, head: StreamHead): void {
  Object.assign(walker, walkerAt(head));
}

/** Makes members up to the one of this number, or as many as the window holds. */
export function walk(course: Course, walker: Walker, upTo: number): void {
  const { outward, contract, stream } = course;
  if (walker.head.seq === 0 && upTo > 0) add(walker, outward.open(contract, stream, walker.head.position));
  while (walker.head.seq < upTo && walker.bytes < WINDOW_BYTES) {
    const rows = course.rows(walker.head.position);
    if (rows.length === 0) return;
    for (const row of rows) {
      const member = outward.encode(contract, stream, walker.head, row);
      walker.withheld += unitsOf(row, stream) - (member?.units ?? 0);
      if (member === undefined) walker.head = { ...walker.head, position: row.position };
      else add(walker, member);
      if (walker.bytes >= WINDOW_BYTES || walker.head.seq >= upTo) return;
    }
  }
}

/** A walker that stands on this member, with nothing in its window; undefined when the rows end before it. */
export function walkTo(course: Course, start: StreamHead, seq: number): Walker | undefined {
  const walker = walkerAt(start);
  while (walker.head.seq < seq) {
    const before = walker.head;
    walk(course, walker, seq);
    if (walker.head.seq === before.seq && walker.head.position === before.position) return undefined;
    restart(walker, walker.head);
  }
  return walker;
}

/** Members behind `after`, so many and about so many bytes; whoever asks for one again must `restart`. */
export function give(walker: Walker, after: number, limit: { max: number; bytes: number }): OutMessage[] {
  const out: OutMessage[] = [];
  let bytes = 0;
  const begin = Math.max(0, after + 1 - (walker.window[0]?.seq ?? 0));
  for (let i = begin; i < walker.window.length && out.length < limit.max; i++) {
    const member = walker.window[i];
    if (member?.payload === undefined || (out.length > 0 && bytes + member.size > limit.bytes)) break;
    bytes += member.size;
    out.push({ ...member, payload: member.payload });
    member.payload = undefined;
    walker.given = member.seq;
  }
  return out;
}

function add(walker: Walker, member: MadeMessage): void {
  walker.window.push({ ...member, size: member.payload.length, withheld: walker.withheld });
  walker.withheld = 0;
  walker.bytes += member.payload.length;
  walker.head = headOf(member);
}

/** The oldest members are taken: what they told, and what was withheld on the way to them. */
export function take(walker: Walker, count: number): { members: Kept[]; delivered: number; withheld: number } {
  const members = walker.window.splice(0, count);
  let [delivered, withheld] = [0, 0];
  for (const member of members) {
    walker.bytes -= member.size;
    delivered += member.units;
    withheld += member.withheld;
  }
  return { members, delivered, withheld };
}

/** The cursor goes on to where the walker stands, with nothing in between but what was withheld. */
export function passed(walker: Walker): { delivered: number; withheld: number } {
  const { withheld } = walker;
  walker.withheld = 0;
  return { delivered: 0, withheld };
}
