/**
 * The consumer's half of the contract: takes what came from a broker or a capture and proves, or disproves, that nothing is missing, repeated
 * or altered. It trusts nothing: any bytes are counted as a fault, never thrown.
 *
 * A capture is NDJSON, one message a line: {"topic": "...", "payload": "<text>"} or {"topic", "base64": "..."}. Order is the order of arrival.
 * A hole may still be filled: a broker that refuses one packet has taken the ones behind it, and the gateway sends it again. A hole behind the
 * head that `feed.epoch` names is none, for the members there are told again in the new epoch.
 * Bounds: MAX_IDS remembered ids (the newest), MAX_FAULTS described faults (all are counted), MAX_MISSING members of a hole.
 */
import { createHash } from 'node:crypto';
import { canonical, type JsonObject } from '../base/json.ts';
import { unpack } from '../base/pack.ts';
import { AnchorBook } from './anchors.ts';
import { Trust } from './trust.ts';

const MAX_IDS = 200_000;
const MAX_FAULTS = 50;
const MAX_HASHES = 1024;
/** missing members of one stream that may still come */
const MAX_MISSING = 10_000;
const MAX_KEYS = 2048;
const MAX_BYTES = 1024 * 1024;
const ZEROS = '0'.repeat(64);
const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

export interface Summary {
  readonly messages: number;
  /** distinct members, and those among them that carry a journal row (feed.* do not) */
  readonly members: number;
  readonly events: number;
  readonly samples: number;
  readonly duplicates: number;
  readonly gaps: number;
  /** events and samples that the gateway itself says it dropped (feed.gap) */
  readonly dropped: number;
  readonly chain: 'ok' | 'broken';
  readonly proofs: { readonly good: number; readonly bad: number };
  /** daily anchors: all of whose heads were seen here, and some of whose */
  readonly anchors: { readonly whole: number; readonly part: number };
  /** members whose data was erased */
  readonly erased: number;
  readonly alarms: { readonly raised: number; readonly cleared: number };
  readonly streams: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

export interface Member {
  readonly topic: string;
  readonly type: string;
  readonly data: JsonObject;
  readonly envelope: JsonObject;
}

interface StreamState {
  seq: number;
  hash: string;
  /** hashes by sequence, for proofs and late members; the newest MAX_HASHES */
  readonly hashes: Map<number, string>;
  /** what is missing so far, and the hash it must have where a neighbour tells */
  readonly missing: Map<number, string | undefined>;
}

export interface Verifier {
  /** a message of any topic; returns the member when it is a new one */
  take(topic: string, payload: Uint8Array): Member | undefined;
  summary(): Summary;
}

export interface VerifierOptions {
  /** a stream may have begun before; what came before its first member is not asked for */
  readonly midway?: boolean;
  /** kid of the key to begin with; the first one shown when left out */
  readonly pin?: string;
}

export function createVerifier(options: VerifierOptions = {}): Verifier {
  return new StreamVerifier(options);
}

class StreamVerifier implements Verifier {
  private readonly streams = new Map<string, StreamState>();
  private readonly ids = new Set<string>();
  private readonly faults: string[] = [];
  private readonly count = {
    messages: 0,
    members: 0,
    events: 0,
    samples: 0,
    duplicates: 0,
    lost: 0,
    broken: 0,
    dropped: 0,
    raised: 0,
    cleared: 0,
    good: 0,
    bad: 0,
    erased: 0,
  };
  private readonly midway: boolean;
  /** by feed and site: a broker of many estates has a key for each */
  private readonly pin: string | undefined;
  private readonly trusted = new Map<string, Trust>();
  private readonly anchors = new AnchorBook();
  /** the farthest member a good proof speaks of, by stream */
  private readonly proved = new Map<string, number>();
  private unproved: { readonly of: string; readonly proof: JsonObject }[] = [];

  constructor({ midway = false, pin }: VerifierOptions) {
    this.midway = midway;
    this.pin = pin;
  }

  take(topic: string, payload: Uint8Array): Member | undefined {
    const tail = topic.split('/').slice(4).join('/');
    const isMember = tail === 'up/a' || tail === 'up/t';
    if (!isMember && tail !== 'up/hello' && !tail.startsWith('up/proof/')) return undefined;
    if (payload.length === 0) return undefined;
    this.count.messages++;
    const object = parse(payload);
    if (object === undefined) return this.fault(`${topic}: not JSON`);
    if (isMember) return this.member(topic, object);
    const of = topic.split('/').slice(0, 4).join('/');
    if (tail === 'up/hello') this.hello(of, object);
    else this.proof(of, object);
    return undefined;
  }

  summary(): Summary {
    const { messages, members, events, samples, duplicates, lost, dropped, broken, raised, cleared, good } = this.count;
    const { erased } = this.count;
    const holes = [...this.streams].flatMap(([name, s]) =>
      runs([...s.missing.keys()]).map((r) => `${name}: ${r} missing`),
    );
    const cut = this.midway ? [] : [...this.proved].flatMap(([name, seq]) => this.cutOff(name, seq));
    // Signed by a key that nobody we trust has signed.
    const strange = this.unproved.filter(({ of }) => this.trusted.has(of));
    const bad = this.count.bad + strange.length;
    return {
      messages,
      members,
      events,
      samples,
      duplicates,
      gaps: lost + holes.length + cut.length,
      dropped,
      chain: broken === 0 && bad === 0 ? 'ok' : 'broken',
      proofs: { good, bad },
      anchors: this.anchors.count(),
      erased,
      alarms: { raised, cleared },
      streams: Object.fromEntries([...this.streams].map(([name, s]) => [name, s.seq])),
      faults: [
        ...this.faults,
        ...holes.slice(0, MAX_FAULTS),
        ...cut.slice(0, MAX_FAULTS),
        ...strange.slice(0, MAX_FAULTS).map(({ proof }) => `${String(proof.stream)}: signed by an unknown key`),
      ],
    };
  }

  private cutOff(stream: string, proved: number): string[] {
    const last = this.streams.get(stream)?.seq ?? 0;
    return proved > last ? [`${stream}: ends at ${last}, but ${proved} was proved`] : [];
  }

  private member(topic: string, envelope: JsonObject): Member | undefined {
    const stream = String(envelope.wnstream ?? '');
    const seq = Number(envelope.sequence);
    if (stream === '' || !Number.isSafeInteger(seq) || seq < 1 || envelope.specversion !== '1.0')
      return this.fault(`${topic}: no member of a stream`);
    const [before, prior] = this.midway ? [seq - 1, String(envelope.wnprev)] : [0, ZEROS];
    const state = this.streams.get(stream) ?? { seq: before, hash: prior, hashes: new Map(), missing: new Map() };
    const isLate = state.missing.has(seq);
    if (seq <= state.seq && !isLate) {
      this.count.duplicates++;
      this.checkSelf(stream, seq, envelope);
      if (state.hashes.has(seq) && state.hashes.get(seq) !== envelope.wnhash)
        this.fault(`${stream} ${seq}: sent again with other content`);
      return undefined;
    }
    this.streams.set(stream, state);
    this.checkSelf(stream, seq, envelope);
    if (isLate) this.fillHole(stream, seq, state, envelope);
    else this.append(stream, seq, state, envelope);
    const { data, ...rest } = envelope;
    const body = (typeof data === 'object' && !Array.isArray(data) ? data : {}) as JsonObject;
    if (rest.type === 'weinao.feed.epoch.v1') this.retold(stream, body);
    if (rest.type === 'weinao.feed.gap.v1') this.gone(body);
    return this.admit(topic, rest, body);
  }

  private append(stream: string, seq: number, state: StreamState, envelope: JsonObject): void {
    if (seq !== state.seq + 1) {
      if (seq - state.seq + state.missing.size > MAX_MISSING) {
        this.count.lost++;
        this.describe(`${stream}: ${state.seq + 1}..${seq - 1} missing`);
      } else
        for (let n = state.seq + 1; n < seq; n++)
          state.missing.set(n, n === seq - 1 ? String(envelope.wnprev) : undefined);
    } else if (envelope.wnprev !== state.hash) this.fault(`${stream} ${seq}: chain does not fit`);
    state.seq = seq;
    state.hash = String(envelope.wnhash);
    state.hashes.set(seq, state.hash);
    state.hashes.delete(seq - MAX_HASHES);
  }

  private fillHole(stream: string, seq: number, state: StreamState, { wnhash, wnprev }: JsonObject): void {
    const must = state.missing.get(seq);
    state.missing.delete(seq);
    state.hashes.set(seq, String(wnhash));
    if (must !== undefined && must !== wnhash) this.fault(`${stream} ${seq}: chain does not fit`);
    const before = state.hashes.get(seq - 1);
    if (state.missing.has(seq - 1)) state.missing.set(seq - 1, String(wnprev));
    else if (before !== undefined && before !== wnprev) this.fault(`${stream} ${seq}: chain does not fit`);
  }

  /** A new epoch tells again what followed the head it names; what is missing there is no loss. */
  private retold(stream: string, { old, seq }: JsonObject): void {
    const [feed, letter] = stream.split('.');
    const before = this.streams.get(`${feed}.${letter}.${String(old)}`);
    for (const n of before?.missing.keys() ?? []) if (n > Number(seq)) before?.missing.delete(n);
  }

  /** The gateway cannot make these members any more, and says so: what is missing of them is lost, and no hole. */
  private gone({ stream, first, last }: JsonObject): void {
    const of = this.streams.get(String(stream));
    for (const n of [...(of?.missing.keys() ?? [])])
      if (n >= Number(first) && n <= Number(last)) {
        of?.missing.delete(n);
        this.count.dropped++;
      }
  }

  private checkSelf(stream: string, seq: number, envelope: JsonObject): void {
    const { data, wnhash, ...rest } = envelope;
    try {
      if (isErased(data)) this.count.erased++;
      else if (sha256(canonical(data ?? {})) !== rest.wndata) this.fault(`${stream} ${seq}: data was altered`);
      if (sha256(canonical(rest)) !== wnhash) this.fault(`${stream} ${seq}: envelope was altered`);
    } catch {
      this.fault(`${stream} ${seq}: numbers or keys outside the contract`);
    }
    if (seq === 1 && rest.type !== 'weinao.feed.epoch.v1') this.fault(`${stream}: does not begin with feed.epoch`);
  }

  private admit(topic: string, envelope: JsonObject, data: JsonObject): Member | undefined {
    // Two feeds tell the same happening to two platforms.
    const feed = String(envelope.wnstream).split('.')[0];
    const key = `${feed} ${String(envelope.source)} ${String(envelope.id)}`;
    if (this.ids.has(key)) {
      // The same happening in another epoch: told before, and not news.
      this.count.duplicates++;
      return undefined;
    }
    this.ids.add(key);
    if (this.ids.size > MAX_IDS)
      for (const oldest of this.ids) {
        this.ids.delete(oldest);
        break;
      }
    const type = String(envelope.type);
    this.count.members++;
    if (!type.startsWith('weinao.feed.')) this.count.events++;
    if (type.startsWith('weinao.feed.gap')) this.count.dropped += Number(data.lost) || 0;
    if (type.startsWith('weinao.alarm.raised')) this.count.raised++;
    if (type.startsWith('weinao.alarm.cleared')) this.count.cleared++;
    if (type === 'weinao.feed.key.v1') this.keyChanged(topic, data);
    if (type === 'weinao.feed.anchor.v1') this.anchored(String(envelope.id), data);
    if (Array.isArray(data.samples)) this.count.samples += data.samples.length;
    return { topic, type, data, envelope };
  }

  private hello(of: string, hello: JsonObject): void {
    const trust = this.trusted.get(of) ?? new Trust(this.pin);
    if (!this.trusted.has(of) && this.trusted.size >= MAX_KEYS) return;
    trust.hello(hello);
    if (trust.size > 0 || this.pin !== undefined) this.trusted.set(of, trust);
    this.proveAgain();
  }

  private keyChanged(topic: string, data: JsonObject): void {
    this.trusted.get(topic.split('/').slice(0, 4).join('/'))?.follow(data);
    this.proveAgain();
  }

  private anchored(id: string, data: JsonObject): void {
    const wrong = this.anchors.add(id, data, (stream, seq) => this.streams.get(stream)?.hashes.get(seq));
    if (wrong !== undefined) this.fault(wrong);
  }

  private proveAgain(): void {
    const waiting = this.unproved;
    this.unproved = [];
    for (const { of, proof } of waiting) this.proof(of, proof);
  }

  private proof(of: string, proof: JsonObject): void {
    const { stream, seq, hash, sig, kid } = proof;
    const text = `wn1\n${String(stream)}\n${String(seq).padStart(16, '0')}\n${String(hash)}`;
    const signed = this.trusted.get(of)?.check(String(kid), text, String(sig));
    if (signed === undefined) {
      if (this.unproved.length < MAX_KEYS) this.unproved.push({ of, proof });
      return;
    }
    const seen = this.streams.get(String(stream))?.hashes.get(Number(seq));
    if (signed && (seen === undefined || seen === hash)) {
      this.count.good++;
      this.proved.set(String(stream), Math.max(Number(seq), this.proved.get(String(stream)) ?? 0));
      return;
    }
    this.count.bad++;
    this.describe(`${String(stream)} ${String(seq)}: ${signed ? 'proof is of another member' : 'signature is wrong'}`);
  }

  private fault(what: string): undefined {
    this.count.broken++;
    this.describe(what);
    return undefined;
  }

  private describe(what: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(what);
  }
}

/** The holes these numbers make, as `first..last`. */
function runs(numbers: readonly number[]): string[] {
  const sorted = [...numbers].sort((a, b) => a - b);
  const firsts = sorted.filter((n, i) => n - 1 !== sorted[i - 1]);
  const lasts = sorted.filter((n, i) => n + 1 !== sorted[i + 1]);
  return firsts.map((first, i) => `${first}..${lasts[i]}`);
}

/** Plain or zstd, told apart by the first bytes. */
function parse(payload: Uint8Array): JsonObject | undefined {
  return safely(() => {
    if (payload.length > MAX_BYTES) return undefined;
    const packed = ZSTD_MAGIC.every((byte, i) => payload[i] === byte);
    const bytes = packed ? unpack(payload, MAX_BYTES) : payload;
    const object = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
    return typeof object === 'object' && object !== null && !Array.isArray(object) ? (object as JsonObject) : undefined;
  });
}

function safely<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const isErased = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && canonical(data as JsonObject) === '{"erased":true}';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
