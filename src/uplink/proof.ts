/**
 * When a stream's head is signed and published: at each start, every 256 members, every minute of traffic, after each red alarm, when nothing of
 * stream `a` is on its way any more, and at a stop. The broker's retained proof is also how a gateway finds out that its journal is an older copy of
 * itself: what left behind the last proof it cannot find.
 */
import type { OutMessage } from '../base/feed.ts';

const MEMBERS = 256;
const MINUTE = 60_000;

export class ProofSchedule {
  private since = 0;
  private head: OutMessage | undefined;
  private last = Number.NEGATIVE_INFINITY;

  /** A member landed. @returns whether the head reached with it is to be proved now */
  due(member: OutMessage, now: number, isLast: boolean): boolean {
    this.head = member;
    this.since++;
    const isRest = isLast && member.stream === 'a';
    const due = member.red || isRest || this.since >= MEMBERS || now - this.last >= MINUTE;
    if (due) this.done(now);
    return due;
  }

  /** the head, when it is not proved yet */
  get unproved(): OutMessage | undefined {
    return this.since > 0 ? this.head : undefined;
  }

  private done(now: number): void {
    this.since = 0;
    this.last = now;
  }
}

export interface Signing {
  readonly kid: string;
  readonly publicKey: string;
  /** each key so far that took the place of another, signed by it; oldest first */
  readonly changes?: readonly unknown[];
  sign(text: string): string;
}

/** `{stream, seq, hash, alg, kid, sig}`, signed over `wn1\n{stream}\n{16-digit seq}\n{hash}` (feed contract, section 7). */
export function proofOf(stream: string, seq: number, hash: string, signer: Signing): string {
  const sig = signer.sign(`wn1\n${stream}\n${String(seq).padStart(16, '0')}\n${hash}`);
  return JSON.stringify({ stream, seq, hash, alg: 'Ed25519', kid: signer.kid, sig });
}
