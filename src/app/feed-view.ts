/**
 * `weinao feed view`: what a feed would have been sent of the newest happenings, by its view as the configuration says it now. It is the outward
 * function itself over the journal, read-only. Ids, times, texts and values are those of the feed; sequence and hashes are of a stream of its own,
 * because the real ones depend on where the platform stands.
 */

import { STREAMS, type Stream } from '../base/event.ts';
import type { ContractRow, JournalRow, OutMessage, StreamHead } from '../base/feed.ts';
import { viewLabel } from '../base/view.ts';
import { readPseudonymKey } from '../io/keys.ts';
import { journalFile } from '../journal/path.ts';
import { withTail } from '../journal/tail.ts';
import { createOutward } from '../uplink/outward.ts';
import { type Env, needSite } from './check.ts';
import { feedNamed } from './feed-contract.ts';
import { resolveView } from './views.ts';

/** how far back is looked for members, in rows of the journal */
const MOST_ROWS = 50_000;

export interface FeedView {
  /** `{view}.{version}` */
  readonly view: string;
  /** CloudEvents as JSON, oldest first */
  readonly members: readonly string[];
  /** rows of the journal they were chosen from */
  readonly rows: number;
}

export async function viewFeed(configFolder: string, env: Env, id: string, last: number): Promise<FeedView> {
  const { model, machine } = await needSite(configFolder, env);
  const selects = resolveView(feedNamed(model, id), model, machine.made);
  const view = viewLabel(id, selects);
  return withTail(journalFile(model.gateway.data), (tail) => {
    const { kid, secret } = readPseudonymKey(model.gateway.data);
    const outward = createOutward(secret);
    const contract: ContractRow = {
      ...{ feed: id, epoch: '0'.repeat(16), source: `urn:weinao:${model.site.id}:${model.gateway.id}` },
      ...{ view, selects, pseudonyms: kid, encoder: outward.encoder, encoding: 'json' },
      ...{ id: '0'.repeat(26), madeAt: 0, reason: 'view' },
    };
    for (let span = 4 * last; ; span *= 4) {
      const { rows, isAll } = tail(Math.min(span, MOST_ROWS));
      const members = membersOf(rows, contract, outward);
      if (members.length >= last || isAll || span >= MOST_ROWS)
        return { view, members: members.slice(-last), rows: rows.length };
    }
  });
}

function membersOf(
  rows: readonly JournalRow[],
  contract: ContractRow,
  outward: ReturnType<typeof createOutward>,
): string[] {
  const heads: Record<Stream, StreamHead> = { a: START, t: START };
  return rows.flatMap((row) =>
    STREAMS.flatMap((stream) => {
      const member: OutMessage | undefined = outward.encode(contract, stream, heads[stream], row);
      if (member === undefined) return [];
      heads[stream] = member;
      return [new TextDecoder().decode(member.payload)];
    }),
  );
}

const START: StreamHead = { position: 0, seq: 0, hash: '0'.repeat(64) };
