/** When a stream's head is signed and published: at each connect, every 256 members, every 10 minutes of traffic, after each red alarm. */
import type { OutMessage } from '../base/feed.ts';

const MEMBERS = 256;
const MINUTES_10 = 600_000;

export class ProofSchedule {
  private since = 0;
  private last = Number.NEGATIVE_INFINITY;

  /** whether the head reached with this member is to be proved now */
  due(member: OutMessage, now: number): boolean {
    this.since++;
    const due = member.red || this.since >= MEMBERS || now - this.last >= MINUTES_10;
    if (due) this.done(now);
    return due;
  }

  done(now: number): void {
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
