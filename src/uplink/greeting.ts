/** What a feed says about itself when it connects: manifest, device model, state; and whether its journal is the one the broker knows. */
import { createHash } from 'node:crypto';
import { STREAMS, type Stream } from '../base/event.ts';
import type { ContractRow, FeedLedger, FeedState } from '../base/feed.ts';
import { canonical, type JsonObject } from '../base/json.ts';
import type { FeedModel } from '../base/model.ts';
import type { Clock } from '../base/ports.ts';
import type { BrokerConnection } from '../io/mqtt.ts';
import type { RetainedProof } from './incoming.ts';
import type { Signing } from './proof.ts';

/** who pinned an older key than these needs the events, or a new pin */
const MOST_CHANGES = 16;

export interface GreetingDeps {
  readonly feed: FeedModel;
  readonly ledger: FeedLedger;
  readonly signer: Signing;
  readonly clock: Clock;
  readonly catalog: () => ReadonlyMap<string, JsonObject>;
}

export function streamName({ contract }: Pick<FeedState, 'contract'>, stream: Stream): string {
  return `${contract.feed}.${stream}.${contract.epoch}`;
}

/** The stream a name is of, if it may be one of this feed. */
export function streamOfEpoch(name: string, feed: string): Stream | undefined {
  const [owner, letter, epoch = '', ...rest] = name.split('.');
  const isEpoch = epoch.length === 16 && [...epoch].every((c) => '0123456789abcdef'.includes(c));
  return owner === feed && isEpoch && rest.length === 0 ? STREAMS.find((s) => s === letter) : undefined;
}

/** Changes exactly when what the feed tells, or how, changes. */
function contractHash({ source, view, pseudonyms, encoder, encoding }: ContractRow): string {
  const text = canonical({ source, view, pseudonyms, encoder, encoding });
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The retained manifest and device model. What the feed published once and no longer has is taken back with an empty message. */
export async function greet(
  connection: BrokerConnection,
  base: string,
  state: FeedState,
  deps: GreetingDeps,
): Promise<void> {
  const { contract } = state;
  const { signer, ledger, feed } = deps;
  const devices = deps.catalog();
  const hello = {
    schema: 1,
    source: contract.source,
    view: contract.view,
    contract: contractHash(contract),
    encoder: contract.encoder,
    encoding: contract.encoding,
    alg: 'Ed25519',
    kid: signer.kid,
    key: signer.publicKey,
    keys: (signer.changes ?? []).slice(-MOST_CHANGES),
    devices: devices.size,
    streams: STREAMS.map((s) => ({ stream: streamName(state, s), ...state.range[s], acked: state.acked[s].seq })),
  };
  await connection.publish(`${base}/up/hello`, JSON.stringify(hello), { retain: true });
  const known = await ledger.recall(feed.id);
  for (const [device, body] of devices) {
    const topic = `${base}/up/dev/${device}`;
    const text = JSON.stringify(body);
    const mark = createHash('sha256').update(text).digest('hex').slice(0, 16);
    if (connection.remembers === true && known.get(topic) === mark) continue;
    await connection.publish(topic, text, { retain: true });
    if (known.get(topic) !== mark) ledger.remember(feed.id, topic, mark);
  }
  for (const topic of known.keys()) {
    if (devices.has(topic.slice(`${base}/up/dev/`.length))) continue;
    await connection.publish(topic, '', { retain: true });
    ledger.remember(feed.id, topic, null);
  }
}

/** @param since when this session began, UTC ms */
export async function publishState(
  connection: BrokerConnection,
  base: string,
  session: string,
  since: number,
  deps: GreetingDeps,
): Promise<void> {
  const depth = await deps.ledger.depth(deps.feed.id);
  // How much the view withholds is nothing its platform is told.
  const waits = deps.feed.view === 'everything' ? 'rows' : 'members';
  const { wall, synced } = deps.clock.now();
  const state = {
    online: true,
    session,
    since: new Date(since).toISOString(),
    at: new Date(wall).toISOString(),
    clock: synced ? 'synced' : 'unsynced',
    backlog: { a: depth.a[waits], t: depth.t[waits] },
  };
  await connection.publish(`${base}/up/state`, JSON.stringify(state), { retain: true });
}

/** Whether this journal can make the member that the broker holds a proof of. A proof of another epoch is not ours to judge. */
export async function isOurs(
  ledger: FeedLedger,
  { contract, acked }: FeedState,
  stream: Stream,
  proof: RetainedProof,
): Promise<boolean> {
  const { feed, epoch } = contract;
  if (proof.stream !== streamName({ contract }, stream) || proof.seq < acked[stream].seq) return true;
  return (await ledger.hashAt(feed, stream, { epoch, seq: proof.seq })) === proof.hash;
}
