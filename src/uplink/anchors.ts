/**
 * Daily anchors as recipients see them. Each has the hash over the heads of all streams, and its own heads; together, recipients have them all.
 * A gateway that rewrites what one of them holds breaks either that one's heads or the hash everybody has.
 */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../base/json.ts';

const MOST = 1024;

export class AnchorBook {
  private readonly anchors = new Map<string, { readonly hash: string; readonly heads: Set<string> }>();

  /** @returns what is wrong with it; `hashOf` knows the members that were seen lately */
  add(id: string, data: JsonObject, hashOf: (stream: string, seq: number) => string | undefined): string | undefined {
    const { hash, heads } = data;
    if (typeof hash !== 'string' || !Array.isArray(heads)) return 'anchor: no hash or heads';
    const known = this.anchors.get(id) ?? { hash, heads: new Set<string>() };
    if (known.hash !== hash) return `anchor ${id}: another hash than at another recipient`;
    this.anchors.set(id, known);
    for (const oldest of this.anchors.keys()) {
      if (this.anchors.size <= MOST) break;
      this.anchors.delete(oldest);
    }
    for (const head of heads.slice(0, MOST)) {
      known.heads.add(String(head));
      const [stream = '', seq, its] = String(head).split(' ');
      const seen = hashOf(stream, Number(seq));
      if (seen !== undefined && seen !== its) return `anchor ${id}: ${stream} ${seq} was another member`;
    }
    return undefined;
  }

  /** `whole`: everything the hash is over was seen here, and it is right */
  count(): { readonly whole: number; readonly part: number } {
    const whole = [...this.anchors.values()].filter(({ hash, heads }) => hash === hashOfHeads(heads)).length;
    return { whole, part: this.anchors.size - whole };
  }
}

/** SHA-256 over the sorted lines `{stream} {seq} {hash}` (feed contract, section 7). */
export const hashOfHeads = (heads: Iterable<string>): string =>
  createHash('sha256')
    .update([...heads].sort().join('\n'))
    .digest('hex');
