/** What a platform sends down besides commands, read with suspicion: a token bucket before any parsing, bounded bytes, and nothing believed but its shape. */

import { Bucket } from '../base/bucket.ts';
import type { Stream } from '../base/event.ts';
import type { Clock } from '../base/ports.ts';

const MAX_BYTES = 4096;
const PER_SECOND = 20;

export type Said =
  | { readonly kind: 'ack'; readonly stream: string; readonly seq: number }
  | { readonly kind: 'replay'; readonly stream: string; readonly from: number; readonly to: number }
  | { readonly kind: 'bad' };

export interface RetainedProof {
  readonly stream: string;
  readonly seq: number;
  readonly hash: string;
}

export class Incoming {
  readonly proofs: Partial<Record<Stream, RetainedProof>> = {};
  private readonly base: string;
  private readonly clock: Clock;
  private readonly bucket: Bucket;

  constructor(base: string, clock: Clock) {
    this.base = base;
    this.clock = clock;
    this.bucket = new Bucket(PER_SECOND, PER_SECOND, clock.mono());
  }

  take(topic: string, payload: Uint8Array): Said | undefined {
    if (topic === `${this.base}/up/proof/a` || topic === `${this.base}/up/proof/t`) {
      this.keepProof(topic.endsWith('a') ? 'a' : 't', payload);
      return undefined;
    }
    if (!this.bucket.take(this.clock.mono())) return { kind: 'bad' };
    const body = parse(payload);
    const { stream, seq } = body ?? {};
    if (topic === `${this.base}/dn/replay`) {
      const { from, to } = body ?? {};
      const good = typeof stream === 'string' && isCount(from) && isCount(to) && from >= 1 && from <= to;
      return good ? { kind: 'replay', stream, from, to } : { kind: 'bad' };
    }
    if (typeof stream !== 'string' || !isCount(seq)) return { kind: 'bad' };
    return { kind: 'ack', stream, seq };
  }

  private keepProof(stream: Stream, payload: Uint8Array): void {
    const body = parse(payload);
    if (typeof body?.stream === 'string' && typeof body.seq === 'number' && typeof body.hash === 'string')
      this.proofs[stream] = { stream: body.stream, seq: body.seq, hash: body.hash };
  }
}

const isCount = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0;

function parse(payload: Uint8Array): Record<string, unknown> | undefined {
  if (payload.length > MAX_BYTES) return undefined;
  try {
    const body = JSON.parse(new TextDecoder().decode(payload)) as unknown;
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
