/** A journal's side of one feed, in memory: members in order, a cursor, and new epochs, so that a way out can be tried without a disk. */
import type { Stream } from '../../src/base/event.ts';
import { streamOf } from '../../src/base/event.ts';
import type { Cursor, FeedLedger, FeedState, OutMessage } from '../../src/base/feed.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { SEES_ALL } from './entitlement.ts';

type Kind = Parameters<typeof streamOf>[0];

export class FakeLedger implements FeedLedger {
  /** ids of members that were passed over */
  readonly passedOver: string[] = [];
  heads = (): Promise<Record<string, readonly string[]>> => Promise.resolve({});
  private epoch = 1;
  private position = 0;
  private waiting: Record<Stream, Omit<OutMessage, 'seq'>[]> = { a: [], t: [] };
  private acked: Record<Stream, number> = { a: 0, t: 0 };
  private readonly memory = new Map<string, string>();

  add(kind: Kind, data: JsonObject, attributes: JsonObject = {}): OutMessage {
    const stream = streamOf(kind);
    const position = ++this.position;
    const type = `weinao.${kind}.v1`;
    const id = `id${position}`;
    const payload = new TextEncoder().encode(JSON.stringify({ specversion: '1.0', id, type, ...attributes, data }));
    const { subject } = attributes;
    const named = typeof subject === 'string' ? { subject } : {};
    const row = {
      stream,
      epoch: String(this.epoch).padStart(16, '0'),
      hash: `h${position}`,
      position,
      id,
      type,
      ...named,
      ...{ red: false, samples: 0, units: 1, disclosed: {}, about: {} },
      payload,
    };
    this.waiting[stream].push(row);
    return { ...row, seq: this.acked[stream] + this.waiting[stream].length };
  }

  get left(): number {
    return this.waiting.a.length + this.waiting.t.length;
  }

  open(): Promise<FeedState> {
    const contract: FeedState['contract'] = {
      ...{ feed: 'f', epoch: String(this.epoch).padStart(16, '0'), source: 'urn:weinao:s1:g1', ...SEES_ALL },
      ...{ encoder: 1, encoding: 'json', id: `e${this.epoch}`, madeAt: 0, reason: 'test' },
    };
    const head = (seq: number): FeedState['acked']['a'] => ({ position: 0, seq, hash: '' });
    const range = { first: 1, last: 0 };
    return Promise.resolve({
      contract,
      acked: { a: head(this.acked.a), t: head(this.acked.t) },
      range: { a: range, t: range },
    });
  }

  renew(_feed: string, _reason: string, over?: { stream: Stream; position: number }): Promise<FeedState> {
    this.epoch++;
    this.acked = { a: 0, t: 0 };
    if (over !== undefined) {
      const rows = this.waiting[over.stream];
      this.passedOver.push(...rows.filter((r) => r.position <= over.position).map((r) => r.id));
      this.waiting[over.stream] = rows.filter((r) => r.position > over.position);
    }
    return this.open();
  }

  next(_feed: string, stream: Stream, after: Cursor, limit: { max: number }): Promise<readonly OutMessage[]> {
    if (Number(after.epoch) !== this.epoch) return Promise.resolve([]);
    const acked = this.acked[stream];
    const rows = this.waiting[stream].map((row, i) => ({ ...row, seq: acked + i + 1 }));
    return Promise.resolve(rows.filter((row) => row.seq > after.seq).slice(0, limit.max));
  }

  replay(): Promise<readonly OutMessage[]> {
    return Promise.resolve([]);
  }

  hashAt(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  ack(_feed: string, stream: Stream, upTo: Cursor): void {
    const count = upTo.seq - this.acked[stream];
    if (Number(upTo.epoch) !== this.epoch || count <= 0) return;
    this.waiting[stream].splice(0, count);
    this.acked[stream] = upTo.seq;
  }

  gone(): void {}

  depth(): ReturnType<FeedLedger['depth']> {
    const of = (stream: Stream) => ({
      rows: this.waiting[stream].length,
      samples: 0,
      units: this.waiting[stream].length,
      bytes: 0,
      members: this.waiting[stream].length,
    });
    return Promise.resolve({ a: of('a'), t: of('t') });
  }

  remember(_feed: string, key: string, body: string | null): void {
    if (body === null) this.memory.delete(key);
    else this.memory.set(key, body);
  }

  recall(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.memory));
  }
}
